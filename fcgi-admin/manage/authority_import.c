/* authority_import.c: a CA's certificate that a root elsewhere signed, for a pending request or with a key of its own. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/responder.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/private_key.h"
#include "pki/signer.h"

/* The chain as parsed; certificates[0] is the CA's own. */
struct chain {
	struct certificate certificates[MANAGE_CHAIN_MAX];
	int count;
};

static void
chain_free(struct chain *c)
{
	for (int i = 0; i < c->count; i++)
		certificate_free(&c->certificates[i]);
	c->count = 0;
}

static enum manage_rc
chain_parse(const struct buffer *certificates, int count, struct chain *c, struct manage_report *r)
{
	struct errbuf why = {0};

	if (count < 1 || count > MANAGE_CHAIN_MAX) {
		manage_invalid(r, "certificate", "want 1 to %d certificates, the CA's first",
		    MANAGE_CHAIN_MAX);
		return manage_validity(r);
	}
	for (int i = 0; i < count; i++) {
		if (!certificate_parse(
			buffer_octets(&certificates[i]), &c->certificates[i], &why)) {
			manage_invalid(r, "certificate", "number %d: %s", i + 1, why.line);
			return manage_validity(r);
		}
		c->count = i + 1;
	}
	return MANAGE_OK;
}

/* Does the chain hold, and is its first certificate for this key? */
static enum manage_rc
chain_check(const struct chain *c, struct octets spki, struct manage_report *r)
{
	bool partial = !certificate_is_self_issued(&c->certificates[c->count - 1]);
	struct errbuf why = {0};

	if (!authority_check_chain(c->certificates, c->count, spki, clock_now(), partial, &why)) {
		manage_invalid(r, "certificate", "%s", why.line);
		return manage_validity(r);
	}
	if (partial)
		manage_warn(r, "the chain does not reach a root: clients get it as far as it goes");
	if (c->certificates[0].key_usage != -1 &&
	    (c->certificates[0].key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
		manage_warn(r,
		    "its keyUsage has no digitalSignature (RFC 8894 2.1.2): some clients may "
		    "refuse what it tells of the next CA (GetNextCACert)");
	return MANAGE_OK;
}

static void
fill_certificates(
    struct authority_row *row, const struct chain *c, const struct buffer *certificates)
{
	buffer_append(&row->certificate, certificates[0].data, certificates[0].len);
	for (int i = 1; i < c->count; i++)
		buffer_append(&row->chain, certificates[i].data, certificates[i].len);
	row->not_after = c->certificates[0].not_after;
}

enum manage_rc
manage_authority_take_chain(EVP_PKEY *key, const struct buffer *certificates, int count,
    struct authority_row *row, struct manage_report *r)
{
	struct chain chain = {.count = 0};
	struct buffer spki = {0};
	enum manage_rc rc = chain_parse(certificates, count, &chain, r);

	if (rc == MANAGE_OK)
		rc = private_key_spki(key, &spki, &r->why)
			 ? chain_check(&chain, buffer_octets(&spki), r)
			 : MANAGE_FAULT;
	if (rc == MANAGE_OK)
		fill_certificates(row, &chain, certificates);
	buffer_free(&spki);
	chain_free(&chain);
	return rc;
}

/* The signed chain of a request that waits here. */
static enum manage_rc
import_pending(struct manage *m, const struct manage_actor *by, const char *name,
    const struct buffer *certificates, int count, struct authority_row *out,
    struct manage_report *r)
{
	struct chain chain = {.count = 0};
	struct signer *signer = NULL;
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_authority_get(m, name, out, r)) != MANAGE_OK) {
		if (rc == MANAGE_NOT_FOUND)
			errbuf_set(&r->why,
			    "there is no CA %s: make its request first, or give its key", name);
		return rc;
	}
	if (strcmp(out->state, "pending") != 0)
		return manage_fail(r, MANAGE_CONFLICT, "CA %s is %s: it waits for no certificate",
		    name, out->state);
	if ((rc = manage_signer_open(m, out->key_file, &signer, r)) != MANAGE_OK)
		return rc;
	if ((rc = chain_parse(certificates, count, &chain, r)) == MANAGE_OK &&
	    (rc = chain_check(&chain, signer_spki(signer), r)) == MANAGE_OK)
		fill_certificates(out, &chain, certificates);
	signer_free(signer);
	chain_free(&chain);
	if (rc != MANAGE_OK)
		return rc;
	snprintf(out->state, sizeof(out->state), "active");
	e = manage_event(by, "authority.import", "authority", out->id);
	e.reason = "state: pending -> active";
	return manage_of_store(store_authority_activate(m->store, out, &e, &r->why), "CA", name, r);
}

/* A CA with a key that was made elsewhere. */
static enum manage_rc
import_new(struct manage *m, const struct manage_actor *by, const char *name, EVP_PKEY *key,
    const struct buffer *certificates, int count, struct authority_row *out,
    struct manage_report *r)
{
	struct audit_event e;
	enum manage_rc rc;

	if (!manage_is_name(name)) {
		manage_invalid(r, "name", "want 1 to 64 of A-Z a-z 0-9 . _ -, have \"%s\"", name);
		return manage_validity(r);
	}
	if ((rc = manage_authority_take_chain(key, certificates, count, out, r)) != MANAGE_OK)
		return rc;
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->state, sizeof(out->state), "active");
	out->created_at = clock_now();
	if ((rc = manage_key_save(m, key, "ca", out->id, out->key_file, r)) != MANAGE_OK)
		return rc;
	e = manage_event(by, "authority.import", "authority", out->id);
	e.reason = "with its key";
	rc = manage_of_store(store_authority_insert(m->store, out, &e, &r->why), "CA", name, r);
	if (rc != MANAGE_OK)
		manage_key_discard(m, out->key_file);
	return rc;
}

enum manage_rc
manage_authority_import(struct manage *m, const struct manage_actor *by, const char *name,
    EVP_PKEY *key, const struct buffer *certificates, int count, struct authority_row *out,
    struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) == MANAGE_OK)
		rc = key == NULL ? import_pending(m, by, name, certificates, count, out, r)
				 : import_new(m, by, name, key, certificates, count, out, r);
	if (rc != MANAGE_OK)
		authority_row_free(out);
	else
		manage_responder_make(m, by, out, r);
	return rc;
}
