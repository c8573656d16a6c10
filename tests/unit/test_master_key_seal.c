#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "base/master_key.h"

#define KEY	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER_KEY "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct errbuf why;

static struct master_key *
load(const char *key)
{
	char path[] = "/tmp/master-key-seal-XXXXXX";
	struct master_key *k;
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");

	assert_non_null(out);
	fprintf(out, "scep-master-key-1 01234567 %s\n", key);
	fclose(out);
	assert_true(master_key_load(path, &k, &why));
	unlink(path);
	return k;
}

static bool
opens(const struct master_key *k, const char *context, struct octets sealed, struct octets want)
{
	struct buffer secret = {0};
	bool ok = master_key_unseal(k, octets_of_string(context), sealed, &secret, &why);

	if (ok)
		assert_true(octets_equal(buffer_octets(&secret), want));
	else
		assert_int_equal(secret.len, 0);
	buffer_free(&secret);
	return ok;
}

static void
what_is_sealed_opens_with_its_key_and_context_alone(void **state)
{
	struct octets secret = octets_of_string("s3cret challenge");
	struct master_key *k = load(KEY), *other = load(OTHER_KEY);
	struct buffer sealed = {0};

	(void)state;
	assert_true(master_key_seal(k, octets_of_string("here"), secret, &sealed, &why));
	assert_int_equal(sealed.len, secret.len + MASTER_KEY_SEAL_OVERHEAD);
	assert_null(memmem(sealed.data, sealed.len, secret.data, 4));
	assert_true(opens(k, "here", buffer_octets(&sealed), secret));
	assert_false(opens(k, "there", buffer_octets(&sealed), secret));
	assert_false(opens(k, "", buffer_octets(&sealed), secret));
	assert_non_null(strstr(why.line, "01234567"));
	assert_false(opens(other, "here", buffer_octets(&sealed), secret));
	buffer_free(&sealed);
	master_key_free(other);
	master_key_free(k);
}

static void
one_changed_octet_anywhere_or_one_less_does_not_open(void **state)
{
	struct octets secret = octets_of_string("secret"), sealed;
	struct master_key *k = load(KEY);
	struct buffer room = {0};

	(void)state;
	assert_true(master_key_seal(k, octets_of_string("c"), secret, &room, &why));
	for (size_t i = 0; i < room.len; i++) {
		room.data[i] ^= 0x40;
		assert_false(opens(k, "c", buffer_octets(&room), secret));
		room.data[i] ^= 0x40;
	}
	for (size_t n = 0; n < room.len; n++)
		assert_false(opens(k, "c", octets_of(room.data, n), secret));
	sealed = buffer_octets(&room);
	assert_true(opens(k, "c", sealed, secret));
	buffer_free(&room);
	master_key_free(k);
}

static void
an_empty_secret_and_a_long_one_are_sealed_too_and_appended(void **state)
{
	struct master_key *k = load(KEY);
	struct buffer out = {0};
	uint8_t secret[5000];

	(void)state;
	memset(secret, 7, sizeof(secret));
	buffer_append_string(&out, "before");
	assert_true(master_key_seal(k, octets_of(NULL, 0), octets_of(NULL, 0), &out, &why));
	assert_int_equal(out.len, 6 + MASTER_KEY_SEAL_OVERHEAD);
	assert_true(
	    opens(k, "", octets_of(out.data + 6, MASTER_KEY_SEAL_OVERHEAD), octets_of(NULL, 0)));
	assert_true(master_key_seal(
	    k, octets_of_string("c"), octets_of(secret, sizeof(secret)), &out, &why));
	assert_true(opens(k, "c",
	    octets_of(
		out.data + 6 + MASTER_KEY_SEAL_OVERHEAD, out.len - 6 - MASTER_KEY_SEAL_OVERHEAD),
	    octets_of(secret, sizeof(secret))));
	buffer_free(&out);
	master_key_free(k);
}

static void
each_seal_has_a_nonce_of_its_own(void **state)
{
	struct master_key *k = load(KEY);
	struct buffer a = {0}, b = {0};

	(void)state;
	assert_true(master_key_seal(k, octets_of_string("c"), octets_of_string("s"), &a, &why));
	assert_true(master_key_seal(k, octets_of_string("c"), octets_of_string("s"), &b, &why));
	assert_memory_not_equal(a.data, b.data, 12);
	buffer_free(&a);
	buffer_free(&b);
	master_key_free(k);
}

/* AES-256-GCM under HKDF-SHA-256 of the master key with this label, and with nothing else: what was sealed once must open for ever. */
static void
a_seal_is_aes_256_gcm_under_the_derived_key(void **state)
{
	static const char label[] = "fcgi-scep 1 seal";
	struct master_key *k = load(KEY);
	EVP_PKEY_CTX *hkdf = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
	uint8_t master[32], key[32], plain[32];
	struct buffer sealed = {0};
	size_t len = sizeof(key);
	int n;

	(void)state;
	assert_true(encoding_unhex(KEY, master, sizeof(master)));
	assert_int_equal(EVP_PKEY_derive_init(hkdf), 1);
	assert_int_equal(EVP_PKEY_CTX_set_hkdf_md(hkdf, EVP_sha256()), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_hkdf_key(hkdf, master, sizeof(master)), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_add1_hkdf_info(hkdf, (const uint8_t *)label, (int)strlen(label)), 1);
	assert_int_equal(EVP_PKEY_derive(hkdf, key, &len), 1);
	assert_true(
	    master_key_seal(k, octets_of_string("c"), octets_of_string("secret"), &sealed, &why));
	assert_int_equal(EVP_DecryptInit_ex(gcm, EVP_aes_256_gcm(), NULL, key, sealed.data), 1);
	assert_int_equal(EVP_DecryptUpdate(gcm, NULL, &n, (const uint8_t *)"c", 1), 1);
	assert_int_equal(EVP_DecryptUpdate(gcm, plain, &n, sealed.data + 12, 6), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, 16, sealed.data + 18), 1);
	assert_int_equal(EVP_DecryptFinal_ex(gcm, plain + 6, &n), 1);
	assert_memory_equal(plain, "secret", 6);
	EVP_CIPHER_CTX_free(gcm);
	EVP_PKEY_CTX_free(hkdf);
	buffer_free(&sealed);
	master_key_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_sealed_opens_with_its_key_and_context_alone),
	    cmocka_unit_test(one_changed_octet_anywhere_or_one_less_does_not_open),
	    cmocka_unit_test(an_empty_secret_and_a_long_one_are_sealed_too_and_appended),
	    cmocka_unit_test(each_seal_has_a_nonce_of_its_own),
	    cmocka_unit_test(a_seal_is_aes_256_gcm_under_the_derived_key),
	};

	return cmocka_run_group_tests_name("master_key_seal", tests, NULL, NULL);
}
