/* server_certificate.c: a TLS certificate for the server in front, from one of our CAs. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/keys.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "store/certificate_row.h"

#define COMMON_NAME_MAX 64 /* RFC 5280, ub-common-name */
#define DAYS_MAX	825

void
manage_server_certificate_free(struct manage_server_certificate *c)
{
	EVP_PKEY_free(c->key);
	buffer_free(&c->certificate);
	buffer_free(&c->chain);
	memset(c, 0, sizeof(*c));
}

/* "dns:a,dns:b,ip:c" from two comma-separated lists; characters that have no place in them are refused. */
static bool
append_names(struct buffer *text, const char *prefix, const char *list)
{
	const char *at = list;

	if (at == NULL)
		return true;
	while (*at != '\0') {
		size_t len = strcspn(at, ",");

		if (len == 0)
			return false;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)at[i]) && strchr(".-_*:", at[i]) == NULL)
				return false;
		buffer_append_format(
		    text, "%s%s:%.*s", text->len > 0 ? "," : "", prefix, (int)len, at);
		at += len;
		if (*at == ',' && *++at == '\0')
			return false;
	}
	return true;
}

static enum manage_rc
make_names(const char *dns, const char *ip, struct buffer *subject, struct buffer *san,
    struct manage_report *r)
{
	struct buffer text = {0};
	struct errbuf why = {0};
	const char *first = dns != NULL && dns[0] != '\0' ? dns : ip;
	char name[COMMON_NAME_MAX + 8];
	size_t len;

	if (first == NULL || first[0] == '\0') {
		manage_invalid(r, "dns", "give a DNS name, an IP address, or both");
		return manage_validity(r);
	}
	if (!append_names(&text, "dns", dns))
		manage_invalid(r, "dns", "want names separated by commas, have \"%s\"", dns);
	else if (!append_names(&text, "ip", ip))
		manage_invalid(r, "ip", "want addresses separated by commas, have \"%s\"", ip);
	else if (!san_from_text(buffer_string(&text), san, &why))
		manage_invalid(r, "ip", "%s", why.line);
	buffer_free(&text);
	if (r->fault_count > 0)
		return manage_validity(r);
	/* A longer name stands in the SAN alone, which TLS looks at anyway. */
	len = strcspn(first, ",");
	snprintf(name, sizeof(name), "CN=%.*s", len <= COMMON_NAME_MAX ? (int)len : 0, first);
	if (!name_from_text(len <= COMMON_NAME_MAX ? name : "", subject, &r->why))
		return MANAGE_FAULT;
	return MANAGE_OK;
}

static enum manage_rc
commit(struct manage *m, const struct manage_actor *by, const struct authority_row *ca,
    struct octets subject, struct octets san, const struct manage_certificate *c,
    struct manage_report *r)
{
	struct buffer subject_text = {0}, san_text = {0};
	char serial[33], id[UUID_SIZE];
	struct audit_event e;
	struct enrolment enrolment = {
	    .serial = octets_of(c->serial, sizeof(c->serial)),
	    .authority_id = ca->id,
	    .certificate = buffer_octets(&c->der),
	    .not_before = c->not_before,
	    .not_after = c->not_after,
	    .purpose = "server",
	    .now = c->not_before,
	    .event = &e,
	};
	enum enrolment_conflict what = ENROLMENT_NO_CONFLICT;
	enum manage_rc rc = MANAGE_FAULT;

	encoding_hex(octets_of(c->serial, sizeof(c->serial)), serial);
	encoding_uuid_of(c->serial, id);
	e = manage_event(by, "certificate.issue", "certificate", id);
	if (name_to_text(subject, &subject_text) && san_to_text(san, &san_text)) {
		enrolment.subject = buffer_string(&subject_text);
		enrolment.san = buffer_string(&san_text);
		enrolment.now = e.time_ms / 1000;
		e.serial = serial;
		e.subject = enrolment.subject;
		e.stage = "issued";
		e.key_type = "EC P-256";
		e.reason = "TLS server certificate";
		rc = manage_of_store(store_commit_enrolment(m->store, &enrolment, &what, &r->why),
		    "certificate", serial, r);
	}
	buffer_free(&subject_text);
	buffer_free(&san_text);
	return rc;
}

/* What a TLS server sends beside its own certificate: the CA and those above it, but no root. */
static void
append_chain(const struct authority_row *ca, struct buffer *out)
{
	struct octets parts[2] = {buffer_octets(&ca->certificate), buffer_octets(&ca->chain)};
	struct octets der;

	for (int i = 0; i < 2; i++) {
		while (manage_authority_next(&parts[i], &der)) {
			struct certificate c = {0};

			if (!certificate_parse(der, &c, NULL))
				return;
			if (!certificate_is_self_issued(&c))
				buffer_append(out, der.data, der.len);
			certificate_free(&c);
		}
	}
}

static enum manage_rc
sign(struct manage *m, const struct manage_actor *by, const struct authority_row *ca,
    struct octets subject, struct octets san, int64_t validity_days,
    struct manage_server_certificate *out, struct manage_report *r)
{
	struct manage_certificate c = {0};
	struct buffer spki = {0};
	struct manage_certificate_order o = {
	    .authority = ca,
	    .subject = subject,
	    .san = san,
	    .eku = "serverAuth",
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
	    .validity_days = validity_days,
	};
	enum manage_rc rc = MANAGE_FAULT;

	out->key = private_key_generate("ec:P-256", &r->why);
	if (out->key != NULL && private_key_spki(out->key, &spki, &r->why)) {
		o.spki = buffer_octets(&spki);
		rc = manage_certificate_sign(m, &o, &c, r);
	}
	buffer_free(&spki);
	if (rc == MANAGE_OK)
		rc = commit(m, by, ca, subject, san, &c, r);
	if (rc != MANAGE_OK) {
		buffer_free(&c.der);
		return rc;
	}
	out->certificate = c.der;
	out->not_after = c.not_after;
	encoding_hex(octets_of(c.serial, sizeof(c.serial)), out->serial);
	append_chain(ca, &out->chain);
	return MANAGE_OK;
}

enum manage_rc
manage_authority_server_certificate(struct manage *m, const struct manage_actor *by,
    const char *name, const char *dns, const char *ip, int64_t validity_days,
    struct manage_server_certificate *out, struct manage_report *r)
{
	struct authority_row ca = {0};
	struct buffer subject = {0}, san = {0};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if (validity_days < 1 || validity_days > DAYS_MAX) {
		manage_invalid(r, "days", "want 1 to %d", DAYS_MAX);
		return manage_validity(r);
	}
	if ((rc = manage_authority_get(m, name, &ca, r)) == MANAGE_OK &&
	    (rc = make_names(dns, ip, &subject, &san, r)) == MANAGE_OK)
		rc = sign(m, by, &ca, buffer_octets(&subject), buffer_octets(&san), validity_days,
		    out, r);
	buffer_free(&subject);
	buffer_free(&san);
	authority_row_free(&ca);
	if (rc != MANAGE_OK)
		manage_server_certificate_free(out);
	return rc;
}
