/* ra_certificate.c: RA keys and the certificates that a CA gives them. */
#include "fcgi-admin/manage/ra_certificate.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/keys.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"

#define RA_VALIDITY_DAYS 3650

static const uint8_t oid_organization[] = {0x55, 0x04, 0x0a}; /* 2.5.4.10 */

void
manage_ra_check_key(const char *kind, struct manage_report *r)
{
	if (strcmp(kind, "rsa:2048") != 0 && strcmp(kind, "rsa:3072") != 0 &&
	    strcmp(kind, "rsa:4096") != 0)
		manage_invalid(
		    r, "raKey", "want rsa:2048, rsa:3072 or rsa:4096, have \"%s\"", kind);
}

/* The first organization in the CA's subject, with what name_from_text() would read otherwise escaped. */
static bool
append_organization(struct octets ca_subject, struct buffer *out, struct errbuf *why)
{
	struct name_view *view = NULL;
	struct buffer value = {0};
	bool ok = true;

	if (!name_parse(ca_subject, &view, why))
		return false;
	for (int i = 0; i < name_count(view); i++) {
		const struct name_attribute *a = name_get0(view, i);

		if (!octets_equal(a->oid, octets_of(oid_organization, sizeof(oid_organization))))
			continue;
		if (!name_value_utf8(a->value, a->tag, &value))
			break;
		buffer_append_string(out, "O=");
		for (size_t n = 0; n < value.len; n++) {
			if (strchr("\\,+=\"<>;# ", value.data[n]) != NULL)
				buffer_append_string(out, "\\");
			buffer_append(out, &value.data[n], 1);
		}
		buffer_append_string(out, ",");
		break;
	}
	if (out->failed || value.failed) {
		errbuf_set(why, "out of memory");
		ok = false;
	}
	buffer_free(&value);
	name_free(view);
	return ok;
}

static enum manage_rc
make_subject(const struct authority_row *ca, const char *name, struct buffer *subject,
    struct manage_report *r)
{
	struct certificate c = {0};
	struct buffer text = {0};
	bool ok;

	ok = certificate_parse(buffer_octets(&ca->certificate), &c, &r->why) &&
	     append_organization(c.subject, &text, &r->why);
	/* A common name holds 64 characters. */
	buffer_append_format(&text, strlen(name) <= 56 ? "CN=%s SCEP RA" : "CN=%s", name);
	ok = ok && name_from_text(buffer_string(&text), subject, &r->why);
	buffer_free(&text);
	certificate_free(&c);
	return ok ? MANAGE_OK : MANAGE_FAULT;
}

enum manage_rc
manage_ra_make(struct manage *m, const char *profile, const char *kind,
    const struct authority_row *ca, struct ra_certificate_row *ra, struct manage_report *r)
{
	struct buffer subject = {0}, spki = {0};
	struct manage_certificate certificate = {0};
	struct manage_certificate_order order = {
	    .authority = ca,
	    .eku = "",
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
	    .validity_days = RA_VALIDITY_DAYS,
	    .own = true,
	};
	EVP_PKEY *key = NULL;
	enum manage_rc rc;

	memset(ra, 0, sizeof(*ra));
	if ((rc = make_subject(ca, profile, &subject, r)) != MANAGE_OK)
		goto out;
	rc = MANAGE_FAULT;
	if (!encoding_uuid(ra->id) || (key = private_key_generate(kind, &r->why)) == NULL ||
	    !private_key_spki(key, &spki, &r->why))
		goto out;
	order.subject = buffer_octets(&subject);
	order.spki = buffer_octets(&spki);
	if ((rc = manage_certificate_sign(m, &order, &certificate, r)) != MANAGE_OK)
		goto out;
	ra->certificate = certificate.der;
	ra->not_after = certificate.not_after;
	ra->created_at = clock_now();
	snprintf(ra->authority_id, sizeof(ra->authority_id), "%s", ca->id);
	rc = manage_key_save(m, key, "ra", ra->id, ra->key_file, r);

out:
	EVP_PKEY_free(key);
	buffer_free(&subject);
	buffer_free(&spki);
	return rc;
}
