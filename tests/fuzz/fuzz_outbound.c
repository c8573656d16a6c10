/*
 * What a login service, Microsoft Graph, Intune or a webhook may answer: whatever it is, what comes out is within its room, fit for a header
 * or a log, and refused with a reason or taken whole.  Text that is written as JSON is read again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "outbound/intune_answer.h"
#include "outbound/intune_body.h"
#include "outbound/json_text.h"
#include "outbound/webhook_answer.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* UTF-8 without control characters, ended within its room. */
static void
is_for_a_log(const char *text, size_t room)
{
	MUST(strnlen(text, room) < room);
	MUST(encoding_is_utf8(octets_of_string(text)));
	for (; *text != '\0'; text++)
		MUST((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void
read_login(struct octets body)
{
	struct intune_login_error error;
	struct errbuf why = {0};
	struct buffer token = {0};
	int64_t expires_in_s;

	if (intune_answer_token(body, &token, &expires_in_s, &why)) {
		MUST(token.len > 0 && token.len <= INTUNE_TOKEN_MAX);
		MUST(expires_in_s > 0 && expires_in_s <= 86400);
		for (size_t i = 0; i < token.len; i++)
			MUST(token.data[i] > 0x20 && token.data[i] < 0x7f);
	} else {
		MUST(token.len == 0 && why.line[0] != '\0');
	}
	buffer_free(&token);
	why.line[0] = '\0';
	if (!intune_answer_login_error(body, &error, &why))
		MUST(why.line[0] != '\0' && error.code == 0);
	MUST(error.code >= 0);
	is_for_a_log(error.error, sizeof(error.error));
}

static void
read_intune(struct octets body)
{
	struct intune_answer answer = {0};
	struct errbuf why = {0};
	char uri[INTUNE_URI_SIZE];

	if (!intune_answer_discovery(body, "ScepRequestValidationFEService", uri, &why))
		MUST(why.line[0] != '\0' && uri[0] == '\0');
	MUST(strnlen(uri, sizeof(uri)) < sizeof(uri));
	why.line[0] = '\0';
	MUST(intune_answer_result(body, &answer, &why) == (answer.code[0] != '\0'));
	MUST(answer.code[0] != '\0' || why.line[0] != '\0');
	is_for_a_log(answer.code, sizeof(answer.code));
	is_for_a_log(answer.description, sizeof(answer.description));
	MUST(intune_answer_error(body, &answer, &why) == (answer.code[0] != '\0'));
	is_for_a_log(answer.code, sizeof(answer.code));
	is_for_a_log(answer.description, sizeof(answer.description));
}

static void
read_revocations(struct octets body)
{
	static struct intune_revocation out[INTUNE_REVOCATIONS_MAX];
	struct errbuf why = {0};
	bool taken;
	int count;

	if (!intune_answer_revocations(body, out, &count, &why))
		MUST(count == 0 && why.line[0] != '\0');
	MUST(count >= 0 && count <= INTUNE_REVOCATIONS_MAX);
	for (int i = 0; i < count; i++) {
		MUST(out[i].context[0] != '\0');
		MUST(strspn(out[i].serial, "0123456789abcdefABCDEF") == strlen(out[i].serial));
		is_for_a_log(out[i].issuer, sizeof(out[i].issuer));
	}
	why.line[0] = '\0';
	if (!intune_answer_uploaded(body, &taken, &why))
		MUST(!taken && why.line[0] != '\0');
}

static void
read_webhook(struct octets body)
{
	struct errbuf why = {0};
	char message[256];

	if (webhook_answer_read(body, message, &why) == WEBHOOK_ALLOWED)
		MUST(memmem(body.data, body.len, "true", 4) != NULL);
	else
		MUST(why.line[0] != '\0');
	is_for_a_log(message, sizeof(message));
}

static void
write_and_read(struct octets text)
{
	struct buffer out = {0};
	struct errbuf why = {0};
	const char *again;
	json_t *json;

	buffer_append_string(&out, "{\"text\":");
	json_text_append(&out, text);
	buffer_append_string(&out, "}");
	json = json_text_read(buffer_octets(&out), &why);
	if (memchr(text.data, '\0', text.len) == NULL)
		MUST(json != NULL);
	again = json_text_member(json, "text");
	if (encoding_is_utf8(text))
		MUST(again != NULL && octets_equal(octets_of_string(again), text));
	json_text_free(json);
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct octets body = octets_of(data, size);

	read_login(body);
	read_intune(body);
	read_revocations(body);
	read_webhook(body);
	if (size > 0)
		write_and_read(body);
	return 0;
}
