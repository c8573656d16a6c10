/* ca_show.c: a CA as JSON, as PEM and as lines for people. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/ca.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/name.h"

bool
ca_fingerprint(struct octets der, char out[65])
{
	uint8_t digest[32];
	unsigned len = sizeof(digest);

	if (der.len == 0 || EVP_Digest(der.data, der.len, digest, &len, EVP_sha256(), NULL) != 1)
		return false;
	encoding_hex(octets_of(digest, sizeof(digest)), out);
	return true;
}

void
ca_append_pem(const struct authority_row *ca, bool chain, struct buffer *out)
{
	struct octets rest = buffer_octets(&ca->chain), der;

	pem_write("CERTIFICATE", buffer_octets(&ca->certificate), out);
	while (chain && manage_authority_next(&rest, &der))
		pem_write("CERTIFICATE", der, out);
}

json_t *
ca_json(const struct authority_row *ca)
{
	struct buffer subject = {0}, pem = {0};
	struct certificate c = {0};
	char print[65] = "";
	json_t *j;

	if (ca->certificate.len > 0) {
		ca_fingerprint(buffer_octets(&ca->certificate), print);
		ca_append_pem(ca, true, &pem);
		if (certificate_parse(buffer_octets(&ca->certificate), &c, NULL))
			name_to_text(c.subject, &subject);
	} else {
		pem_write("CERTIFICATE REQUEST", buffer_octets(&ca->request), &pem);
	}
	j = json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s}", "id", ca->id, "name",
	    ca->name, "state", ca->state, "subject", cli_json_text(buffer_string(&subject)),
	    "fingerprint", cli_json_text(print), "notAfter", cli_json_time(ca->not_after),
	    "createdAt", cli_json_time(ca->created_at), "crlUrl", cli_json_text(ca->crl_url),
	    "ocspUrl", cli_json_text(ca->ocsp_url), "pem", cli_json_text(buffer_string(&pem)),
	    "lineage", ca->lineage);
	certificate_free(&c);
	buffer_free(&subject);
	buffer_free(&pem);
	return j;
}

void
ca_print(const struct authority_row *ca)
{
	struct buffer subject = {0};
	struct certificate c = {0};
	char print[65], time[ENCODING_TIME_SIZE];

	printf("name         %s\nid           %s\nstate        %s\n", ca->name, ca->id, ca->state);
	if (certificate_parse(buffer_octets(&ca->certificate), &c, NULL)) {
		if (name_to_text(c.subject, &subject))
			printf("subject      %s\n", buffer_string(&subject));
		if (ca_fingerprint(c.der, print))
			printf("fingerprint  %s\n", print);
		encoding_time(c.not_after, time);
		printf("notAfter     %s\n", time);
	}
	if (ca->crl_url[0] != '\0')
		printf("crlUrl       %s\n", ca->crl_url);
	if (ca->ocsp_url[0] != '\0')
		printf("ocspUrl      %s\n", ca->ocsp_url);
	certificate_free(&c);
	buffer_free(&subject);
}

void
ca_json_generation(json_t *j, const struct manage_generation *g)
{
	json_object_set_new(j, "generation", json_integer(g->number));
	json_object_set_new(j, "predecessor", cli_json_text(g->predecessor));
	json_object_set_new(j, "next", cli_json_text(g->next));
	json_object_set_new(j, "current", cli_json_text(g->current));
	json_object_set_new(
	    j, "crlNumber", g->crl_number != 0 ? json_integer(g->crl_number) : json_null());
	json_object_set_new(j, "crlEntries", json_integer(g->crl_entries));
	json_object_set_new(j, "crlThisUpdate", cli_json_time(g->crl_this_update));
	json_object_set_new(j, "crlNextUpdate", cli_json_time(g->crl_next_update));
	json_object_set_new(j, "ocspResponderNotAfter", cli_json_time(g->responder_not_after));
}

void
ca_print_generation(const struct manage_generation *g)
{
	char time[ENCODING_TIME_SIZE];

	printf("generation   %d\n", g->number);
	if (g->predecessor[0] != '\0')
		printf("predecessor  %s\n", g->predecessor);
	if (g->next[0] != '\0')
		printf("next         %s\n", g->next);
	if (g->crl_next_update != 0) {
		encoding_time(g->crl_next_update, time);
		printf("CRL          number %" PRId64 ", %" PRId64 " revoked, until %s\n",
		    g->crl_number, g->crl_entries, time);
	} else {
		puts("CRL          none was asked for yet");
	}
	if (g->responder_not_after != 0)
		encoding_time(g->responder_not_after, time);
	printf("OCSP         %s%s\n",
	    g->responder_not_after != 0 ? "responder until " : "no responder",
	    g->responder_not_after != 0 ? time : "");
}
