/* authorise_fixture.h: for the tests of authorise/: a profile, and the decision for a CSR under it. */
#ifndef UNIT_AUTHORISE_FIXTURE_H
#define UNIT_AUTHORISE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

#define WRONG_OF_MINTED "00112233445566778899AABBCCDDEEFF"

static struct rooms rooms;

/* A PKCSReq under a self-signed certificate. */
static inline enum authorise_rc
ask(const struct profile *p, const struct csr *csr, const uint8_t repeat_key[32], int64_t now_ms,
    struct authorisation *out)
{
	const struct certificate none = {0};
	const struct authorise_request q = {
	    .profile = p,
	    .message_type = SCEP_PKCS_REQ,
	    .signer = &none,
	    .signer_self_signed = true,
	    .csr = csr,
	    .repeat_key = repeat_key,
	    .now_ms = now_ms,
	};

	return authorise_enrolment(&rooms.authoriser, &q, out, &rooms.why);
}

/* Decide for a CSR, which is freed. */
static inline enum authorise_rc
decide_for(struct csr csr, uint8_t request, struct authorisation *out)
{
	uint8_t repeat_key[32];
	enum authorise_rc rc;

	memset(repeat_key, request, sizeof(repeat_key));
	rooms.why.line[0] = '\0';
	rc = ask(rooms_profile(&rooms), &csr, repeat_key, clock_now_ms(), out);
	csr_free(&csr);
	return rc;
}

/* Decide for a CSR with this subject and challenge; the repeat key stands for the request. */
static inline enum authorise_rc
decide_at(const char *subject, const char *challenge, uint8_t request, int64_t now_ms,
    struct authorisation *out)
{
	struct csr csr = rooms_csr(pki_rsa_key(), subject, challenge);
	uint8_t repeat_key[32];
	enum authorise_rc rc;

	memset(repeat_key, request, sizeof(repeat_key));
	rooms.why.line[0] = '\0';
	rc = ask(rooms_profile(&rooms), &csr, repeat_key, now_ms, out);
	csr_free(&csr);
	return rc;
}

static inline enum authorise_rc
decide(const char *subject, const char *challenge, uint8_t request, struct authorisation *out)
{
	return decide_at(subject, challenge, request, clock_now_ms(), out);
}

static inline void
is_told(const char *part)
{
	if (strstr(rooms.why.line, part) == NULL)
		fail_msg("why: have \"%s\", want something of \"%s\"", rooms.why.line, part);
}

static inline void
set_mode(const char *mode)
{
	const struct octets challenge = octets_of_string(ROOMS_CHALLENGE);
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;

	change.challenge_mode = mode;
	if (strcmp(mode, "static") == 0)
		change.challenge = &challenge;
	rooms_set(&rooms, &change);
}

/* Set-up of each case with one-time challenges: without a Redis it is skipped. */
static inline void
need_one_time_challenges(void)
{
	if (rooms.server.pid == 0)
		skip();
	set_mode("dynamic");
}

static inline int
open_rooms(void **state)
{
	(void)state;
	rooms_open(&rooms, true);
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

#endif
