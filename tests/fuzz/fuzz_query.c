/*
 * A stranger's QUERY_STRING, and the message in it.  What decodes is checked against encoding: the octets, encoded in base64 and
 * decoded again, are the same; and no more of them come out than were allowed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "scep/capabilities.h"
#include "scep/query.h"

#define MAX 1024
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(struct octets message)
{
	struct buffer out = {0}, text = {0}, again = {0};
	struct errbuf why = {0};
	bool too_long = true;

	if (!scep_query_message(message, MAX, &out, &too_long, &why)) {
		MUST(out.len == 0 && why.line[0] != '\0');
	} else {
		MUST(!too_long && out.len >= 1 && out.len <= MAX);
		encoding_base64(buffer_octets(&out), &text);
		MUST(scep_query_message(buffer_octets(&text), MAX, &again, &too_long, NULL));
		MUST(octets_equal(buffer_octets(&out), buffer_octets(&again)));
	}
	buffer_free(&out);
	buffer_free(&text);
	buffer_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scep_capability_set capabilities;
	struct errbuf why = {0};
	struct scep_query q;
	char *query = malloc(size + 1);

	MUST(query != NULL);
	memcpy(query, data, size);
	query[size] = '\0';
	if (scep_query_parse(query, &q, &why)) {
		MUST(strlen(q.operation_text) < sizeof(q.operation_text));
		for (const char *p = q.operation_text; *p != '\0'; p++)
			MUST(*p >= 0x20 && *p < 0x7f);
		if (q.has_message)
			decode(q.message);
	} else {
		MUST(why.line[0] != '\0' && q.operation == SCEP_OP_NONE && !q.has_message);
	}
	decode(octets_of(data, size));
	scep_capabilities_parse(octets_of(data, size), &capabilities);
	free(query);
	return 0;
}
