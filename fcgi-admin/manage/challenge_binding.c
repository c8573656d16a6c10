/* challenge_binding.c: reading bindings: what could fit no CSR is refused here, not noticed when the device comes. */
#include "fcgi-admin/manage/challenge_binding.h"

#include <string.h>

#include "base/encoding.h"
#include "pki/fields.h"

#define RSA_LEAST_BITS 512
#define RSA_MOST_BITS  8192

/* text into out; NULL: not bound. */
static void
read_text(const char *text, const char *field, size_t most, char *out, struct manage_report *r)
{
	size_t len;

	if (text == NULL)
		return;
	len = strlen(text);
	if (len == 0 || len > most || !encoding_is_utf8(octets_of_string(text)))
		manage_invalid(r, field, "want UTF-8 of 1 to %zu octets", most);
	else
		memcpy(out, text, len + 1);
}

static bool
is_key_type(const char *text)
{
	static const char *const names[] = {"RSA", "EC", "EC P-256", "EC P-384", "EC P-521"};
	int64_t bits = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	if (strncmp(text, "RSA-", 4) != 0 || text[4] == '0' || strlen(text) > 8)
		return false;
	for (text += 4; *text >= '0' && *text <= '9'; text++)
		bits = bits * 10 + (*text - '0');
	return *text == '\0' && bits >= RSA_LEAST_BITS && bits <= RSA_MOST_BITS;
}

static void
check_san(const char *san, struct manage_report *r)
{
	struct buffer der = {0};
	struct errbuf why = {0};

	if (san[0] != '\0' && !san_from_text(san, &der, &why))
		manage_invalid(r, "bindSan", "%s", why.line);
	buffer_free(&der);
}

void
challenge_binding_read(
    const struct manage_challenge_order *o, struct challenge_binding *out, struct manage_report *r)
{
	memset(out, 0, sizeof(*out));
	read_text(o->bind_cn, "bindCn", CHALLENGE_CN_MAX, out->cn, r);
	read_text(o->bind_san, "bindSan", CHALLENGE_SAN_MAX, out->san, r);
	check_san(out->san, r);
	read_text(o->bind_device, "bindDevice", CHALLENGE_DEVICE_MAX, out->device, r);
	if (o->bind_key != NULL && !is_key_type(o->bind_key))
		manage_invalid(r, "bindKey",
		    "want RSA, RSA-2048 (or other bits), EC, \"EC P-256\", \"EC P-384\" or \"EC "
		    "P-521\", have \"%s\"",
		    o->bind_key);
	else
		read_text(o->bind_key, "bindKey", CHALLENGE_KEY_TYPE_MAX, out->key_type, r);
}

void
challenge_binding_describe(const struct challenge_binding *b, struct buffer *out)
{
	if (b->cn[0] != '\0')
		buffer_append_format(out, "; bound to CN %s", b->cn);
	if (b->san[0] != '\0')
		buffer_append_format(out, "; bound to SAN %s", b->san);
	if (b->key_type[0] != '\0')
		buffer_append_format(out, "; bound to a key of type %s", b->key_type);
	if (b->device[0] != '\0')
		buffer_append_format(out, "; bound to device %s", b->device);
}
