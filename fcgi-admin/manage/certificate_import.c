/* certificate_import.c: taking in certificates of another program. */
#include "fcgi-admin/manage/certificate_import.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/profile.h"
#include "fcgi-admin/manage/revocation.h"
#include "pki/asn1.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/name.h"

#define GENERATIONS_MAX 32
#define SERIAL_MAX	20 /* octets: RFC 5280 4.1.2.2 */

struct generation {
	char id[37];
	char name[65];
	struct certificate certificate;
};

struct manage_import {
	struct manage *m;
	struct manage_actor by;
	char profile_id[37];
	char profile[65];
	int64_t revoked_at;
	int reason;
	struct generation generations[GENERATIONS_MAX];
	int count;
	/* while they are read */
	const char *lineage;
	bool failed;
};

void
manage_import_close(struct manage_import *import)
{
	if (import == NULL)
		return;
	for (int i = 0; i < import->count; i++)
		certificate_free(&import->generations[i].certificate);
	free(import);
}

static bool
keep_generation(void *ctx, const struct authority_row *a)
{
	struct manage_import *import = ctx;
	struct generation *g = &import->generations[import->count];

	if (strcmp(a->lineage, import->lineage) != 0 || a->certificate.len == 0 ||
	    import->count == GENERATIONS_MAX)
		return true;
	if (!certificate_parse(buffer_octets(&a->certificate), &g->certificate, NULL)) {
		import->failed = true;
		return false;
	}
	memcpy(g->id, a->id, sizeof(g->id));
	memcpy(g->name, a->name, sizeof(g->name));
	import->count++;
	return true;
}

/* The CAs whose certificates may come in. */
static enum manage_rc
read_generations(struct manage_import *import, const char *authority, const char *own_authority,
    struct manage_report *r)
{
	struct authority_row named = {0}, own = {0};
	struct manage *m = import->m;
	enum manage_rc rc;

	rc = manage_of_store(
	    store_authority_get(m->store, own_authority, &own, &r->why), "CA", own_authority, r);
	import->lineage = own.lineage;
	if (rc == MANAGE_OK && authority == NULL) {
		rc = manage_of_store(
		    store_authority_each(m->store, keep_generation, import, &r->why), "CA", "", r);
	} else if (rc == MANAGE_OK &&
		   (rc = manage_of_store(store_authority_get(m->store, authority, &named, &r->why),
			"CA", authority, r)) == MANAGE_OK) {
		if (strcmp(named.lineage, own.lineage) != 0)
			manage_warn(r,
			    "CA %s is none of profile %s: its certificates can be revoked here, "
			    "but "
			    "not renewed",
			    named.name, import->profile);
		import->lineage = named.lineage;
		keep_generation(import, &named);
	}
	import->lineage = NULL;
	authority_row_free(&named);
	authority_row_free(&own);
	if (rc == MANAGE_OK && (import->failed || import->count == 0))
		return manage_fail(
		    r, MANAGE_CONFLICT, "the CA has no certificate that can be read");
	return rc;
}

enum manage_rc
manage_import_open(struct manage *m, const struct manage_actor *by,
    const struct manage_import_order *o, struct manage_import **out, struct manage_report *r)
{
	struct manage_import *import = calloc(1, sizeof(*import));
	struct manage_profile *p = calloc(1, sizeof(*p));
	enum manage_rc rc;

	*out = NULL;
	if (import == NULL || p == NULL)
		rc = manage_fail(r, MANAGE_FAULT, "out of memory");
	else
		rc = manage_profile_get(m, o->profile, p, r);
	if (rc == MANAGE_OK) {
		import->m = m;
		import->by = *by;
		memcpy(import->profile_id, p->scep.id, sizeof(import->profile_id));
		memcpy(import->profile, p->scep.name, sizeof(import->profile));
		import->revoked_at = o->revoked_at;
		if (o->reason != NULL)
			manage_reason_of_text(o->reason, &import->reason, r);
		if (o->reason != NULL && o->revoked_at == 0)
			manage_invalid(r, "reason", "goes with the time of a revocation");
		if (o->revoked_at < 0 || o->revoked_at > clock_now())
			manage_invalid(r, "revokedAt", "want a time that is past");
		rc = manage_validity(r);
	}
	if (rc == MANAGE_OK)
		rc = read_generations(import, o->authority, p->ra.authority_id, r);
	free(p);
	if (rc == MANAGE_OK)
		*out = import;
	else
		manage_import_close(import);
	return rc;
}

/* The subjectAltName as text; nothing where there is none. */
static bool
read_san(struct octets der, struct buffer *out)
{
	const unsigned char *at = der.data;
	X509 *x = d2i_X509(NULL, &at, (long)der.len);
	int i = x != NULL ? X509_get_ext_by_NID(x, NID_subject_alt_name, -1) : -1;
	bool ok = x != NULL;

	if (i >= 0) {
		const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(x, i));

		ok = san_to_text(asn1_string_octets(value), out);
	}
	X509_free(x);
	return ok;
}

/* Which of the CAs has signed it; NULL: none. */
static const struct generation *
issuer_of(const struct manage_import *import, const struct certificate *c)
{
	for (int i = 0; i < import->count; i++)
		if (certificate_verify(c, &import->generations[i].certificate, NULL))
			return &import->generations[i];
	return NULL;
}

/* The serial as the store keeps it, without sign octet. */
static bool
read_serial(const struct certificate *c, struct octets *out)
{
	struct octets serial = c->serial;

	if (serial.len == 0 || (serial.data[0] & 0x80) != 0)
		return false;
	if (serial.len > 1 && serial.data[0] == 0)
		serial = octets_of(serial.data + 1, serial.len - 1);
	*out = serial;
	return serial.len <= SERIAL_MAX;
}

static enum manage_rc
commit(struct manage_import *import, const struct certificate_import *row,
    const struct manage_imported *out, struct manage_report *r)
{
	char reason[96], id[UUID_SIZE] = "";
	uint8_t octets[16];
	struct audit_event e;

	if (strlen(out->serial) == 2 * sizeof(octets) &&
	    encoding_unhex(out->serial, octets, sizeof(octets)))
		encoding_uuid_of(octets, id);
	e = manage_event(
	    &import->by, "certificate.import", "certificate", id[0] != '\0' ? id : out->serial);
	snprintf(reason, sizeof(reason), "issued by CA %s%s", out->authority,
	    row->revoked_at != 0 ? "; revoked" : "");
	e.profile = import->profile;
	e.serial = out->serial;
	e.subject = out->subject;
	e.reason = reason;
	switch (store_certificate_import(import->m->store, row, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_CONFLICT:
		return manage_fail(r, MANAGE_CONFLICT, "certificate %s of CA %s is there already",
		    out->serial, out->authority);
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "CA %s or profile %s is gone",
		    out->authority, import->profile);
	default:
		return MANAGE_AWAY;
	}
}

static enum manage_rc
import_parsed(struct manage_import *import, const struct certificate *c,
    struct manage_imported *out, struct manage_report *r)
{
	const struct generation *issuer = NULL;
	struct buffer subject = {0}, san = {0};
	struct certificate_import row = {.certificate = c->der,
	    .scep_profile_id = import->profile_id,
	    .not_before = c->not_before,
	    .not_after = c->not_after,
	    .revoked_at = import->revoked_at,
	    .revocation_reason = import->reason,
	    .now = clock_now()};
	enum manage_rc rc;

	if (read_serial(c, &row.serial))
		manage_serial_text(row.serial, out->serial);
	else
		manage_invalid(r, "certificate",
		    "its serial number is not a positive one of 20 octets at most");
	if (name_to_text(c->subject, &subject))
		snprintf(out->subject, sizeof(out->subject), "%s", buffer_string(&subject));
	if (c->ca)
		manage_invalid(r, "certificate", "is a CA's: scepctl ca import");
	else if ((issuer = issuer_of(import, c)) == NULL)
		manage_invalid(r, "certificate", "is signed by none of the CAs in question");
	else
		memcpy(out->authority, issuer->name, sizeof(out->authority));
	if (!read_san(c->der, &san))
		manage_invalid(r, "certificate", "its subjectAltName cannot be read");
	if ((rc = manage_validity(r)) == MANAGE_OK) {
		row.authority_id = issuer->id;
		row.subject = out->subject;
		row.san = san.len > 0 ? buffer_string(&san) : NULL;
		rc = commit(import, &row, out, r);
	}
	buffer_free(&subject);
	buffer_free(&san);
	return rc;
}

enum manage_rc
manage_import_certificate(struct manage_import *import, struct octets der,
    struct manage_imported *out, struct manage_report *r)
{
	struct certificate c = {0};
	struct errbuf why = {0};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if (!certificate_parse(der, &c, &why)) {
		manage_invalid(r, "certificate", "%s", why.line);
		return manage_validity(r);
	}
	rc = import_parsed(import, &c, out, r);
	certificate_free(&c);
	return rc;
}
