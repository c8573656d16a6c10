/* anchor.c: adding, removing and listing the anchors of a profile. */
#include "fcgi-admin/manage/anchor.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/profile.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/public_key.h"

#define FINGERPRINT_DIGITS 64

static bool
fingerprint_of(struct octets der, char out[FINGERPRINT_DIGITS + 1])
{
	uint8_t digest[FINGERPRINT_DIGITS / 2];

	if (EVP_Digest(der.data, der.len, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	encoding_hex(octets_of(digest, sizeof(digest)), out);
	return true;
}

/* false where it is no certificate that can be read. */
static bool
describe(struct octets der, struct manage_anchor *out)
{
	struct certificate c = {0};
	struct buffer subject = {0};
	bool ok;

	memset(out, 0, sizeof(*out));
	out->certificate = der;
	ok = fingerprint_of(der, out->fingerprint) && certificate_parse(der, &c, NULL);
	if (ok && name_to_text(c.subject, &subject))
		snprintf(out->subject, sizeof(out->subject), "%s", buffer_string(&subject));
	out->not_before = c.not_before;
	out->not_after = c.not_after;
	certificate_free(&c);
	buffer_free(&subject);
	return ok;
}

/* A CA in its time, whose signatures can be verified here. */
static enum manage_rc
check(struct octets der, struct manage_report *r)
{
	struct certificate c = {0};
	struct public_key key = {0};
	struct errbuf why = {0};
	char until[ENCODING_TIME_SIZE];
	int64_t now = clock_now();

	if (!certificate_parse(der, &c, &why)) {
		manage_invalid(r, "certificate", "%s", why.line);
		return manage_validity(r);
	}
	encoding_time(c.not_after, until);
	if (!c.ca)
		manage_invalid(r, "certificate",
		    "is no CA's (basicConstraints): want the certificate that issues the devices'");
	else if (c.key_usage != -1 && (c.key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0)
		manage_invalid(r, "certificate", "may not sign certificates (keyCertSign)");
	else if (now >= c.not_after)
		manage_invalid(r, "certificate", "has ended: %s", until);
	else if (now < c.not_before)
		manage_invalid(r, "certificate", "is not valid yet");
	if (!public_key_parse(c.spki, &key, &why) || key.pkey == NULL)
		manage_invalid(r, "certificate", "has a key that is not known here: %s",
		    why.line[0] != '\0' ? why.line : key.name);
	public_key_free(&key);
	certificate_free(&c);
	return manage_validity(r);
}

enum manage_rc
manage_anchor_add(struct manage *m, const struct manage_actor *by, const char *profile,
    struct octets certificate, struct manage_anchor *out, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct anchor_row row = {0};
	struct audit_event e;
	char reason[1200];
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK ||
	    (rc = check(certificate, r)) != MANAGE_OK)
		return rc;
	if (!describe(certificate, out))
		return manage_fail(r, MANAGE_FAULT, "the certificate cannot be read");
	out->created_at = row.created_at = clock_now();
	memcpy(row.fingerprint, out->fingerprint, sizeof(row.fingerprint));
	buffer_append(&row.certificate, certificate.data, certificate.len);
	e = manage_event(by, "anchor.add", "profile", p.id);
	snprintf(reason, sizeof(reason), "SHA-256 %s: %s", out->fingerprint, out->subject);
	e.profile = p.name;
	e.reason = reason;
	rc = row.certificate.failed
		 ? manage_fail(r, MANAGE_FAULT, "out of memory")
		 : manage_of_store(store_anchor_insert(m->store, p.id, &row, &e, &r->why), "anchor",
		       out->fingerprint, r);
	buffer_free(&row.certificate);
	if (rc == MANAGE_OK)
		manage_warn(r,
		    "whoever has a certificate below %s enrols under profile %s, without a "
		    "challenge",
		    out->subject[0] != '\0' ? out->subject : out->fingerprint, p.name);
	return rc;
}

enum manage_rc
manage_anchor_remove(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *fingerprint, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	char plain[FINGERPRINT_DIGITS + 1];
	size_t len = 0;
	struct audit_event e;
	enum manage_rc rc;

	for (const char *at = fingerprint; *at != '\0' && len <= FINGERPRINT_DIGITS; at++) {
		if (*at == ':')
			continue;
		if (!isxdigit((unsigned char)*at) || len == FINGERPRINT_DIGITS)
			len = FINGERPRINT_DIGITS + 1;
		else
			plain[len++] = (char)tolower((unsigned char)*at);
	}
	if (len != FINGERPRINT_DIGITS) {
		manage_invalid(
		    r, "fingerprint", "want the %d digits of a SHA-256", FINGERPRINT_DIGITS);
		return manage_validity(r);
	}
	plain[len] = '\0';
	if ((rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK)
		return rc;
	e = manage_event(by, "anchor.remove", "profile", p.id);
	e.profile = p.name;
	e.reason = plain;
	return manage_of_store(
	    store_anchor_delete(m->store, p.id, plain, &e, &r->why), "anchor", plain, r);
}

struct each {
	bool (*row)(void *ctx, const struct manage_anchor *a);
	void *ctx;
};

static bool
tell(void *ctx, const struct anchor_row *row)
{
	struct each *each = ctx;
	struct manage_anchor a;

	(void)describe(buffer_octets(&row->certificate), &a);
	memcpy(a.fingerprint, row->fingerprint, sizeof(a.fingerprint));
	a.created_at = row->created_at;
	return each->row(each->ctx, &a);
}

enum manage_rc
manage_anchor_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct manage_anchor *a), void *ctx, struct manage_report *r)
{
	struct each each = {row, ctx};
	struct scep_profile_row p = {0};
	enum manage_rc rc;

	if ((rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_anchor_each(m->store, p.id, tell, &each, &r->why), "anchor", "", r);
}
