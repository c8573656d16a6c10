/* ocsp_responder.c: making the certificate of an OCSP responder. */
#include "issue/ocsp_responder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"

#define BACKDATE_S 300 /* clients' clocks are late */
#define LIFE_S	   (ISSUE_RESPONDER_DAYS * 86400)
#define KEY_PATH   1024

bool
issue_responder_due(int64_t not_after, int64_t authority_not_after, int64_t now)
{
	if (now >= authority_not_after)
		return false;
	if (not_after <= now)
		return true;
	return not_after < authority_not_after && not_after - now < LIFE_S / 3;
}

/* What the certificate says, signed. */
static bool
sign(const struct authority_row *ca, struct signer *signer, struct octets spki, int64_t now,
    struct ocsp_responder_row *out, struct errbuf *why)
{
	struct certificate issuer = {0};
	struct buffer subject = {0}, eku = {0};
	struct certificate_fields f = {
	    .spki = spki,
	    .not_before = now - BACKDATE_S,
	    .not_after = now + LIFE_S,
	    .path_length = -1,
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
	    .extra = certificate_ocsp_nocheck,
	};
	char name[80];
	bool ok;

	/* A common name holds 64 characters. */
	snprintf(name, sizeof(name), strlen(ca->name) <= 50 ? "CN=%s OCSP responder" : "CN=%s",
	    ca->name);
	ok = certificate_parse(buffer_octets(&ca->certificate), &issuer, why) &&
	     name_from_text(name, &subject, why) && eku_of_text("OCSPSigning", &eku, why);
	f.subject = buffer_octets(&subject);
	f.eku = buffer_octets(&eku);
	ok = ok && authority_issue(&issuer, signer, &f, &out->certificate, why);
	out->not_after = f.not_after;
	buffer_free(&subject);
	buffer_free(&eku);
	certificate_free(&issuer);
	return ok;
}

/* The key into its file; *path gets the whole name of it. */
static bool
save(const struct settings *s, EVP_PKEY *key, const char *file, char path[KEY_PATH],
    struct errbuf *why)
{
	struct buffer passphrase = {0};
	int n = snprintf(path, KEY_PATH, "%s/%s", s->key_dir, file);
	bool ok = n > 0 && n < KEY_PATH;

	if (!ok)
		errbuf_set(why, "key file %s: its path is too long", file);
	ok = ok && passphrase_read(s->passphrase_file, &passphrase, why) &&
	     private_key_save(key, path, buffer_octets(&passphrase), why);
	buffer_free(&passphrase);
	return ok;
}

static enum store_rc
commit(struct store *st, const struct authority_row *ca, const char *actor, int64_t now,
    const struct ocsp_responder_row *row, struct errbuf *why)
{
	char reason[96], end[ENCODING_TIME_SIZE];
	struct audit_event e = {
	    .time_ms = now * 1000,
	    .actor = actor,
	    .action = "authority.ocspResponder",
	    .resource_type = "authority",
	    .resource_id = ca->id,
	    .outcome = "success",
	    .reason = reason,
	    .count = 1,
	};

	encoding_time(row->not_after, end);
	snprintf(reason, sizeof(reason), "OCSP responder until %s", end);
	return store_ocsp_responder_insert(st, row, &e, why);
}

enum store_rc
issue_responder(struct store *st, const struct settings *s, const struct authority_row *ca,
    struct signer *signer, const char *actor, int64_t now, struct ocsp_responder_row *out,
    struct errbuf *why)
{
	const char *kind = signer_key_type(signer) == PKI_KEY_RSA ? "rsa:2048" : "ec:P-256";
	EVP_PKEY *key = private_key_generate(kind, why);
	struct buffer spki = {0};
	char path[KEY_PATH] = "";
	enum store_rc rc = STORE_AWAY;

	memset(out, 0, sizeof(*out));
	if (key == NULL || !private_key_spki(key, &spki, why))
		goto out;
	if (!encoding_uuid(out->id)) {
		errbuf_set(why, "OCSP responder: no random octets for an id");
		goto out;
	}
	memcpy(out->authority_id, ca->id, sizeof(out->authority_id));
	snprintf(out->key_file, sizeof(out->key_file), "ocsp-%s.key", out->id);
	out->created_at = now;
	if (!sign(ca, signer, buffer_octets(&spki), now, out, why) ||
	    !save(s, key, out->key_file, path, why))
		goto out;
	rc = commit(st, ca, actor, now, out, why);
	if (rc != STORE_OK)
		(void)unlink(path);

out:
	if (rc != STORE_OK)
		ocsp_responder_row_free(out);
	EVP_PKEY_free(key);
	buffer_free(&spki);
	return rc;
}
