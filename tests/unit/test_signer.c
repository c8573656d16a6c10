#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>

#include "pki/private_key.h"
#include "pki/public_key.h"
#include "pki/signer.h"
#include "tests/unit/pki_request.h"

static struct errbuf why;
static char dir[64];
static char path[128];

static int
open_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_signer.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int
close_dir(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	pki_free_keys();
	return 0;
}

static void
assert_signs(struct signer *s, enum pki_digest digest)
{
	struct buffer signature = {0};
	struct public_key k;

	assert_true(public_key_parse(signer_spki(s), &k, &why));
	assert_int_equal(k.type, signer_key_type(s));
	assert_true(octets_equal(signer_algorithm(s), pki_signature_algorithm(k.type, digest)));
	for (int i = 0; i < 3; i++) { /* the context is kept from one to the next */
		signature.len = 0;
		assert_true(signer_sign(s, octets_of_string("message"), &signature, &why));
		assert_true(public_key_verify(
		    &k, digest, octets_of_string("message"), buffer_octets(&signature), &why));
		assert_false(public_key_verify(
		    &k, digest, octets_of_string("massage"), buffer_octets(&signature), &why));
	}
	public_key_free(&k);
	buffer_free(&signature);
}

static void
a_signer_of_each_key_type_signs_by_its_digest(void **state)
{
	static const struct {
		const char *kind;
		enum pki_digest digest;
	} kinds[] = {{"rsa:2048", PKI_SHA256}, {"ec:P-256", PKI_SHA256}, {"ec:P-384", PKI_SHA384},
	    {"ec:P-521", PKI_SHA512}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		EVP_PKEY *key = private_key_generate(kinds[i].kind, &why);
		struct signer *s;

		assert_true(signer_of_key(key, &s, &why));
		EVP_PKEY_free(key); /* it has its own reference */
		assert_signs(s, kinds[i].digest);
		signer_free(s);
	}
}

static void
a_signer_opens_a_key_file_under_its_passphrase_and_no_other(void **state)
{
	struct signer *s;

	(void)state;
	assert_true(private_key_save(pki_rsa_key(), path, octets_of_string("secret"), &why));
	assert_true(signer_open(path, octets_of_string("secret"), &s, &why));
	assert_signs(s, PKI_SHA256);
	signer_free(s);
	assert_false(signer_open(path, octets_of_string("other"), &s, &why));
	assert_null(s);
	assert_true(strlen(why.line) > 0);
	assert_false(signer_open("/nonexistent", octets_of_string("secret"), &s, &why));
	assert_null(s);
}

static void
keys_that_do_not_sign_certificates_here_are_refused(void **state)
{
	struct signer *s;

	(void)state;
	assert_false(signer_of_key(pki_ed_key(), &s, &why));
	assert_null(s);
	assert_non_null(strstr(why.line, "ED25519"));
	{
		EVP_PKEY *pss = EVP_PKEY_Q_keygen(NULL, NULL, "RSA-PSS", (size_t)1024);

		if (pss != NULL)
			assert_false(signer_of_key(pss, &s, &why));
		EVP_PKEY_free(pss);
	}
	signer_free(NULL);
}

static void
a_public_key_alone_signs_nothing(void **state)
{
	struct buffer spki = {0}, signature = {0};
	struct public_key k;
	struct signer *s;

	(void)state;
	pki_spki(&spki, pki_rsa_key());
	assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
	if (signer_of_key(k.pkey, &s, &why)) {
		assert_false(signer_sign(s, octets_of_string("message"), &signature, &why));
		assert_int_equal(signature.len, 0);
		signer_free(s);
	}
	public_key_free(&k);
	buffer_free(&spki);
	buffer_free(&signature);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signer_of_each_key_type_signs_by_its_digest),
	    cmocka_unit_test(a_signer_opens_a_key_file_under_its_passphrase_and_no_other),
	    cmocka_unit_test(keys_that_do_not_sign_certificates_here_are_refused),
	    cmocka_unit_test(a_public_key_alone_signs_nothing),
	};

	return cmocka_run_group_tests(tests, open_dir, close_dir);
}
