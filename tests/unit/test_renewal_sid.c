/* test_renewal_sid.c: the SID that Windows maps a certificate by: whose certificate may ask for which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "authorise/anchor.h"
#include "base/clock.h"
#include "base/der.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

#define DAY   86400
#define OWN   "S-1-5-21-1004336348-1177238915-682003330-1104"
#define ADMIN "S-1-5-21-1004336348-1177238915-682003330-500"

static struct rooms rooms;
static uint8_t next_request = 1;

/* CN=a; sid NULL: none. */
static struct csr
csr_with(const char *sid, const char *challenge)
{
	struct buffer attributes = {0}, extensions = {0}, value = {0}, octets = {0}, name = {0};
	struct buffer der = {0};
	struct csr csr;

	if (sid != NULL) {
		pki_tlv_string(&octets, DER_OCTET_STRING, sid);
		pki_oid(&name, "1.3.6.1.4.1.311.25.2.1");
		pki_wrap(&name, DER_CONTEXT(0), &octets);
		pki_wrap(&octets, DER_CONTEXT(0), &name);
		pki_wrap(&value, DER_SEQUENCE, &octets);
		pki_extension(&extensions, "1.3.6.1.4.1.311.25.2", &value);
		pki_wrap(&value, DER_SEQUENCE, &extensions);
		pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value);
	}
	if (challenge != NULL) {
		pki_tlv_string(&value, DER_UTF8_STRING, challenge);
		pki_attribute(&attributes, PKI_CHALLENGE, &value);
	}
	pki_csr(&der, pki_rsa_key(), "CN=a", &attributes);
	if (!csr_parse(der.data, der.len, &csr, &rooms.why))
		fail_msg("%s", rooms.why.line);
	buffer_free(&der);
	return csr;
}

/* A certificate of the profile for CN=a. */
static struct certificate
certificate_with(const char *sid)
{
	struct csr csr = csr_with(sid, NULL);
	uint8_t repeat_key[32];
	struct issue_order order =
	    rooms_order(&rooms, &csr, next_request++, repeat_key, clock_now());
	struct issue_result result;
	struct certificate c;

	if (issue_certificate(rooms.manage.store, &order, &result, &rooms.why) != ISSUE_DONE)
		fail_msg("%s", rooms.why.line);
	assert_true(certificate_parse(buffer_octets(&result.certificate), &c, &rooms.why));
	issue_result_free(&result);
	csr_free(&csr);
	return c;
}

/* A renewal of a certificate with the SID has, by a CSR with the SID wants. */
static enum authorise_rc
renew(const char *has, const char *wants, const char *challenge)
{
	struct certificate signer = certificate_with(has);
	struct csr csr = csr_with(wants, challenge);
	struct authorisation a;
	uint8_t repeat_key[32];
	const struct authorise_request q = {
	    .profile = rooms_profile(&rooms),
	    .message_type = SCEP_RENEWAL_REQ,
	    .signer = &signer,
	    .csr = &csr,
	    .repeat_key = repeat_key,
	    .now_ms = (clock_now() + 200 * DAY) * 1000,
	};
	enum authorise_rc rc;

	memset(repeat_key, next_request++, sizeof(repeat_key));
	rooms.why.line[0] = '\0';
	rc = authorise_enrolment(&rooms.authoriser, &q, &a, &rooms.why);
	csr_free(&csr);
	certificate_free(&signer);
	return rc;
}

static void
copy_sid(int yes)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	c.microsoft_sid = yes;
	c.certificate_renewal = 1;
	c.same_key_renewal = 1;
	rooms_set(&rooms, &c);
}

static void
a_renewal_keeps_its_sid_or_leaves_it_out(void **state)
{
	(void)state;
	copy_sid(1);
	assert_int_equal(renew(OWN, OWN, NULL), AUTHORISE_ALLOW);
	assert_int_equal(renew(OWN, NULL, NULL), AUTHORISE_ALLOW);
	assert_int_equal(renew(NULL, NULL, NULL), AUTHORISE_ALLOW);
}

static void
a_renewal_asks_for_no_other_sid(void **state)
{
	(void)state;
	copy_sid(1);
	assert_int_equal(renew(OWN, ADMIN, NULL), AUTHORISE_DENY);
	assert_non_null(strstr(rooms.why.line, "microsoftSid"));
	assert_int_equal(renew(NULL, ADMIN, NULL), AUTHORISE_DENY);
	/* Where it is not copied, it does not matter. */
	copy_sid(0);
	assert_int_equal(renew(NULL, ADMIN, NULL), AUTHORISE_ALLOW);
}

/* Who has some certificate may have wrapped another's envelope anew. */
static void
a_challenge_beside_another_sid_is_not_the_signers_to_spend(void **state)
{
	struct certificate signer;
	struct csr csr;
	struct authorisation a;
	uint8_t repeat_key[32] = {0xaa};

	(void)state;
	copy_sid(1);
	signer = certificate_with(OWN);
	csr = csr_with(ADMIN, ROOMS_CHALLENGE);
	const struct authorise_request q = {
	    .profile = rooms_profile(&rooms),
	    .message_type = SCEP_RENEWAL_REQ,
	    .signer = &signer,
	    .csr = &csr,
	    .repeat_key = repeat_key,
	    .now_ms = (clock_now() + 200 * DAY) * 1000,
	};

	signer.spki.len--; /* not the key of the CSR */
	assert_int_equal(
	    authorise_enrolment(&rooms.authoriser, &q, &a, &rooms.why), AUTHORISE_DENY);
	signer.spki.len++;
	csr_free(&csr);
	certificate_free(&signer);
}

/* Would a device whose certificate the profile's anchor signed get what a CSR with this SID asks for? */
static bool
anchor_allows(const char *sid)
{
	struct profile *own = rooms_profile(&rooms), *p = malloc(sizeof(*p));
	struct certificate signer = certificate_with(NULL);
	struct csr csr = csr_with(sid, NULL);
	bool allows;

	assert_non_null(p);
	memcpy(p, own, sizeof(*p));
	p->anchors[0] = own->authorities[0].chain[0];
	p->anchor_count = 1;
	allows = anchor_trusts(p, &signer, &csr, clock_now_ms());
	free(p);
	csr_free(&csr);
	certificate_free(&signer);
	return allows;
}

static void
a_manufacturers_certificate_speaks_for_no_account(void **state)
{
	(void)state;
	copy_sid(1);
	assert_true(anchor_allows(NULL));
	assert_false(anchor_allows(ADMIN));
	copy_sid(0);
	assert_true(anchor_allows(ADMIN));
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
	    cmocka_unit_test(a_renewal_keeps_its_sid_or_leaves_it_out),
	    cmocka_unit_test(a_renewal_asks_for_no_other_sid),
	    cmocka_unit_test(a_challenge_beside_another_sid_is_not_the_signers_to_spend),
	    cmocka_unit_test(a_manufacturers_certificate_speaks_for_no_account),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
