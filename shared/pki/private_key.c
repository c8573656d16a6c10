#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.h"
#include "pki/private_key.h"

#define PBKDF2_ITERATIONS 100000
#define SALT_OCTETS	  16
#define RSA_BITS_MIN	  1024
#define RSA_BITS_MAX	  8192
#define FILE_MAX	  65536
#define PASSPHRASE_MAX	  1024
#define PASSPHRASE_OCTETS 32 /* of randomness in one that we create */

EVP_PKEY *
private_key_generate(const char *kind, struct errbuf *why)
{
	EVP_PKEY *key = NULL;
	char *end;

	if (strncmp(kind, "rsa:", 4) == 0) {
		unsigned long bits = strtoul(kind + 4, &end, 10);

		if (kind[4] < '1' || kind[4] > '9' || *end != '\0' || bits < RSA_BITS_MIN ||
		    bits > RSA_BITS_MAX || bits % 8 != 0)
			goto unknown;
		key = EVP_RSA_gen(bits);
	} else if (strcmp(kind, "ec:P-256") == 0 || strcmp(kind, "ec:P-384") == 0 ||
		   strcmp(kind, "ec:P-521") == 0) {
		key = EVP_EC_gen(kind + 3);
	} else {
		goto unknown;
	}
	if (key == NULL)
		errbuf_ossl(why, "key: cannot generate %s", kind);
	return key;

unknown:
	errbuf_set(why,
	    "key: have '%s', want rsa:2048, rsa:3072, rsa:4096, ec:P-256, ec:P-384 or "
	    "ec:P-521",
	    kind);
	return NULL;
}

/* PBES2 of RFC 8018 with PBKDF2-HMAC-SHA-256 and AES-256-CBC; NULL when OpenSSL cannot. */
static X509_SIG *
encrypt_pkcs8(PKCS8_PRIV_KEY_INFO *plain, struct octets passphrase)
{
	X509_ALGOR *pbes2 = PKCS5_pbe2_set_iv(
	    EVP_aes_256_cbc(), PBKDF2_ITERATIONS, NULL, SALT_OCTETS, NULL, NID_hmacWithSHA256);
	X509_SIG *sealed;

	if (pbes2 == NULL)
		return NULL;
	sealed = PKCS8_set0_pbe((const char *)passphrase.data, (int)passphrase.len, plain, pbes2);
	if (sealed == NULL)
		X509_ALGOR_free(pbes2);
	return sealed;
}

/* The whole text of the file, in a BIO whose memory is wiped when freed. */
static BIO *
pkcs8_pem(EVP_PKEY *key, struct octets passphrase, struct errbuf *why)
{
	BIO *text = BIO_new(BIO_s_secmem());
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	X509_SIG *sealed = NULL;
	bool ok = false;

	if (text != NULL && plain != NULL) {
		if (passphrase.len == 0) {
			ok = PEM_write_bio_PKCS8_PRIV_KEY_INFO(text, plain) == 1;
		} else if ((sealed = encrypt_pkcs8(plain, passphrase)) != NULL) {
			ok = PEM_write_bio_PKCS8(text, sealed) == 1;
		}
	}
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain);
	if (!ok) {
		errbuf_ossl(why, "key: cannot encode PKCS#8");
		BIO_free(text);
		return NULL;
	}
	return text;
}

/* So that the name, too, is on the disk. */
static void
sync_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash == NULL	  ? strdup(".")
			  : slash == path ? strdup("/")
					  : strndup(path, (size_t)(slash - path));
	int fd;

	if (directory == NULL)
		return;
	if ((fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
		fsync(fd);
		close(fd);
	}
	free(directory);
}

/* A new file of mode 0600 with these octets, synced; removed again when it cannot be written whole. */
static bool
create_file(const char *path, struct octets text, struct errbuf *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t written = 0;
	ssize_t n;

	if (fd < 0) {
		errbuf_errno(why, "%s: cannot create", path);
		return false;
	}
	while (written < text.len) {
		n = write(fd, text.data + written, text.len - written);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			goto fail;
		written += (size_t)n;
	}
	if (fchmod(fd, 0600) != 0 || fsync(fd) != 0)
		goto fail;
	if (close(fd) != 0) {
		fd = -1;
		goto fail;
	}
	sync_directory_of(path);
	return true;

fail:
	errbuf_errno(why, "%s: cannot write", path);
	if (fd >= 0)
		close(fd);
	unlink(path);
	return false;
}

bool
private_key_save(EVP_PKEY *key, const char *path, struct octets passphrase, struct errbuf *why)
{
	BIO *text;
	char *at = NULL;
	long len;
	bool ok;

	if (passphrase.len > PASSPHRASE_MAX) {
		errbuf_set(
		    why, "passphrase: have %zu octets, want <= %d", passphrase.len, PASSPHRASE_MAX);
		return false;
	}
	if ((text = pkcs8_pem(key, passphrase, why)) == NULL)
		return false;
	len = BIO_get_mem_data(text, &at);
	ok = create_file(path, octets_of(at, (size_t)len), why);
	BIO_free(text);
	return ok;
}

/*
 * The octets of a regular file of at most max octets that others cannot read.  Group may, where group_of_root is set and the file
 * is root's: so systemd hands over credentials.
 */
static bool
read_private_file(
    const char *path, size_t max, bool group_of_root, struct buffer *out, struct errbuf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	uint8_t chunk[4096];
	struct stat st;
	ssize_t n = 0;
	mode_t open_to;

	if (fd < 0 || fstat(fd, &st) != 0) {
		errbuf_errno(why, "%s: cannot open", path);
		goto fail;
	}
	open_to = st.st_mode & 077;
	if (group_of_root && st.st_uid == 0)
		open_to &= (mode_t)~040U;
	if (!S_ISREG(st.st_mode) || open_to != 0) {
		errbuf_set(why, "%s: have mode %04o, want a regular file of mode 0600", path,
		    (unsigned)(st.st_mode & 07777));
		goto fail;
	}
	while (out->len <= max && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buffer_append(out, chunk, (size_t)n);
	octets_wipe(chunk, sizeof(chunk));
	if (n < 0 || out->failed || out->len > max) {
		errbuf_set(why, "%s: cannot read, or over %zu octets", path, max);
		goto fail;
	}
	close(fd);
	return true;

fail:
	if (fd >= 0)
		close(fd);
	buffer_free(out);
	return false;
}

/* For PEM_read_bio_PrivateKey(): without it OpenSSL would ask on the terminal. */
static int
give_passphrase(char *room, int size, int writing, void *arg)
{
	const struct octets *passphrase = arg;

	(void)writing;
	if (passphrase->len == 0 || passphrase->len > (size_t)size)
		return -1;
	memcpy(room, passphrase->data, passphrase->len);
	return (int)passphrase->len;
}

EVP_PKEY *
private_key_load(const char *path, struct octets passphrase, struct errbuf *why)
{
	struct buffer text = {0};
	EVP_PKEY *key = NULL;
	BIO *in;

	if (!read_private_file(path, FILE_MAX, false, &text, why))
		return NULL;
	if ((in = BIO_new_mem_buf(text.data, (int)text.len)) != NULL)
		key = PEM_read_bio_PrivateKey(in, NULL, give_passphrase, &passphrase);
	if (key == NULL)
		errbuf_ossl(why, "%s: no private key, or another passphrase", path);
	ERR_clear_error();
	BIO_free(in);
	buffer_free(&text);
	return key;
}

bool
private_key_spki(EVP_PKEY *key, struct buffer *out, struct errbuf *why)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0) {
		errbuf_ossl(why, "key: cannot encode its public key");
		return false;
	}
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	if (out->failed)
		errbuf_set(why, "key: out of memory");
	return !out->failed;
}

bool
passphrase_read(const char *path, struct buffer *out, struct errbuf *why)
{
	struct buffer text = {0};

	if (!read_private_file(path, PASSPHRASE_MAX + 2, true, &text, why))
		return false;
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	if (text.len == 0 || text.len > PASSPHRASE_MAX) {
		errbuf_set(why, "%s: have %zu octets of passphrase, want 1 to %d", path, text.len,
		    PASSPHRASE_MAX);
		buffer_free(&text);
		return false;
	}
	buffer_append(out, text.data, text.len);
	buffer_free(&text);
	if (out->failed)
		errbuf_set(why, "%s: out of memory", path);
	return !out->failed;
}

bool
passphrase_create(const char *path, struct errbuf *why)
{
	uint8_t random[PASSPHRASE_OCTETS];
	char text[2 * PASSPHRASE_OCTETS + 2];
	bool ok;

	if (RAND_priv_bytes(random, sizeof(random)) != 1) {
		errbuf_ossl(why, "passphrase: no randomness");
		return false;
	}
	encoding_hex(octets_of(random, sizeof(random)), text);
	strcat(text, "\n");
	ok = create_file(path, octets_of_string(text), why);
	octets_wipe(random, sizeof(random));
	octets_wipe(text, sizeof(text));
	return ok;
}
