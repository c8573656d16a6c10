/* authority.c: making, requesting and importing CAs. */
#include "fcgi-admin/manage/authority.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/responder.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "pki/signer.h"

#define SECONDS_PER_DAY	  86400
#define VALIDITY_DAYS_MAX 36500

static enum manage_rc
check_order(struct manage *m, const struct manage_authority_order *o, struct buffer *subject,
    struct authority_row *row, struct manage_report *r)
{
	struct errbuf why = {0};

	if (!manage_is_name(o->name))
		manage_invalid(
		    r, "name", "want 1 to 64 of A-Z a-z 0-9 . _ -, have \"%s\"", o->name);
	if (!name_from_text(o->subject, subject, &why))
		manage_invalid(r, "subject", "%s", why.line);
	else if (o->subject[0] == '\0')
		manage_invalid(r, "subject", "a CA needs one");
	manage_crl_url(m, o->name, o->crl_url != NULL ? o->crl_url : "", row->crl_url, r);
	manage_ocsp_url(m, o->name, o->ocsp_url != NULL ? o->ocsp_url : "", row->ocsp_url, r);
	if (o->validity_days < 1 || o->validity_days > VALIDITY_DAYS_MAX)
		manage_invalid(r, "days", "want 1 to %d", VALIDITY_DAYS_MAX);
	if (o->path_length < -1 || o->path_length > 16)
		manage_invalid(r, "pathLength", "want 0 to 16");
	return manage_validity(r);
}

/* A name is free as long as no row has it; the store's UNIQUE key decides in the end. */
static enum manage_rc
check_name_is_free(struct manage *m, const char *name, struct manage_report *r)
{
	struct authority_row row = {0};
	enum store_rc rc = store_authority_get(m->store, name, &row, &r->why);

	authority_row_free(&row);
	if (rc == STORE_NONE) {
		r->why.line[0] = '\0';
		return MANAGE_OK;
	}
	if (rc == STORE_OK)
		return manage_fail(r, MANAGE_CONFLICT, "there is a CA %s already", name);
	return MANAGE_AWAY;
}

/* A row with a key file of its own; on failure neither is left. */
static enum manage_rc
start_row(struct manage *m, const char *name, EVP_PKEY *key, struct authority_row *out,
    struct manage_report *r)
{
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->created_at = clock_now();
	return manage_key_save(m, key, "ca", out->id, out->key_file, r);
}

/* Generate the key, start the row and open the signer: what create and request share. */
static enum manage_rc
start_order(struct manage *m, const struct manage_authority_order *o, struct buffer *subject,
    struct authority_row *out, struct signer **signer, struct manage_report *r)
{
	struct errbuf why = {0};
	EVP_PKEY *key;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = check_order(m, o, subject, out, r)) != MANAGE_OK ||
	    (rc = manage_need_store(m, r)) != MANAGE_OK ||
	    (rc = check_name_is_free(m, o->name, r)) != MANAGE_OK)
		return rc;
	if ((key = private_key_generate(o->key, &why)) == NULL) {
		manage_invalid(r, "key", "%s", why.line);
		return manage_validity(r);
	}
	rc = start_row(m, o->name, key, out, r);
	EVP_PKEY_free(key);
	if (rc == MANAGE_OK)
		rc = manage_signer_open(m, out->key_file, signer, r);
	return rc;
}

/* Put the row into the store; what failed leaves no key file. */
static enum manage_rc
finish(struct manage *m, const struct manage_actor *by, const char *action, enum manage_rc rc,
    const char *reason, struct authority_row *out, struct manage_report *r)
{
	if (rc == MANAGE_OK) {
		struct audit_event e = manage_event(by, action, "authority", out->id);

		e.reason = reason;
		rc = manage_of_store(
		    store_authority_insert(m->store, out, &e, &r->why), "CA", out->name, r);
	}
	if (rc != MANAGE_OK) {
		manage_key_discard(m, out->key_file);
		authority_row_free(out);
	}
	return rc;
}

enum manage_rc
manage_authority_create(struct manage *m, const struct manage_actor *by,
    const struct manage_authority_order *o, struct authority_row *out, struct manage_report *r)
{
	struct buffer subject = {0};
	struct signer *signer = NULL;
	int64_t now = clock_now();
	char reason[512];
	enum manage_rc rc;

	rc = start_order(m, o, &subject, out, &signer, r);
	if (rc == MANAGE_OK) {
		out->not_after = now + o->validity_days * SECONDS_PER_DAY;
		snprintf(out->state, sizeof(out->state), "active");
		if (!authority_self_sign(signer, buffer_octets(&subject), now - MANAGE_BACKDATE_S,
			out->not_after, o->path_length, &out->certificate, &r->why))
			rc = MANAGE_FAULT;
	}
	snprintf(reason, sizeof(reason), "self-signed: %s, %s, %lld days", o->subject, o->key,
	    (long long)o->validity_days);
	rc = finish(m, by, "authority.create", rc, reason, out, r);
	if (rc == MANAGE_OK)
		manage_responder_make(m, by, out, r);
	signer_free(signer);
	buffer_free(&subject);
	return rc;
}

enum manage_rc
manage_authority_request(struct manage *m, const struct manage_actor *by,
    const struct manage_authority_order *o, struct authority_row *out, struct manage_report *r)
{
	struct buffer subject = {0};
	struct signer *signer = NULL;
	char reason[512];
	enum manage_rc rc;

	rc = start_order(m, o, &subject, out, &signer, r);
	if (rc == MANAGE_OK) {
		snprintf(out->state, sizeof(out->state), "pending");
		if (!authority_request(signer, buffer_octets(&subject), &out->request, &r->why))
			rc = MANAGE_FAULT;
	}
	snprintf(reason, sizeof(reason), "request: %s, %s", o->subject, o->key);
	rc = finish(m, by, "authority.request", rc, reason, out, r);
	signer_free(signer);
	buffer_free(&subject);
	return rc;
}

enum manage_rc
manage_authority_get(
    struct manage *m, const char *name, struct authority_row *out, struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	rc = manage_of_store(store_authority_get(m->store, name, out, &r->why), "CA", name, r);
	if (rc != MANAGE_OK)
		authority_row_free(out);
	return rc;
}

enum manage_rc
manage_authority_each(struct manage *m, bool (*row)(void *ctx, const struct authority_row *a),
    void *ctx, struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(store_authority_each(m->store, row, ctx, &r->why), "CA", "", r);
}

bool
manage_authority_next(struct octets *rest, struct octets *certificate)
{
	const unsigned char *at = rest->data;
	long len = 0;
	int tag, class, rc;

	if (rest->len == 0 || rest->len > LONG_MAX)
		return false;
	rc = ASN1_get_object(&at, &len, &tag, &class, (long)rest->len);
	if (rc != V_ASN1_CONSTRUCTED || tag != V_ASN1_SEQUENCE) {
		ERR_clear_error();
		return false;
	}
	*certificate = octets_of(rest->data, (size_t)(at - rest->data) + (size_t)len);
	*rest = octets_of(rest->data + certificate->len, rest->len - certificate->len);
	return true;
}
