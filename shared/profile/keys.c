/* keys.c: opening costs tens of milliseconds a file, so each is opened once. */
#include "profile/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/private_key.h"

/* One key file: opened as an RA's key, as a CA's, or as both. */
struct key_entry {
	char file[256];
	EVP_PKEY *private;
	struct signer *signer;
	struct key_entry *next;
};

struct profile_keys {
	char directory[SETTINGS_TEXT];
	char passphrase_file[SETTINGS_TEXT];
	struct key_entry *entries;
};

struct profile_keys *
profile_keys_new(const struct settings *s)
{
	struct profile_keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	memcpy(k->directory, s->key_dir, sizeof(k->directory));
	memcpy(k->passphrase_file, s->passphrase_file, sizeof(k->passphrase_file));
	return k;
}

void
profile_keys_free(struct profile_keys *k)
{
	struct key_entry *e, *next;

	if (k == NULL)
		return;
	for (e = k->entries; e != NULL; e = next) {
		next = e->next;
		EVP_PKEY_free(e->private);
		signer_free(e->signer);
		free(e);
	}
	free(k);
}

static struct key_entry *
entry(struct profile_keys *k, const char *file, struct errbuf *why)
{
	struct key_entry *e;

	for (e = k->entries; e != NULL; e = e->next)
		if (strcmp(e->file, file) == 0)
			return e;
	if ((e = calloc(1, sizeof(*e))) == NULL) {
		errbuf_set(why, "key %s: out of memory", file);
		return NULL;
	}
	snprintf(e->file, sizeof(e->file), "%s", file);
	e->next = k->entries;
	k->entries = e;
	return e;
}

static bool
open_entry(struct profile_keys *k, struct key_entry *e, bool as_signer, struct errbuf *why)
{
	struct buffer passphrase = {0};
	char path[SETTINGS_TEXT + 260];
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", k->directory, e->file);
	if (!passphrase_read(k->passphrase_file, &passphrase, why))
		return false;
	if (as_signer)
		ok = signer_open(path, buffer_octets(&passphrase), &e->signer, why);
	else
		ok = (e->private = private_key_load(path, buffer_octets(&passphrase), why)) != NULL;
	buffer_free(&passphrase);
	return ok;
}

EVP_PKEY *
profile_keys_private(struct profile_keys *k, const char *file, struct errbuf *why)
{
	struct key_entry *e = entry(k, file, why);

	if (e == NULL || (e->private == NULL && !open_entry(k, e, false, why)))
		return NULL;
	return e->private;
}

struct signer *
profile_keys_signer(struct profile_keys *k, const char *file, struct errbuf *why)
{
	struct key_entry *e = entry(k, file, why);

	if (e == NULL || (e->signer == NULL && !open_entry(k, e, true, why)))
		return NULL;
	return e->signer;
}
