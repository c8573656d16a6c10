#include "scep/capabilities.h"

#include <strings.h>

#include "pki/algorithm.h"

void
scep_capabilities(
    uint32_t digests, uint32_t ciphers, bool renewal, bool next_ca, struct buffer *out)
{
	/* SCEPStandard stands for AES-128, POST and SHA-256, and for what 2.9 forbids (RFC 8894 3.5.2). */
	bool standard = (ciphers & PKI_AES128) != 0 && (digests & PKI_SHA256) != 0 &&
			(ciphers & PKI_CIPHERS_LEGACY) == 0 && (digests & PKI_DIGESTS_LEGACY) == 0;
	const struct {
		bool have;
		const char *keyword;
	} lines[] = {
	    {(ciphers & PKI_AES128) != 0, "AES\n"},
	    {(ciphers & PKI_DES3) != 0, "DES3\n"},
	    {next_ca, "GetNextCACert\n"},
	    {true, "POSTPKIOperation\n"},
	    {renewal, "Renewal\n"},
	    {(digests & PKI_SHA1) != 0, "SHA-1\n"},
	    {(digests & PKI_SHA256) != 0, "SHA-256\n"},
	    {(digests & PKI_SHA384) != 0, "SHA-384\n"},
	    {(digests & PKI_SHA512) != 0, "SHA-512\n"},
	    {standard, "SCEPStandard\n"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].have)
			buffer_append_string(out, lines[i].keyword);
}

static bool
is_keyword(struct octets line, const char *keyword)
{
	struct octets k = octets_of_string(keyword);

	return line.len == k.len && strncasecmp((const char *)line.data, keyword, k.len) == 0;
}

static void
parse_line(struct octets line, struct scep_capability_set *out)
{
	const struct {
		bool *have;
		const char *keyword;
	} keywords[] = {
	    {&out->aes, "AES"},
	    {&out->des3, "DES3"},
	    {&out->sha1, "SHA-1"},
	    {&out->sha256, "SHA-256"},
	    {&out->sha384, "SHA-384"},
	    {&out->sha512, "SHA-512"},
	    {&out->post, "POSTPKIOperation"},
	    {&out->renewal, "Renewal"},
	    {&out->next_ca, "GetNextCACert"},
	    {&out->standard, "SCEPStandard"},
	};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (is_keyword(line, keywords[i].keyword))
			*keywords[i].have = true;
}

void
scep_capabilities_parse(struct octets text, struct scep_capability_set *out)
{
	size_t start = 0;

	*out = (struct scep_capability_set){0};
	while (start < text.len) {
		size_t end = start;
		struct octets line;

		while (end < text.len && text.data[end] != '\n')
			end++;
		line = octets_of(text.data + start, end - start);
		while (line.len > 0 &&
		       (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' '))
			line.len--;
		parse_line(line, out);
		start = end + 1;
	}
	/* RFC 8894 3.5.2: what SCEPStandard implies. */
	if (out->standard)
		out->aes = out->post = out->sha256 = true;
}
