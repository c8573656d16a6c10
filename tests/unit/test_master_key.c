#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/master_key.h"

#define KEY	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* As long as a key, but with letters beyond f. */
#define NO_KEY	  "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER_KEY "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char dir[64], path[128];

static int
init(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/master-key-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/master.key", dir);
	return 0;
}

static int
clear(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void
write_key(const char *text, mode_t mode)
{
	FILE *out;

	unlink(path);
	out = fopen(path, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(chmod(path, mode), 0);
}

static struct master_key *
load(void)
{
	struct errbuf why = {0};
	struct master_key *k;

	assert_true(master_key_load(path, &k, &why));
	assert_non_null(k);
	return k;
}

static void
assert_refused(const char *reason)
{
	struct errbuf why = {0};
	struct master_key *k;

	assert_false(master_key_load(path, &k, &why));
	assert_null(k);
	assert_non_null(strstr(why.line, path));
	assert_non_null(strstr(why.line, reason));
	assert_null(strstr(why.line, "0c0d0e"));
}

static void
a_created_key_is_private_and_loads(void **state)
{
	struct errbuf why = {0};
	struct master_key *k;
	struct stat st;

	(void)state;
	assert_true(master_key_create(path, &why));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	k = load();
	assert_int_equal(strlen(master_key_id(k)), 8);
	assert_int_equal(strspn(master_key_id(k), "0123456789abcdef"), 8);
	master_key_free(k);
	master_key_free(NULL);
}

static void
a_key_that_is_there_is_never_overwritten(void **state)
{
	struct errbuf why = {0};
	struct master_key *k;

	(void)state;
	write_key("scep-master-key-1 01234567 " KEY "\n", 0600);
	assert_false(master_key_create(path, &why));
	assert_non_null(strstr(why.line, "File exists"));
	k = load();
	assert_string_equal(master_key_id(k), "01234567");
	master_key_free(k);
}

static void
a_key_that_only_its_owner_reads_is_loaded(void **state)
{
	(void)state;
	write_key("scep-master-key-1 01234567 " KEY "\n", 0400);
	master_key_free(load());
	write_key("scep-master-key-1 01234567 " KEY, 0600);
	master_key_free(load());
}

static void
a_key_that_others_read_is_refused(void **state)
{
	(void)state;
	write_key("scep-master-key-1 01234567 " KEY "\n", 0640);
	assert_refused("have mode 0640");
	write_key("scep-master-key-1 01234567 " KEY "\n", 0604);
	assert_refused("have mode 0604");
}

/* The mask of an ACL looks like the group's permission. */
static void
a_credential_of_systemd_may_show_root_as_reading_group(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	write_key("scep-master-key-1 01234567 " KEY "\n", 0440);
	master_key_free(load());
	write_key("scep-master-key-1 01234567 " KEY "\n", 0444);
	assert_refused("have mode 0444");
	unsetenv("CREDENTIALS_DIRECTORY");
	write_key("scep-master-key-1 01234567 " KEY "\n", 0440);
	assert_refused("have mode 0440");
}

static void
other_content_is_refused(void **state)
{
	static const char *const bad[] = {"", "\n", "scep-master-key-1", "scep-master-key-1 \n",
	    "scep-master-key-2 01234567 " KEY "\n", "scep-master-key-1 0123456 " KEY "\n",
	    "scep-master-key-1 012345678 " KEY "\n", "scep-master-key-1 01234567  " KEY "\n",
	    "scep-master-key-1 01234567 " KEY "0\n", "scep-master-key-1 01234567 " KEY " \n",
	    "scep-master-key-1 0123456g " KEY "\n", " scep-master-key-1 01234567 " KEY "\n",
	    "scep-master-key-1 01234567 " NO_KEY "\n", "scep-master-key-1 01234567 0102\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_key(bad[i], 0600);
		assert_refused("want the line");
	}
}

static void
what_is_no_file_is_refused(void **state)
{
	struct errbuf why = {0};
	struct master_key *k;

	(void)state;
	assert_refused("No such file");
	assert_false(master_key_load(dir, &k, &why));
	assert_null(k);
	assert_false(master_key_create("/nowhere/at/all", &why));
}

/* HKDF and the framing written out once more, with HMAC alone (RFC 5869). */
static void
reference_mac(const char *label, const struct octets *parts, int count, uint8_t out[32])
{
	static const uint8_t no_salt[32];
	uint8_t key[32], prk[32], okm[32], input[256];
	unsigned len;
	size_t n;

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	HMAC(EVP_sha256(), no_salt, 32, key, 32, prk, &len);
	n = strlen(label);
	memcpy(input, label, n);
	input[n] = 1;
	HMAC(EVP_sha256(), prk, 32, input, n + 1, okm, &len);
	n = 0;
	for (int i = 0; i < count; i++) {
		memset(input + n, 0, 3);
		input[n + 3] = (uint8_t)parts[i].len;
		memcpy(input + n + 4, parts[i].data, parts[i].len);
		n += 4 + parts[i].len;
	}
	HMAC(EVP_sha256(), okm, 32, input, n, out, &len);
}

static void
the_mac_is_hmac_under_the_derived_key(void **state)
{
	static const char *const labels[] = {"fcgi-scep 1 challenge", "fcgi-scep 1 token",
	    "fcgi-scep 1 repeat", "fcgi-scep 1 check", "fcgi-scep 1 audit",
	    "fcgi-scep 1 transaction"};
	struct octets parts[2] = {octets_of_string("profile"), octets_of_string("secret")};
	uint8_t have[MASTER_KEY_MAC], want[MASTER_KEY_MAC];
	struct master_key *k;

	(void)state;
	write_key("scep-master-key-1 01234567 " KEY "\n", 0600);
	k = load();
	for (int use = 0; use < MASTER_KEY_USES; use++)
		for (int again = 0; again < 2; again++) {
			reference_mac(labels[use], parts, 2, want);
			assert_true(master_key_mac(k, (enum master_key_use)use, parts, 2, have));
			assert_memory_equal(have, want, sizeof(want));
		}
	master_key_free(k);
}

static void
other_parts_uses_and_keys_give_another_mac(void **state)
{
	struct octets ab_c[2] = {octets_of_string("ab"), octets_of_string("c")};
	struct octets a_bc[2] = {octets_of_string("a"), octets_of_string("bc")};
	struct octets empty[1] = {octets_of(NULL, 0)};
	uint8_t macs[6][MASTER_KEY_MAC];
	struct master_key *k;

	(void)state;
	write_key("scep-master-key-1 01234567 " KEY "\n", 0600);
	k = load();
	assert_true(master_key_mac(k, MASTER_KEY_CHALLENGE, ab_c, 2, macs[0]));
	assert_true(master_key_mac(k, MASTER_KEY_CHALLENGE, a_bc, 2, macs[1]));
	assert_true(master_key_mac(k, MASTER_KEY_TOKEN, ab_c, 2, macs[2]));
	assert_true(master_key_mac(k, MASTER_KEY_CHALLENGE, empty, 1, macs[3]));
	assert_true(master_key_mac(k, MASTER_KEY_CHALLENGE, empty, 0, macs[4]));
	master_key_free(k);
	write_key("scep-master-key-1 01234567 " OTHER_KEY "\n", 0600);
	k = load();
	assert_true(master_key_mac(k, MASTER_KEY_CHALLENGE, ab_c, 2, macs[5]));
	master_key_free(k);
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(macs[i], macs[j], MASTER_KEY_MAC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, init, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_created_key_is_private_and_loads),
	    TEST(a_key_that_is_there_is_never_overwritten),
	    TEST(a_key_that_only_its_owner_reads_is_loaded),
	    TEST(a_key_that_others_read_is_refused),
	    TEST(a_credential_of_systemd_may_show_root_as_reading_group),
	    TEST(other_content_is_refused),
	    TEST(what_is_no_file_is_refused),
	    TEST(the_mac_is_hmac_under_the_derived_key),
	    TEST(other_parts_uses_and_keys_give_another_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
