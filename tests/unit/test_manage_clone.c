/* test_manage_clone.c: copies of profiles, and anchors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/manage/anchor.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "pki/signer.h"
#include "tests/unit/manage_fixture.h"

static int
setup(void **state)
{
	if (manage_fixture_setup(state) != 0)
		return -1;
	manage_fixture_authority(*state);
	return 0;
}

static struct manage_profile
get(struct manage_fixture *f, const char *name)
{
	struct manage_profile p;

	assert_int_equal(
	    manage_profile_get(&f->manage, name, &p, manage_fixture_report(f)), MANAGE_OK);
	return p;
}

static enum manage_rc
make_copy(struct manage_fixture *f, const char *name, const char *copy, bool enabled,
    const struct manage_profile_change *c)
{
	const struct manage_profile_clone o = {
	    .name = copy, .ra_key = "rsa:2048", .enabled = enabled, .change = c};
	struct manage_profile p;

	return manage_profile_clone(&f->manage, &f->actor, name, &o, &p, manage_fixture_report(f));
}

/* A manufacturer's certificate, self-signed: a CA's or a device's; its life is around offset from now. */
static void
manufacturer(bool ca, int64_t offset, struct buffer *out)
{
	struct signer *signer = NULL;
	struct buffer subject = {0};
	struct errbuf why = {0};
	EVP_PKEY *key = private_key_generate("ec:P-256", &why);
	struct certificate_fields f = {.serial = {1},
	    .not_before = clock_now() + offset - 300,
	    .not_after = clock_now() + offset + 86400,
	    .ca = ca,
	    .path_length = -1,
	    .key_usage = ca ? KEY_USAGE_KEY_CERT_SIGN : KEY_USAGE_DIGITAL_SIGNATURE};

	assert_non_null(key);
	assert_true(signer_of_key(key, &signer, &why));
	assert_true(name_from_text("CN=Manufacturer", &subject, &why));
	f.issuer = f.subject = buffer_octets(&subject);
	f.spki = signer_spki(signer);
	assert_true(certificate_issue(&f, signer, out, &why));
	signer_free(signer);
	EVP_PKEY_free(key);
	buffer_free(&subject);
}

static enum manage_rc
add(struct manage_fixture *f, const struct buffer *certificate, struct manage_anchor *out)
{
	return manage_anchor_add(&f->manage, &f->actor, "demo", buffer_octets(certificate), out,
	    manage_fixture_report(f));
}

static bool
count_anchor(void *ctx, const struct manage_anchor *a)
{
	assert_string_equal(a->subject, "CN=Manufacturer");
	assert_int_equal(strlen(a->fingerprint), 64);
	(*(int *)ctx)++;
	return true;
}

static int
anchors(struct manage_fixture *f, const char *profile)
{
	int count = 0;

	assert_int_equal(
	    manage_anchor_each(&f->manage, profile, count_anchor, &count, manage_fixture_report(f)),
	    MANAGE_OK);
	return count;
}

static void
a_copy_has_the_rules_and_the_lineage_but_keys_of_its_own(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile original, copy;
	int keys;

	manage_fixture_profile(f, "demo", NULL);
	c.validity_days = 77;
	c.max_successors = 3;
	assert_int_equal(
	    manage_profile_set(&f->manage, &f->actor, "demo", &c, &copy, manage_fixture_report(f)),
	    MANAGE_OK);
	keys = manage_fixture_keys(f);
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.max_pending = 9;
	assert_int_equal(make_copy(f, "demo", "copy", true, &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
	assert_int_equal(manage_fixture_keys(f), keys + 1);
	original = get(f, "demo");
	copy = get(f, "copy");
	assert_true(copy.scep.enabled);
	assert_int_equal(copy.ra.validity_days, 77);
	assert_int_equal(copy.scep.max_successors, 3);
	assert_int_equal(copy.scep.max_pending, 9);
	assert_string_equal(copy.scep.lineage, original.scep.id);
	assert_string_not_equal(copy.scep.id, original.scep.id);
	assert_string_not_equal(copy.ra.id, original.ra.id);
	assert_string_not_equal(copy.scep.ra_certificate_id, original.scep.ra_certificate_id);
	/* A copy of the copy is of the same lineage. */
	assert_int_equal(make_copy(f, "copy", "copy2", false, &c), MANAGE_OK);
	assert_string_equal(get(f, "copy2").scep.lineage, original.scep.id);
	assert_false(get(f, "copy2").scep.enabled);
}

static void
a_static_challenge_is_not_copied_and_that_is_said(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct octets value = octets_of_string("another-long-secret-77");
	struct manage_profile p;

	manage_fixture_profile(f, "demo", "2987577aaeea1613a03e81a5");
	assert_int_equal(make_copy(f, "demo", "copy", false, &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 1);
	p = get(f, "copy");
	assert_false(p.scep.challenge_set || p.scep.enabled);
	assert_string_equal(p.scep.challenge_mode, "static");
	assert_int_equal(
	    manage_profile_enable(&f->manage, &f->actor, "copy", true, manage_fixture_report(f)),
	    MANAGE_INVALID);
	c.challenge = &value;
	assert_int_equal(make_copy(f, "demo", "copy2", true, &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
	assert_true(get(f, "copy2").scep.challenge_set && get(f, "copy2").scep.enabled);
}

static void
a_copy_that_cannot_be_made_leaves_no_key(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	int keys;

	manage_fixture_profile(f, "demo", NULL);
	keys = manage_fixture_keys(f);
	assert_int_equal(make_copy(f, "nobody", "copy", false, &c), MANAGE_NOT_FOUND);
	assert_int_equal(make_copy(f, "demo", "demo", false, &c), MANAGE_CONFLICT);
	assert_int_equal(make_copy(f, "demo", "a/b", false, &c), MANAGE_INVALID);
	c.validity_days = 0;
	assert_int_equal(make_copy(f, "demo", "copy", false, &c), MANAGE_INVALID);
	assert_int_equal(manage_fixture_keys(f), keys);
}

static void
an_anchor_is_a_ca_in_its_time_and_goes_with_a_copy(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct buffer good = {0}, device = {0}, over = {0}, early = {0};
	struct manage_anchor a;
	char event[128];

	manage_fixture_profile(f, "demo", NULL);
	manufacturer(true, 0, &good);
	manufacturer(false, 0, &device);
	manufacturer(true, -2 * 86400, &over);
	manufacturer(true, 2 * 86400, &early);
	assert_int_equal(add(f, &device, &a), MANAGE_INVALID);
	assert_int_equal(add(f, &over, &a), MANAGE_INVALID);
	assert_int_equal(add(f, &early, &a), MANAGE_INVALID);
	assert_int_equal(anchors(f, "demo"), 0);
	assert_int_equal(add(f, &good, &a), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 1);
	snprintf(event, sizeof(event), "anchor.add: SHA-256 %s: CN=Manufacturer", a.fingerprint);
	assert_string_equal(manage_fixture_event(f), event);
	assert_int_equal(add(f, &good, &a), MANAGE_CONFLICT);
	assert_int_equal(anchors(f, "demo"), 1);
	assert_int_equal(make_copy(f, "demo", "copy", true, &c), MANAGE_OK);
	assert_int_equal(anchors(f, "copy"), 1);
	buffer_free(&good);
	buffer_free(&device);
	buffer_free(&over);
	buffer_free(&early);
}

static void
an_anchor_is_removed_by_its_fingerprint_in_any_spelling(void **state)
{
	struct manage_fixture *f = *state;
	struct buffer good = {0};
	struct manage_anchor a;
	char spelled[65 + 32] = "";

	manage_fixture_profile(f, "demo", NULL);
	manufacturer(true, 0, &good);
	assert_int_equal(add(f, &good, &a), MANAGE_OK);
	for (int i = 0; i < 32; i++)
		snprintf(spelled + strlen(spelled), sizeof(spelled) - strlen(spelled), "%s%c%c",
		    i > 0 ? ":" : "", a.fingerprint[2 * i] - (a.fingerprint[2 * i] >= 'a' ? 32 : 0),
		    a.fingerprint[2 * i + 1]);
	assert_int_equal(
	    manage_anchor_remove(&f->manage, &f->actor, "demo", "abc", manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_int_equal(
	    manage_anchor_remove(&f->manage, &f->actor, "demo", spelled, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(
	    manage_anchor_remove(&f->manage, &f->actor, "demo", spelled, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	assert_int_equal(anchors(f, "demo"), 0);
	buffer_free(&good);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_copy_has_the_rules_and_the_lineage_but_keys_of_its_own),
	    CASE(a_static_challenge_is_not_copied_and_that_is_said),
	    CASE(a_copy_that_cannot_be_made_leaves_no_key),
	    CASE(an_anchor_is_a_ca_in_its_time_and_goes_with_a_copy),
	    CASE(an_anchor_is_removed_by_its_fingerprint_in_any_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
