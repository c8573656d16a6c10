/* test_profile.c: snapshots of profiles, and the keys that are opened for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/private_key.h"
#include "scep/request.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

static struct rooms rooms;

/* A cache of its own, as a new worker has. */
static struct profile_cache *
new_cache(void)
{
	struct profile_cache *c = NULL;

	assert_true(profile_cache_open(&rooms.settings, rooms.manage.store, &c, &rooms.why));
	return c;
}

static struct profile *
get(struct profile_cache *c, const char *name)
{
	struct profile *p = NULL;

	if (profile_get(c, name, &p, &rooms.why) != STORE_OK)
		fail_msg("%s: %s", name, rooms.why.line);
	return p;
}

static void
a_profile_is_found_by_name_and_by_uuid(void **state)
{
	struct profile_cache *c = new_cache();
	struct profile *p = get(c, ROOMS_PROFILE);

	(void)state;
	assert_string_equal(p->scep.name, ROOMS_PROFILE);
	assert_string_equal(get(c, p->scep.id)->scep.name, ROOMS_PROFILE);
	profile_cache_close(c);
}

static void
another_name_finds_nothing(void **state)
{
	static const char *const names[] = {"", "other", "Demo", "demo ", "ca",
	    "0123456789012345678901234567890123456789012345678901234567890123456789"};
	struct profile_cache *c = new_cache();
	struct profile *p;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		p = (struct profile *)&rooms;
		assert_int_equal(profile_get(c, names[i], &p, &rooms.why), STORE_NONE);
		assert_null(p);
	}
	profile_cache_close(c);
}

static void
a_snapshot_stays_until_the_configuration_changes(void **state)
{
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;
	struct profile_cache *c = new_cache();
	struct profile *p = get(c, ROOMS_PROFILE);

	(void)state;
	assert_ptr_equal(get(c, ROOMS_PROFILE), p);
	assert_int_equal(p->ra.validity_days, 365);
	change.validity_days = 30;
	rooms_set(&rooms, &change);
	assert_int_equal(get(c, ROOMS_PROFILE)->ra.validity_days, 30);
	change.validity_days = 365;
	rooms_set(&rooms, &change);
	assert_int_equal(get(c, ROOMS_PROFILE)->ra.validity_days, 365);
	profile_cache_close(c);
}

static void
a_disabled_profile_is_found_and_says_so(void **state)
{
	struct profile_cache *c = new_cache();

	(void)state;
	assert_true(get(c, ROOMS_PROFILE)->scep.enabled);
	rooms_enable(&rooms, false);
	assert_false(get(c, ROOMS_PROFILE)->scep.enabled);
	rooms_enable(&rooms, true);
	assert_true(get(c, ROOMS_PROFILE)->scep.enabled);
	profile_cache_close(c);
}

static void
says(const struct buffer *text, const char *keyword, bool want)
{
	struct buffer copy = {0};

	buffer_append(&copy, text->data, text->len);
	assert_int_equal(strstr(buffer_string(&copy), keyword) != NULL, want);
	buffer_free(&copy);
}

static void
capabilities_follow_what_the_profile_accepts(void **state)
{
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;
	struct profile_cache *c = new_cache();

	(void)state;
	says(&get(c, ROOMS_PROFILE)->capabilities, "SHA-256\n", true);
	says(&get(c, ROOMS_PROFILE)->capabilities, "SHA-1\n", false);
	says(&get(c, ROOMS_PROFILE)->capabilities, "DES3\n", false);
	change.digests = PKI_SHA1 | PKI_SHA256;
	change.ciphers = PKI_DES3 | PKI_AES128;
	rooms_set(&rooms, &change);
	says(&get(c, ROOMS_PROFILE)->capabilities, "SHA-1\n", true);
	says(&get(c, ROOMS_PROFILE)->capabilities, "DES3\n", true);
	change.digests = PKI_DIGESTS_DEFAULT;
	change.ciphers = PKI_CIPHERS_DEFAULT;
	rooms_set(&rooms, &change);
	profile_cache_close(c);
}

static void
get_ca_cert_is_the_chain_or_the_ra_alone(void **state)
{
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;
	struct profile_cache *c = new_cache();
	struct profile *p = get(c, ROOMS_PROFILE);

	(void)state;
	assert_string_equal(p->ca_certificates_type, "application/x-x509-ca-ra-cert");
	change.chain_in_get_ca_cert = 0;
	rooms_set(&rooms, &change);
	p = get(c, ROOMS_PROFILE);
	assert_string_equal(p->ca_certificates_type, "application/x-x509-ca-cert");
	assert_true(octets_equal(buffer_octets(&p->ca_certificates), p->ras[0].certificate.der));
	change.chain_in_get_ca_cert = 1;
	rooms_set(&rooms, &change);
	profile_cache_close(c);
}

static void
the_ra_certificate_is_the_cas_and_its_key_opens(void **state)
{
	struct profile_cache *c = new_cache();
	struct profile *p = get(c, ROOMS_PROFILE);
	EVP_PKEY *key;

	(void)state;
	assert_true(
	    certificate_verify(&p->ras[0].certificate, &p->authorities[0].chain[0], &rooms.why));
	assert_null(p->ras[0].key);
	assert_true(profile_open_keys(c, p, &rooms.why));
	key = p->ras[0].key;
	assert_non_null(key);
	assert_non_null(p->authorities[0].signer);
	assert_true(profile_open_keys(c, p, &rooms.why));
	/* Keys outlive snapshots. */
	rooms_enable(&rooms, false);
	rooms_enable(&rooms, true);
	p = get(c, ROOMS_PROFILE);
	assert_null(p->ras[0].key);
	assert_true(profile_open_keys(c, p, &rooms.why));
	assert_ptr_equal(p->ras[0].key, key);
	profile_cache_close(c);
}

static void
a_warm_cache_has_opened_its_keys(void **state)
{
	struct profile_cache *c = new_cache();

	(void)state;
	profile_cache_warm(c);
	assert_non_null(get(c, ROOMS_PROFILE)->authorities[0].signer);
	profile_cache_close(c);
	/* But those of a disabled profile. */
	rooms_enable(&rooms, false);
	c = new_cache();
	profile_cache_warm(c);
	assert_null(get(c, ROOMS_PROFILE)->authorities[0].signer);
	profile_cache_close(c);
	rooms_enable(&rooms, true);
}

/* Put another key where the file of the CA's or the RA's was, and back. */
static void
with_a_foreign_key(const char *prefix, const char *kind, const char *said)
{
	char find[512], path[512] = "", aside[520];
	struct buffer passphrase = {0};
	struct profile_cache *c;
	struct profile *p;
	EVP_PKEY *key = private_key_generate(kind, &rooms.why);
	FILE *f;

	snprintf(find, sizeof(find), "ls %s/%s-*.key", rooms.settings.key_dir, prefix);
	assert_non_null(f = popen(find, "r"));
	assert_non_null(fgets(path, sizeof(path), f));
	pclose(f);
	path[strcspn(path, "\n")] = '\0';
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_true(passphrase_read(rooms.settings.passphrase_file, &passphrase, &rooms.why));
	assert_true(private_key_save(key, path, buffer_octets(&passphrase), &rooms.why));

	c = new_cache();
	p = get(c, ROOMS_PROFILE);
	for (int i = 0; i < 2; i++) {
		assert_false(profile_open_keys(c, p, &rooms.why));
		assert_non_null(strstr(rooms.why.line, said));
		assert_null(p->ras[0].key);
		assert_null(p->authorities[0].signer);
	}
	profile_cache_close(c);

	assert_int_equal(rename(aside, path), 0);
	c = new_cache();
	assert_true(profile_open_keys(c, get(c, ROOMS_PROFILE), &rooms.why));
	profile_cache_close(c);
	buffer_free(&passphrase);
	EVP_PKEY_free(key);
}

static void
a_ca_key_that_does_not_fit_its_certificate_is_refused(void **state)
{
	(void)state;
	with_a_foreign_key("ca", "ec:P-256", "does not fit");
}

static void
an_ra_key_that_does_not_fit_its_certificate_is_refused(void **state)
{
	(void)state;
	with_a_foreign_key("ra", "rsa:2048", "does not fit");
}

static void
a_wrong_passphrase_opens_nothing(void **state)
{
	struct settings settings = rooms.settings;
	struct profile_cache *c = NULL;
	struct profile *p;

	(void)state;
	snprintf(settings.passphrase_file, sizeof(settings.passphrase_file), "%s/other-passphrase",
	    rooms.directory);
	assert_true(profile_cache_open(&settings, rooms.manage.store, &c, &rooms.why));
	p = get(c, ROOMS_PROFILE);
	assert_false(profile_open_keys(c, p, &rooms.why)); /* there is no such file */
	assert_true(passphrase_create(settings.passphrase_file, &rooms.why));
	assert_false(profile_open_keys(c, p, &rooms.why));
	assert_null(p->authorities[0].signer);
	profile_cache_close(c);
}

static int
open_rooms(void **state)
{
	(void)state;
	rooms_open(&rooms, false);
	return 0;
}

static int
close_rooms(void **state)
{
	(void)state;
	rooms_close(&rooms);
	pki_free_keys();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_profile_is_found_by_name_and_by_uuid),
	    cmocka_unit_test(another_name_finds_nothing),
	    cmocka_unit_test(a_snapshot_stays_until_the_configuration_changes),
	    cmocka_unit_test(a_disabled_profile_is_found_and_says_so),
	    cmocka_unit_test(capabilities_follow_what_the_profile_accepts),
	    cmocka_unit_test(get_ca_cert_is_the_chain_or_the_ra_alone),
	    cmocka_unit_test(the_ra_certificate_is_the_cas_and_its_key_opens),
	    cmocka_unit_test(a_warm_cache_has_opened_its_keys),
	    cmocka_unit_test(a_ca_key_that_does_not_fit_its_certificate_is_refused),
	    cmocka_unit_test(an_ra_key_that_does_not_fit_its_certificate_is_refused),
	    cmocka_unit_test(a_wrong_passphrase_opens_nothing),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
