/* keys.c: key files, and signing certificates outside enrolment. */
#include "fcgi-admin/manage/keys.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/private_key.h"

#define SECONDS_PER_DAY 86400
#define KEY_PATH	1024

static bool
key_path(const struct manage *m, const char *file, char path[KEY_PATH], struct errbuf *why)
{
	int n = snprintf(path, KEY_PATH, "%s/%s", m->settings->key_dir, file);

	if (n > 0 && n < KEY_PATH)
		return true;
	errbuf_set(why, "key file %s: its path is too long", file);
	return false;
}

enum manage_rc
manage_key_save(struct manage *m, EVP_PKEY *key, const char *prefix, const char *id,
    char file[MANAGE_KEY_FILE], struct manage_report *r)
{
	struct buffer passphrase = {0};
	char path[KEY_PATH];
	bool ok;

	snprintf(file, MANAGE_KEY_FILE, "%s-%s.key", prefix, id);
	ok = key_path(m, file, path, &r->why) &&
	     passphrase_read(m->settings->passphrase_file, &passphrase, &r->why) &&
	     private_key_save(key, path, buffer_octets(&passphrase), &r->why);
	if (ok && !manage_adopt(path, &r->why)) {
		(void)unlink(path);
		ok = false;
	}
	buffer_free(&passphrase);
	if (!ok)
		file[0] = '\0';
	return ok ? MANAGE_OK : MANAGE_FAULT;
}

void
manage_key_discard(struct manage *m, const char *file)
{
	char path[KEY_PATH];

	if (file[0] != '\0' && key_path(m, file, path, NULL))
		(void)unlink(path);
}

enum manage_rc
manage_signer_open(struct manage *m, const char *file, struct signer **out, struct manage_report *r)
{
	struct buffer passphrase = {0};
	char path[KEY_PATH];
	bool ok;

	*out = NULL;
	ok = key_path(m, file, path, &r->why) &&
	     passphrase_read(m->settings->passphrase_file, &passphrase, &r->why) &&
	     signer_open(path, buffer_octets(&passphrase), out, &r->why);
	buffer_free(&passphrase);
	return ok ? MANAGE_OK : MANAGE_FAULT;
}

/* Times and serial; no certificate outlives its CA. */
static enum manage_rc
fill_times(const struct manage_certificate_order *o, const struct certificate *ca,
    struct manage_certificate *out, struct manage_report *r)
{
	int64_t now = clock_now();

	if (now < ca->not_before || now >= ca->not_after)
		return manage_fail(r, MANAGE_CONFLICT, "the certificate of CA %s is not valid now",
		    o->authority->name);
	out->not_before = now - MANAGE_BACKDATE_S;
	if (out->not_before < ca->not_before)
		out->not_before = ca->not_before;
	out->not_after = now + o->validity_days * SECONDS_PER_DAY;
	if (out->not_after > ca->not_after)
		out->not_after = ca->not_after;
	if (RAND_bytes(out->serial, sizeof(out->serial)) != 1) {
		errbuf_ossl(&r->why, "serial number");
		return MANAGE_FAULT;
	}
	return MANAGE_OK;
}

static enum manage_rc
sign_with(struct signer *s, const struct manage_certificate_order *o, const struct certificate *ca,
    struct manage_certificate *out, struct manage_report *r)
{
	struct buffer eku = {0};
	struct certificate_fields f = {
	    .issuer = ca->subject,
	    .subject = o->subject,
	    .spki = o->spki,
	    .issuer_ski = ca->ski,
	    .path_length = -1,
	    .key_usage = o->key_usage,
	    .san = o->san,
	    .crl_url = o->own ? NULL : o->authority->crl_url,
	    .ocsp_url = o->own ? NULL : o->authority->ocsp_url,
	    .extra = o->extra,
	};
	enum manage_rc rc;
	bool ok;

	if ((rc = fill_times(o, ca, out, r)) != MANAGE_OK)
		return rc;
	memcpy(f.serial, out->serial, sizeof(f.serial));
	f.not_before = out->not_before;
	f.not_after = out->not_after;
	ok = eku_of_text(o->eku, &eku, &r->why);
	f.eku = buffer_octets(&eku);
	ok = ok && certificate_issue(&f, s, &out->der, &r->why);
	buffer_free(&eku);
	return ok ? MANAGE_OK : MANAGE_FAULT;
}

enum manage_rc
manage_certificate_sign(struct manage *m, const struct manage_certificate_order *o,
    struct manage_certificate *out, struct manage_report *r)
{
	struct certificate ca = {0};
	struct signer *signer = NULL;
	enum manage_rc rc = MANAGE_FAULT;

	memset(out, 0, sizeof(*out));
	if (strcmp(o->authority->state, "active") != 0 &&
	    (!o->own || strcmp(o->authority->state, "pending") == 0))
		return manage_fail(r, MANAGE_CONFLICT, "CA %s is %s: it has to be active to sign",
		    o->authority->name, o->authority->state);
	if (!certificate_parse(buffer_octets(&o->authority->certificate), &ca, &r->why))
		return MANAGE_FAULT;
	if ((rc = manage_signer_open(m, o->authority->key_file, &signer, r)) == MANAGE_OK)
		rc = sign_with(signer, o, &ca, out, r);
	signer_free(signer);
	certificate_free(&ca);
	if (rc != MANAGE_OK)
		buffer_free(&out->der);
	return rc;
}
