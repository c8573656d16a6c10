#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/master_key.h"

#define KIND	     "scep-master-key-1"
#define ID_OCTETS    4
#define KEY_OCTETS   32
#define NONCE_OCTETS 12
#define TAG_OCTETS   16
#define LINE_SIZE    (sizeof(KIND " ") + 2 * (ID_OCTETS + KEY_OCTETS) + 3) /* with newline and NUL */

struct master_key {
	char id[2 * ID_OCTETS + 1];
	EVP_MAC_CTX *mac[MASTER_KEY_USES]; /* keyed; EVP_MAC_init() without a key starts it anew */
	EVP_CIPHER *gcm;
	uint8_t seal[KEY_OCTETS];
};

/* HKDF's info.  Never change one: what was derived with it would be lost. */
static const char *const labels[MASTER_KEY_USES] = {
    [MASTER_KEY_CHALLENGE] = "fcgi-scep 1 challenge",
    [MASTER_KEY_TOKEN] = "fcgi-scep 1 token",
    [MASTER_KEY_REPEAT] = "fcgi-scep 1 repeat",
    [MASTER_KEY_CHECK] = "fcgi-scep 1 check",
    [MASTER_KEY_AUDIT] = "fcgi-scep 1 audit",
    [MASTER_KEY_TRANSACTION] = "fcgi-scep 1 transaction",
};

static const char seal_label[] = "fcgi-scep 1 seal";

_Static_assert(NONCE_OCTETS + TAG_OCTETS == MASTER_KEY_SEAL_OVERHEAD, "what a seal adds");

/* The new file and its name are on the disk when this returns true: everything hangs on this one line. */
static bool
write_line(int fd, const char *path, const char *line, size_t len)
{
	char copy[PATH_MAX];
	int dir, rc;

	if (write(fd, line, len) != (ssize_t)len || fsync(fd) != 0)
		return false;
	snprintf(copy, sizeof(copy), "%s", path);
	if ((dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return false;
	rc = fsync(dir);
	close(dir);
	return rc == 0;
}

bool
master_key_create(const char *path, struct errbuf *why)
{
	uint8_t random[ID_OCTETS + KEY_OCTETS];
	char id[2 * ID_OCTETS + 1], key[2 * KEY_OCTETS + 1], line[LINE_SIZE];
	bool ok = false;
	int fd, n;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1) {
		errbuf_errno(why, "master key %s: cannot create", path);
		return false;
	}
	if (RAND_priv_bytes(random, sizeof(random)) != 1) {
		errbuf_ossl(why, "master key %s: no random octets", path);
		goto out;
	}
	encoding_hex(octets_of(random, ID_OCTETS), id);
	encoding_hex(octets_of(random + ID_OCTETS, KEY_OCTETS), key);
	n = snprintf(line, sizeof(line), KIND " %s %s\n", id, key);
	ok = write_line(fd, path, line, (size_t)n);
	if (!ok)
		errbuf_errno(why, "master key %s: cannot write", path);

out:
	close(fd);
	if (!ok)
		unlink(path);
	octets_wipe(random, sizeof(random));
	octets_wipe(key, sizeof(key));
	octets_wipe(line, sizeof(line));
	return ok;
}

/*
 * systemd may give a service its credential by an ACL on a file of root:root; the mask of the ACL then shows as the group's
 * permission to read, and that group is root's.
 */
static bool
is_credential(const char *path, const struct stat *st)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t len;

	if (dir == NULL || (len = strlen(dir)) == 0)
		return false;
	return strncmp(path, dir, len) == 0 && path[len] == '/' && st->st_uid == 0 &&
	       st->st_gid == 0 && (st->st_mode & 037) == 0;
}

/* The line of the file, which is the owner's alone to read. */
static bool
read_line(const char *path, char line[LINE_SIZE + 1], struct errbuf *why)
{
	struct stat st;
	ssize_t n = -1;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		errbuf_errno(why, "master key %s: cannot open", path);
		return false;
	}
	if (fstat(fd, &st) != 0) {
		errbuf_errno(why, "master key %s", path);
	} else if (!S_ISREG(st.st_mode)) {
		errbuf_set(why, "master key %s: want a regular file", path);
	} else if ((st.st_mode & 077) != 0 && !is_credential(path, &st)) {
		errbuf_set(why, "master key %s: have mode %04o, want 0600 or 0400", path,
		    (unsigned)st.st_mode & 07777);
	} else if ((n = read(fd, line, LINE_SIZE)) < 0) {
		errbuf_errno(why, "master key %s: cannot read", path);
	}
	close(fd);
	if (n < 0)
		return false;
	line[n] = '\0';
	return true;
}

/* "KIND ID KEY", with or without its newline; nothing else. */
static bool
parse_line(char *line, char id[2 * ID_OCTETS + 1], uint8_t key[KEY_OCTETS])
{
	static const size_t kind = sizeof(KIND " ") - 1;
	uint8_t id_octets[ID_OCTETS];
	char *rest = line + kind;

	if (strncmp(line, KIND " ", kind) != 0)
		return false;
	rest[strcspn(rest, "\n")] = '\0';
	if (strlen(rest) != 2 * ID_OCTETS + 1 + 2 * KEY_OCTETS || rest[2 * ID_OCTETS] != ' ')
		return false;
	rest[2 * ID_OCTETS] = '\0';
	if (!encoding_unhex(rest, id_octets, ID_OCTETS))
		return false;
	encoding_hex(octets_of(id_octets, ID_OCTETS), id);
	return encoding_unhex(rest + 2 * ID_OCTETS + 1, key, KEY_OCTETS);
}

/* HKDF-SHA-256 without salt; the use's label is the info. */
static bool
derive(EVP_KDF *hkdf, const uint8_t key[KEY_OCTETS], const char *label, uint8_t out[KEY_OCTETS])
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf);
	OSSL_PARAM params[4];
	bool ok;

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, KEY_OCTETS);
	params[2] =
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)label, strlen(label));
	params[3] = OSSL_PARAM_construct_end();
	ok = ctx != NULL && EVP_KDF_derive(ctx, out, KEY_OCTETS, params) == 1;
	EVP_KDF_CTX_free(ctx);
	return ok;
}

static EVP_MAC_CTX *
keyed_mac(EVP_MAC *hmac, const uint8_t key[KEY_OCTETS])
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
	OSSL_PARAM params[2];

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
	params[1] = OSSL_PARAM_construct_end();
	if (ctx == NULL || EVP_MAC_init(ctx, key, KEY_OCTETS, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* All keys that will be needed, once. */
static bool
derive_all(struct master_key *k, const uint8_t key[KEY_OCTETS])
{
	EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	uint8_t derived[KEY_OCTETS];
	bool ok = hkdf != NULL && hmac != NULL;

	for (int use = 0; ok && use < MASTER_KEY_USES; use++)
		ok = derive(hkdf, key, labels[use], derived) &&
		     (k->mac[use] = keyed_mac(hmac, derived)) != NULL;
	ok = ok && derive(hkdf, key, seal_label, k->seal) &&
	     (k->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) != NULL;
	octets_wipe(derived, sizeof(derived));
	EVP_MAC_free(hmac);
	EVP_KDF_free(hkdf);
	return ok;
}

bool
master_key_load(const char *path, struct master_key **out, struct errbuf *why)
{
	char line[LINE_SIZE + 1];
	uint8_t key[KEY_OCTETS];
	struct master_key *k;
	bool ok = false;

	*out = NULL;
	if ((k = calloc(1, sizeof(*k))) == NULL) {
		errbuf_set(why, "master key %s: out of memory", path);
		return false;
	}
	if (!read_line(path, line, why))
		goto out;
	if (!parse_line(line, k->id, key)) {
		errbuf_set(
		    why, "master key %s: want the line \"" KIND " ID KEY\" (scepctl init)", path);
		goto out;
	}
	if (!derive_all(k, key)) {
		errbuf_ossl(why, "master key %s: cannot derive", path);
		goto out;
	}
	*out = k;
	k = NULL;
	ok = true;

out:
	octets_wipe(line, sizeof(line));
	octets_wipe(key, sizeof(key));
	master_key_free(k);
	return ok;
}

void
master_key_free(struct master_key *k)
{
	if (k == NULL)
		return;
	for (int use = 0; use < MASTER_KEY_USES; use++)
		EVP_MAC_CTX_free(k->mac[use]);
	EVP_CIPHER_free(k->gcm);
	octets_wipe(k, sizeof(*k));
	free(k);
}

const char *
master_key_id(const struct master_key *k)
{
	return k->id;
}

bool
master_key_mac(const struct master_key *k, enum master_key_use use, const struct octets *parts,
    int count, uint8_t out[MASTER_KEY_MAC])
{
	EVP_MAC_CTX *ctx = k->mac[use];
	size_t len = 0;
	bool ok = EVP_MAC_init(ctx, NULL, 0, NULL) == 1;

	for (int i = 0; ok && i < count; i++) {
		size_t n = parts[i].len;
		uint8_t length[4] = {
		    (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

		ok = n <= UINT32_MAX && EVP_MAC_update(ctx, length, sizeof(length)) == 1 &&
		     (n == 0 || EVP_MAC_update(ctx, parts[i].data, n) == 1);
	}
	ok = ok && EVP_MAC_final(ctx, out, &len, MASTER_KEY_MAC) == 1 && len == MASTER_KEY_MAC;
	if (!ok)
		memset(out, 0, MASTER_KEY_MAC);
	return ok;
}

/* out has room for nonce, ciphertext and tag. */
static bool
encrypt(const struct master_key *k, struct octets context, struct octets secret, uint8_t *out)
{
	uint8_t *text = out + NONCE_OCTETS, *tag = text + secret.len;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok;
	int n;

	ok = ctx != NULL && context.len <= INT_MAX && RAND_bytes(out, NONCE_OCTETS) == 1 &&
	     EVP_EncryptInit_ex2(ctx, k->gcm, k->seal, out, NULL) == 1 &&
	     (context.len == 0 ||
		 EVP_EncryptUpdate(ctx, NULL, &n, context.data, (int)context.len) == 1) &&
	     (secret.len == 0 ||
		 EVP_EncryptUpdate(ctx, text, &n, secret.data, (int)secret.len) == 1) &&
	     EVP_EncryptFinal_ex(ctx, tag, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_OCTETS, tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* sealed has a nonce and a tag at least; out has room for what lies between them. */
static bool
decrypt(const struct master_key *k, struct octets context, struct octets sealed, uint8_t *out)
{
	size_t len = sealed.len - MASTER_KEY_SEAL_OVERHEAD;
	const uint8_t *text = sealed.data + NONCE_OCTETS;
	uint8_t tag[TAG_OCTETS], none[1];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok;
	int n;

	memcpy(tag, text + len, sizeof(tag));
	ok = ctx != NULL && context.len <= INT_MAX &&
	     EVP_DecryptInit_ex2(ctx, k->gcm, k->seal, sealed.data, NULL) == 1 &&
	     (context.len == 0 ||
		 EVP_DecryptUpdate(ctx, NULL, &n, context.data, (int)context.len) == 1) &&
	     (len == 0 || EVP_DecryptUpdate(ctx, out, &n, text, (int)len) == 1) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_OCTETS, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, none, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
master_key_seal(const struct master_key *k, struct octets context, struct octets secret,
    struct buffer *out, struct errbuf *why)
{
	size_t len = secret.len + MASTER_KEY_SEAL_OVERHEAD;
	uint8_t *sealed = NULL;
	bool ok = false;

	if (secret.len > INT_MAX - MASTER_KEY_SEAL_OVERHEAD || (sealed = malloc(len)) == NULL) {
		errbuf_set(why, "seal: out of memory");
		return false;
	}
	if (!encrypt(k, context, secret, sealed)) {
		errbuf_ossl(why, "seal: AES-256-GCM");
		goto out;
	}
	buffer_append(out, sealed, len);
	ok = !out->failed;
	if (!ok)
		errbuf_set(why, "seal: out of memory");

out:
	octets_wipe(sealed, len);
	free(sealed);
	return ok;
}

bool
master_key_unseal(const struct master_key *k, struct octets context, struct octets sealed,
    struct buffer *out, struct errbuf *why)
{
	uint8_t *secret;
	size_t len;
	bool ok;

	if (sealed.len < MASTER_KEY_SEAL_OVERHEAD || sealed.len > INT_MAX) {
		errbuf_set(why, "unseal: have %zu octets, want >= %d", sealed.len,
		    MASTER_KEY_SEAL_OVERHEAD);
		return false;
	}
	len = sealed.len - MASTER_KEY_SEAL_OVERHEAD;
	/* An octet more: malloc(0) may give NULL. */
	if ((secret = malloc(len + 1)) == NULL) {
		errbuf_set(why, "unseal: out of memory");
		return false;
	}
	ok = decrypt(k, context, sealed, secret);
	if (!ok)
		errbuf_set(why,
		    "unseal: sealed by another master key (this is %s), for something "
		    "else, or changed since",
		    k->id);
	if (ok) {
		buffer_append(out, secret, len);
		if ((ok = !out->failed) == false)
			errbuf_set(why, "unseal: out of memory");
	}
	octets_wipe(secret, len);
	free(secret);
	return ok;
}
