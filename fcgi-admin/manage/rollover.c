/* rollover.c: preparing the next generation of a CA. */
#include "fcgi-admin/manage/rollover.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/generation.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/ra_certificate.h"
#include "fcgi-admin/manage/responder.h"
#include "fcgi-admin/manage/served.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"

#define SECONDS_PER_DAY 86400
#define NAME_MOST	64

/* OLD-g2 behind OLD, OLD-g3 behind OLD-g2. */
static void
next_name(const char *old, int number, char out[65])
{
	char suffix[16];
	size_t len = strlen(old), digits = 0;

	while (digits < len && old[len - 1 - digits] >= '0' && old[len - 1 - digits] <= '9')
		digits++;
	if (number > 1 && digits > 0 && len > digits + 2 &&
	    strncmp(old + len - digits - 2, "-g", 2) == 0)
		len -= digits + 2;
	snprintf(suffix, sizeof(suffix), "-g%d", number + 1);
	if (len > NAME_MOST - strlen(suffix))
		len = NAME_MOST - strlen(suffix);
	snprintf(out, 65, "%.*s%s", (int)len, old, suffix);
}

/* The URL of the old one with the new one's name in it; false where it does not name it, and so is the same. */
static bool
next_url(const char *url, const char *before, const char *old, const char *after, const char *name,
    char out[256])
{
	char part[96];
	const char *at;
	int n;

	snprintf(out, 256, "%s", url);
	snprintf(part, sizeof(part), "%s%s%s", before, old, after);
	if (url[0] == '\0')
		return true;
	if ((at = strstr(url, part)) == NULL ||
	    (after[0] == '\0' && at[strlen(part)] != '\0' && at[strlen(part)] != '/'))
		return false;
	n = snprintf(
	    out, 256, "%.*s%s%s%s%s", (int)(at - url), url, before, name, after, at + strlen(part));
	return n > 0 && n < 256;
}

static void
set_urls(const struct authority_row *old, struct authority_row *next, struct manage_report *r)
{
	if (!next_url(old->crl_url, "/crl/", old->name, ".crl", next->name, next->crl_url))
		manage_warn(r,
		    "the CRL URL does not name the CA, and two CAs cannot share one: scepctl ca "
		    "set %s --crl-url URL",
		    next->name);
	if (!next_url(old->ocsp_url, "/ocsp/", old->name, "", next->name, next->ocsp_url))
		manage_warn(r,
		    "the OCSP URL does not name the CA: scepctl ca set %s --ocsp-url URL, if %s "
		    "answers elsewhere",
		    next->name, next->name);
}

/* --- its certificate --- */

static int
path_length(struct octets der)
{
	const unsigned char *at = der.data;
	X509 *x = d2i_X509(NULL, &at, (long)der.len);
	int length = x != NULL ? (int)X509_get_pathlen(x) : -1;

	X509_free(x);
	return length;
}

static enum manage_rc
self_sign(struct manage *m, const struct certificate *old, const struct manage_rollover_order *o,
    struct authority_row *next, struct manage_report *r)
{
	int64_t now = clock_now();
	int64_t life = o->validity_days > 0 ? o->validity_days * SECONDS_PER_DAY + MANAGE_BACKDATE_S
					    : old->not_after - old->not_before;
	struct buffer subject = {0};
	struct signer *signer = NULL;
	struct errbuf why = {0};
	enum manage_rc rc;

	if (o->subject == NULL)
		buffer_append(&subject, old->subject.data, old->subject.len);
	else if (!name_from_text(o->subject, &subject, &why))
		manage_invalid(r, "subject", "%s", why.line);
	else if (o->subject[0] == '\0')
		manage_invalid(r, "subject", "a CA needs one");
	next->not_after = now - MANAGE_BACKDATE_S + life;
	if ((rc = manage_validity(r)) == MANAGE_OK &&
	    (rc = manage_signer_open(m, next->key_file, &signer, r)) == MANAGE_OK &&
	    !authority_self_sign(signer, buffer_octets(&subject), now - MANAGE_BACKDATE_S,
		next->not_after, path_length(old->der), &next->certificate, &r->why))
		rc = MANAGE_FAULT;
	signer_free(signer);
	buffer_free(&subject);
	return rc;
}

/* The key, made here or elsewhere, in its file, and the certificate. */
static enum manage_rc
make_authority(struct manage *m, const struct certificate *old,
    const struct manage_rollover_order *o, const char *kind, struct authority_row *next,
    struct manage_report *r)
{
	struct errbuf why = {0};
	EVP_PKEY *key;
	enum manage_rc rc;

	if (o->own_key != NULL) {
		if ((rc = manage_authority_take_chain(
			 o->own_key, o->certificates, o->count, next, r)) != MANAGE_OK)
			return rc;
		return manage_key_save(m, o->own_key, "ca", next->id, next->key_file, r);
	}
	if ((key = private_key_generate(kind, &why)) == NULL) {
		manage_invalid(r, "key", "%s", why.line);
		return manage_validity(r);
	}
	rc = manage_key_save(m, key, "ca", next->id, next->key_file, r);
	EVP_PKEY_free(key);
	return rc == MANAGE_OK ? self_sign(m, old, o, next, r) : rc;
}

/* --- the RA certificates --- */

struct ras {
	struct ra_certificate_row *rows;
	struct next_ra *next;
	int count;
};

static void
ras_free(struct manage *m, struct ras *ras, bool discard)
{
	for (int i = 0; i < ras->count; i++) {
		if (discard)
			manage_key_discard(m, ras->rows[i].key_file);
		ra_certificate_row_free(&ras->rows[i]);
	}
	free(ras->rows);
	free(ras->next);
}

static enum manage_rc
make_ras(struct manage *m, const struct served *served, const struct authority_row *next,
    struct ras *ras, struct manage_report *r)
{
	enum manage_rc rc = MANAGE_OK;

	ras->rows = calloc((size_t)served->count + 1, sizeof(*ras->rows));
	ras->next = calloc((size_t)served->count + 1, sizeof(*ras->next));
	if (ras->rows == NULL || ras->next == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	for (int i = 0; rc == MANAGE_OK && i < served->count; i++) {
		const struct served_profile *p = &served->profiles[i];

		ras->next[i] = (struct next_ra){p->id, &ras->rows[i]};
		ras->count++;
		rc = manage_ra_make(m, p->name, p->ra_kind, next, &ras->rows[i], r);
	}
	return rc;
}

/* --- together --- */

/* May this CA have a next generation now? */
static enum manage_rc
check(struct manage *m, const struct authority_row *old, const struct served *served,
    const struct manage_rollover_order *o, const struct manage_generation *g,
    const struct certificate *c, struct manage_report *r)
{
	if (g->next[0] != '\0')
		return manage_fail(r, MANAGE_CONFLICT,
		    "CA %s has a next generation already, %s: scepctl ca switch %s, or ca "
		    "rollover-cancel %s",
		    old->name, g->next, old->name, old->name);
	if (o->own_key == NULL && !certificate_is_self_issued(c))
		return manage_fail(r, MANAGE_CONFLICT,
		    "CA %s is under a root elsewhere: have that sign the next one's key, and give "
		    "both: --certificate CHAIN.pem --key-file KEY.pem",
		    old->name);
	for (int i = 0; i < served->count; i++)
		if (served->profiles[i].has_next)
			return manage_fail(r, MANAGE_CONFLICT,
			    "profile %s has a next RA certificate: scepctl ra switch %s, or ra "
			    "cancel %s",
			    served->profiles[i].name, served->profiles[i].name,
			    served->profiles[i].name);
	if (o->validity_days < 0 || o->validity_days > 36500)
		manage_invalid(r, "days", "want 1 to 36500");
	if (o->name != NULL && !manage_is_name(o->name))
		manage_invalid(
		    r, "name", "want 1 to 64 of A-Z a-z 0-9 . _ -, have \"%s\"", o->name);
	(void)m;
	return manage_validity(r);
}

static enum manage_rc
commit(struct manage *m, const struct manage_actor *by, const struct authority_row *old,
    const struct authority_row *next, const struct served *served, const struct ras *ras,
    struct manage_report *r)
{
	struct audit_event e = manage_event(by, "authority.rollover", "authority", next->id);
	struct buffer reason = {0};
	enum manage_rc rc;

	buffer_append_format(&reason, "CA %s is to succeed CA %s; next RA certificates: %s",
	    next->name, old->name, served->count == 0 ? "none" : "");
	for (int i = 0; i < served->count; i++)
		buffer_append_format(&reason, "%s%s", i == 0 ? "" : ", ", served->profiles[i].name);
	e.reason = buffer_string(&reason);
	switch (store_rollover_prepare(m->store, next, ras->next, ras->count, &e, &r->why)) {
	case STORE_OK:
		rc = MANAGE_OK;
		break;
	case STORE_CONFLICT:
		rc = manage_fail(r, MANAGE_CONFLICT,
		    "there is a CA %s already, or CA %s got a next generation meanwhile",
		    next->name, old->name);
		break;
	case STORE_NONE:
		rc = manage_fail(r, MANAGE_CONFLICT, "CA %s or a profile is gone", old->name);
		break;
	default:
		rc = MANAGE_AWAY;
	}
	buffer_free(&reason);
	return rc;
}

static enum manage_rc
prepare(struct manage *m, const struct manage_actor *by, const struct manage_rollover_order *o,
    const struct authority_row *old, const struct served *served, struct authority_row *next,
    struct manage_report *r)
{
	struct manage_generation g;
	struct certificate c = {0};
	struct ras ras = {.count = 0};
	char kind[MANAGE_KEY_KIND] = "";
	enum manage_rc rc;

	if ((rc = manage_generation_read(m, old, &g, r)) != MANAGE_OK)
		return rc;
	if (!certificate_parse(buffer_octets(&old->certificate), &c, &r->why) ||
	    (o->key == NULL && !manage_key_kind(c.der, kind)) || !encoding_uuid(next->id)) {
		certificate_free(&c);
		return MANAGE_FAULT;
	}
	snprintf(next->state, sizeof(next->state), "next");
	memcpy(next->lineage, old->lineage, sizeof(next->lineage));
	memcpy(next->predecessor_id, old->id, sizeof(next->predecessor_id));
	next->created_at = clock_now();
	if (o->name != NULL)
		snprintf(next->name, sizeof(next->name), "%s", o->name);
	else
		next_name(old->name, g.number, next->name);
	if ((rc = check(m, old, served, o, &g, &c, r)) == MANAGE_OK &&
	    (rc = make_authority(m, &c, o, o->key != NULL ? o->key : kind, next, r)) == MANAGE_OK &&
	    (rc = make_ras(m, served, next, &ras, r)) == MANAGE_OK) {
		set_urls(old, next, r);
		rc = commit(m, by, old, next, served, &ras, r);
	}
	ras_free(m, &ras, rc != MANAGE_OK);
	certificate_free(&c);
	if (rc != MANAGE_OK)
		manage_key_discard(m, next->key_file);
	return rc;
}

enum manage_rc
manage_rollover_prepare(struct manage *m, const struct manage_actor *by,
    const struct manage_rollover_order *o, struct authority_row *out, int *profiles,
    struct manage_report *r)
{
	struct authority_row old = {0};
	struct served served = {.count = 0};
	enum manage_rc rc;

	*profiles = 0;
	memset(out, 0, sizeof(*out));
	if ((rc = manage_authority_get_active(m, o->authority, &old, r)) == MANAGE_OK &&
	    (rc = served_read(m, old.id, &served, r)) == MANAGE_OK &&
	    (rc = prepare(m, by, o, &old, &served, out, r)) == MANAGE_OK) {
		*profiles = served.count;
		manage_responder_make(m, by, out, r);
	}
	served_free(&served);
	authority_row_free(&old);
	if (rc != MANAGE_OK)
		authority_row_free(out);
	return rc;
}
