/* test_kept_csr.c: the CSR of a request that waits, as it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "issue/kept_csr.h"
#include "tests/unit/pki_request.h"

#define SECRET "a challenge of many devices"

static struct master_key *master_key;
static struct buffer csr;
static const uint8_t key[32] = {1}, other_key[32] = {2};

static int
setup(void **state)
{
	char path[] = "/tmp/kept-csr.XXXXXX";
	struct buffer attributes = {0}, value = {0};
	struct errbuf why = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
	if (!master_key_create(path, &why) || !master_key_load(path, &master_key, &why))
		fail_msg("%s", why.line);
	assert_int_equal(unlink(path), 0);
	pki_tlv_string(&value, 0x0c, SECRET);
	pki_attribute(&attributes, PKI_CHALLENGE, &value);
	pki_csr(&csr, pki_ec_key(), "CN=a", &attributes);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	master_key_free(master_key);
	buffer_free(&csr);
	pki_free_keys();
	return 0;
}

static void
what_is_kept_does_not_tell_the_challenge(void **state)
{
	struct buffer kept = {0}, opened = {0};
	struct errbuf why = {0};

	(void)state;
	assert_true(kept_csr_seal(master_key, key, buffer_octets(&csr), &kept, &why));
	assert_null(memmem(kept.data, kept.len, SECRET, strlen(SECRET)));
	assert_true(kept_csr_open(master_key, key, buffer_octets(&kept), &opened, &why));
	assert_true(octets_equal(buffer_octets(&opened), buffer_octets(&csr)));
	buffer_free(&opened);
	assert_false(kept_csr_open(master_key, other_key, buffer_octets(&kept), &opened, &why));
	kept.data[kept.len - 1] ^= 1;
	assert_false(kept_csr_open(master_key, key, buffer_octets(&kept), &opened, &why));
	buffer_free(&opened);
	buffer_free(&kept);
}

static void
what_an_older_version_kept_is_the_csr_itself(void **state)
{
	struct buffer opened = {0};
	struct errbuf why = {0};

	(void)state;
	assert_true(kept_csr_open(master_key, key, buffer_octets(&csr), &opened, &why));
	assert_true(octets_equal(buffer_octets(&opened), buffer_octets(&csr)));
	buffer_free(&opened);
	assert_false(
	    kept_csr_open(master_key, key, octets_of(csr.data, csr.len - 1), &opened, &why));
	assert_false(kept_csr_open(master_key, key, octets_of(NULL, 0), &opened, &why));
	buffer_free(&opened);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_kept_does_not_tell_the_challenge),
	    cmocka_unit_test(what_an_older_version_kept_is_the_csr_itself),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
