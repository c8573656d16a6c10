#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "pki/private_key.h"
#include "tests/unit/pki_request.h"

static struct errbuf why;
static char dir[64];
static char path[128];

static int
open_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_private_key.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int
close_dir(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	pki_free_keys();
	return 0;
}

static void
write_file(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static unsigned
mode_of_file(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
keys_are_generated_of_each_kind(void **state)
{
	static const struct {
		const char *kind, *type;
		int bits;
	} kinds[] = {{"rsa:1024", "RSA", 1024}, {"rsa:1032", "RSA", 1032},
	    {"rsa:2048", "RSA", 2048}, {"ec:P-256", "EC", 256}, {"ec:P-384", "EC", 384},
	    {"ec:P-521", "EC", 521}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		EVP_PKEY *key = private_key_generate(kinds[i].kind, &why);

		assert_non_null(key);
		assert_int_equal(EVP_PKEY_is_a(key, kinds[i].type), 1);
		assert_int_equal(EVP_PKEY_get_bits(key), kinds[i].bits);
		EVP_PKEY_free(key);
	}
}

static void
unknown_kinds_are_refused(void **state)
{
	static const char *const bad[] = {"", "rsa", "rsa:", "rsa:1016", "rsa:16392", "rsa:2047",
	    "rsa:-2048", "rsa: 2048", "rsa:2048x", "rsa:99999999999999999999", "ec:P-224",
	    "ec:", "ec:p-256", "ed25519", "RSA:2048"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(private_key_generate(bad[i], &why));
		assert_non_null(strstr(why.line, "want rsa:2048"));
	}
}

static void
a_saved_key_is_loaded_under_its_passphrase_and_no_other(void **state)
{
	EVP_PKEY *loaded;

	(void)state;
	assert_true(private_key_save(pki_ec_key(), path, octets_of_string("secret"), &why));
	assert_int_equal(mode_of_file(), 0600);
	loaded = private_key_load(path, octets_of_string("secret"), &why);
	assert_non_null(loaded);
	assert_int_equal(EVP_PKEY_eq(loaded, pki_ec_key()), 1);
	EVP_PKEY_free(loaded);
	assert_null(private_key_load(path, octets_of_string("secreT"), &why));
	assert_non_null(strstr(why.line, path));
	assert_null(strstr(why.line, "secreT"));
	assert_null(private_key_load(path, octets_of(NULL, 0), &why));
	assert_int_equal(ERR_peek_error(), 0);
}

/* PBES2 with PBKDF2 of 100,000 rounds of HMAC-SHA-256, AES-256-CBC. */
static void
the_file_is_encrypted_as_the_header_says(void **state)
{
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *oid;
	const void *value;
	PBE2PARAM *pbes2;
	PBKDF2PARAM *pbkdf2;
	X509_SIG *sealed;
	FILE *f;
	int type;

	(void)state;
	assert_true(private_key_save(pki_rsa_key(), path, octets_of_string("secret"), &why));
	f = fopen(path, "r");
	sealed = PEM_read_PKCS8(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(sealed);
	X509_SIG_get0(sealed, &algorithm, NULL);
	X509_ALGOR_get0(&oid, &type, &value, algorithm);
	assert_int_equal(OBJ_obj2nid(oid), NID_pbes2);
	pbes2 = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));
	assert_int_equal(OBJ_obj2nid(pbes2->encryption->algorithm), NID_aes_256_cbc);
	assert_int_equal(OBJ_obj2nid(pbes2->keyfunc->algorithm), NID_id_pbkdf2);
	pbkdf2 = ASN1_item_unpack(
	    pbes2->keyfunc->parameter->value.sequence, ASN1_ITEM_rptr(PBKDF2PARAM));
	assert_int_equal(ASN1_INTEGER_get(pbkdf2->iter), 100000);
	assert_int_equal(OBJ_obj2nid(pbkdf2->prf->algorithm), NID_hmacWithSHA256);
	assert_int_equal(ASN1_STRING_length(pbkdf2->salt->value.octet_string), 16);
	PBKDF2PARAM_free(pbkdf2);
	PBE2PARAM_free(pbes2);
	X509_SIG_free(sealed);
}

static void
an_empty_passphrase_writes_a_plain_file_that_any_passphrase_opens(void **state)
{
	EVP_PKEY *loaded;
	FILE *f;
	char line[64];

	(void)state;
	assert_true(private_key_save(pki_ec_key(), path, octets_of(NULL, 0), &why));
	assert_int_equal(mode_of_file(), 0600);
	f = fopen(path, "r");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "-----BEGIN PRIVATE KEY-----\n");
	fclose(f);
	loaded = private_key_load(path, octets_of(NULL, 0), &why);
	assert_int_equal(EVP_PKEY_eq(loaded, pki_ec_key()), 1);
	EVP_PKEY_free(loaded);
	loaded = private_key_load(path, octets_of_string("any"), &why);
	assert_non_null(loaded);
	EVP_PKEY_free(loaded);
}

static void
a_file_that_is_there_is_not_overwritten(void **state)
{
	char line[16];
	FILE *f;

	(void)state;
	write_file("mine", 0600);
	assert_false(private_key_save(pki_ec_key(), path, octets_of_string("secret"), &why));
	assert_non_null(strstr(why.line, "exists"));
	assert_false(passphrase_create(path, &why));
	f = fopen(path, "r");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "mine");
	fclose(f);
}

static void
a_key_in_a_directory_that_is_not_there_or_under_a_huge_passphrase_is_not_saved(void **state)
{
	char huge[1025];

	(void)state;
	assert_false(
	    private_key_save(pki_ec_key(), "/nonexistent/key", octets_of_string("x"), &why));
	assert_non_null(strstr(why.line, "/nonexistent/key"));
	memset(huge, 'x', sizeof(huge));
	assert_false(private_key_save(pki_ec_key(), path, octets_of(huge, 1025), &why));
	assert_int_equal(access(path, F_OK), -1);
	assert_true(private_key_save(pki_ec_key(), path, octets_of(huge, 1024), &why));
	EVP_PKEY_free(private_key_load(path, octets_of(huge, 1024), &why));
}

static void
a_key_file_that_group_or_others_can_read_is_refused(void **state)
{
	static const mode_t bad[] = {0640, 0604, 0620, 0602, 0666, 0710};

	(void)state;
	assert_true(private_key_save(pki_ec_key(), path, octets_of(NULL, 0), &why));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(path, bad[i]), 0);
		assert_null(private_key_load(path, octets_of(NULL, 0), &why));
		assert_non_null(strstr(why.line, "0600"));
	}
	assert_int_equal(chmod(path, 0400), 0);
	{
		EVP_PKEY *key = private_key_load(path, octets_of(NULL, 0), &why);

		assert_non_null(key);
		EVP_PKEY_free(key);
	}
}

static void
what_is_no_key_file_is_refused(void **state)
{
	(void)state;
	assert_null(private_key_load(path, octets_of_string("x"), &why)); /* not there */
	assert_null(private_key_load(dir, octets_of_string("x"), &why));
	write_file("", 0600);
	assert_null(private_key_load(path, octets_of_string("x"), &why));
	write_file("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0600);
	assert_null(private_key_load(path, octets_of_string("x"), &why));
	write_file("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", 0600);
	assert_null(private_key_load(path, octets_of_string("x"), &why));
	assert_int_equal(truncate(path, 70000), 0);
	assert_null(private_key_load(path, octets_of_string("x"), &why));
}

static void
the_spki_is_appended(void **state)
{
	struct buffer ours = {0}, theirs = {0};

	(void)state;
	buffer_append(&ours, "x", 1);
	assert_true(private_key_spki(pki_rsa_key(), &ours, &why));
	pki_spki(&theirs, pki_rsa_key());
	assert_int_equal(ours.len, theirs.len + 1);
	assert_memory_equal(ours.data + 1, theirs.data, theirs.len);
	buffer_free(&ours);
	buffer_free(&theirs);
}

static void
a_created_passphrase_has_256_bits_and_is_read_back(void **state)
{
	struct buffer one = {0}, two = {0};

	(void)state;
	assert_true(passphrase_create(path, &why));
	assert_int_equal(mode_of_file(), 0600);
	assert_true(passphrase_read(path, &one, &why));
	assert_int_equal(one.len, 64);
	assert_int_equal(strspn(buffer_string(&one), "0123456789abcdef"), 64);
	unlink(path);
	assert_true(passphrase_create(path, &why));
	assert_true(passphrase_read(path, &two, &why));
	assert_false(octets_equal(buffer_octets(&one), buffer_octets(&two)));
	buffer_free(&one);
	buffer_free(&two);
}

static void
one_newline_at_the_end_of_a_passphrase_is_dropped_and_nothing_else(void **state)
{
	static const struct {
		const char *text, *passphrase;
	} cases[] = {{"secret", "secret"}, {"secret\n", "secret"}, {"secret\r\n", "secret"},
	    {" se\ncret \n", " se\ncret "}, {"secret\n\n", "secret\n"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out = {0};

		write_file(cases[i].text, 0600);
		assert_true(passphrase_read(path, &out, &why));
		assert_string_equal(buffer_string(&out), cases[i].passphrase);
		buffer_free(&out);
	}
}

static void
an_empty_huge_missing_or_open_passphrase_file_is_refused(void **state)
{
	struct buffer out = {0};
	char huge[1026];

	(void)state;
	assert_false(passphrase_read(path, &out, &why));
	write_file("", 0600);
	assert_false(passphrase_read(path, &out, &why));
	write_file("\n", 0600);
	assert_false(passphrase_read(path, &out, &why));
	memset(huge, 'x', sizeof(huge));
	huge[1025] = '\0';
	write_file(huge, 0600);
	assert_false(passphrase_read(path, &out, &why));
	write_file("topsecret\n", 0644);
	assert_false(passphrase_read(path, &out, &why));
	assert_null(strstr(why.line, "topsecret"));
	assert_int_equal(chmod(path, 0660), 0);
	assert_false(passphrase_read(path, &out, &why));
	assert_int_equal(out.len, 0);
}

/* systemd hands a credential over as root's file with the group's read bit set. */
static void
root_may_let_its_group_read_a_passphrase_and_nobody_else_may(void **state)
{
	struct buffer out = {0};

	(void)state;
	write_file("secret", 0440);
	assert_int_equal(passphrase_read(path, &out, &why), geteuid() == 0);
	buffer_free(&out);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_false(passphrase_read(path, &out, &why));
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, open_dir, close_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_generated_of_each_kind),
	    cmocka_unit_test(unknown_kinds_are_refused),
	    WITH_DIR(a_saved_key_is_loaded_under_its_passphrase_and_no_other),
	    WITH_DIR(the_file_is_encrypted_as_the_header_says),
	    WITH_DIR(an_empty_passphrase_writes_a_plain_file_that_any_passphrase_opens),
	    WITH_DIR(a_file_that_is_there_is_not_overwritten),
	    WITH_DIR(
		a_key_in_a_directory_that_is_not_there_or_under_a_huge_passphrase_is_not_saved),
	    WITH_DIR(a_key_file_that_group_or_others_can_read_is_refused),
	    WITH_DIR(what_is_no_key_file_is_refused),
	    cmocka_unit_test(the_spki_is_appended),
	    WITH_DIR(a_created_passphrase_has_256_bits_and_is_read_back),
	    WITH_DIR(one_newline_at_the_end_of_a_passphrase_is_dropped_and_nothing_else),
	    WITH_DIR(an_empty_huge_missing_or_open_passphrase_file_is_refused),
	    WITH_DIR(root_may_let_its_group_read_a_passphrase_and_nobody_else_may),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
