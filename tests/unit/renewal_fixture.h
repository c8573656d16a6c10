/* renewal_fixture.h: for the tests of renewals: a certificate of the profile, and what is decided about the request that renews it. */
#ifndef UNIT_RENEWAL_FIXTURE_H
#define UNIT_RENEWAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/certificate_row.h"
#include "store/revocation.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

#define DAY 86400

static struct rooms rooms;
static uint8_t next_request = 1;

/* A certificate that the profile issued, and what a test changes of the request that renews it. */
struct renewing {
	struct issue_result issued;
	struct certificate signer;
	struct authorise_request q;
	struct csr csr;
	uint8_t repeat_key[32];
};

/* It is for subject; the request, half a year later, for asked by key. */
static inline void
start(struct renewing *r, const char *subject, const char *asked, EVP_PKEY *key,
    const char *challenge)
{
	struct csr csr = rooms_csr(pki_rsa_key(), subject, ROOMS_CHALLENGE);
	uint8_t repeat_key[32];
	struct issue_order order =
	    rooms_order(&rooms, &csr, next_request++, repeat_key, clock_now());

	memset(r, 0, sizeof(*r));
	assert_int_equal(
	    issue_certificate(rooms.manage.store, &order, &r->issued, &rooms.why), ISSUE_DONE);
	csr_free(&csr);
	assert_true(
	    certificate_parse(buffer_octets(&r->issued.certificate), &r->signer, &rooms.why));
	r->csr = rooms_csr(key, asked, challenge);
	memset(r->repeat_key, next_request++, sizeof(r->repeat_key));
	r->q = (struct authorise_request){
	    .profile = rooms_profile(&rooms),
	    .message_type = SCEP_RENEWAL_REQ,
	    .signer = &r->signer,
	    .csr = &r->csr,
	    .repeat_key = r->repeat_key,
	    .now_ms = (clock_now() + 200 * DAY) * 1000,
	};
}

static inline void
end(struct renewing *r)
{
	csr_free(&r->csr);
	certificate_free(&r->signer);
	issue_result_free(&r->issued);
}

static inline enum authorise_rc
decide(struct renewing *r, struct authorisation *a)
{
	rooms.why.line[0] = '\0';
	return authorise_enrolment(&rooms.authoriser, &r->q, a, &rooms.why);
}

static inline void
is_allowed(struct renewing *r, const char *method, bool linked)
{
	struct authorisation a;

	if (decide(r, &a) != AUTHORISE_ALLOW)
		fail_msg("denied: %s", rooms.why.line);
	assert_string_equal(a.method, method);
	assert_int_equal(a.predecessor_id != 0, linked);
}

static inline void
is_denied(struct renewing *r, enum scep_fail_info fail_info, const char *part)
{
	struct authorisation a;

	assert_int_equal(decide(r, &a), AUTHORISE_DENY);
	assert_int_equal(a.fail_info, fail_info);
	if (strstr(a.text.line, part) == NULL)
		fail_msg("text: have \"%s\", want something of \"%s\"", a.text.line, part);
}

static inline void
set(void (*change)(struct manage_profile_change *c))
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	change(&c);
	rooms_set(&rooms, &c);
}

static inline void
defaults(struct manage_profile_change *c)
{
	c->certificate_renewal = 1;
	c->same_key_renewal = 1;
	c->renewal_threshold_days = 0;
	c->max_successors = 5;
	c->field_count = 0;
	c->require_signer_key = 1;
}

static inline int
set_defaults(void **state)
{
	(void)state;
	set(defaults);
	return 0;
}

static inline int
open_rooms(void **state)
{
	(void)state;
	rooms_open(&rooms, false);
	return 0;
}

static inline int
close_rooms(void **state)
{
	(void)state;
	rooms_close(&rooms);
	pki_free_keys();
	return 0;
}

#define CASE(f) cmocka_unit_test_setup(f, set_defaults)

#endif
