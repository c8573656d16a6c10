/*
 * method.h: the ways to prove that a device may have a certificate, each behind one function; authorise.c tries them in a fixed order, and what
 * none of them allows is denied.
 *
 * Order: a certificate (renewal.h, anchor.h); an account's secret, in every mode but intune; the mode's own ("none": approval by hand, or
 * renewal alone).  Behind all of them, the profile's webhooks.
 */
#ifndef AUTHORISE_METHOD_H
#define AUTHORISE_METHOD_H

#include "authorise/authorise.h"

struct authorise_method {
	const char *mode; /* the challenge mode that it serves */
	/*
	 * out has challenge_id filled (the MAC of the CSR's challenge, of an empty one where it has none).  Fills what it knows.  DENY with
	 * why for the audit, the same work and the same text for whatever is wrong with a secret; AWAY with why where it could not find out.
	 */
	enum authorise_rc (*check)(const struct authoriser *a, const struct authorise_request *q,
	    struct authorisation *out, struct errbuf *why);
};

extern const struct authorise_method authorise_static;
extern const struct authorise_method authorise_dynamic;
extern const struct authorise_method authorise_enrollment_code;
extern const struct authorise_method authorise_intune;
extern const struct authorise_method authorise_webhook;
extern const struct authorise_method authorise_none;

#define AUTHORISE_BY_ACCOUNT "account" /* the method's name */

/* ALLOW: the challenge is the secret of an enabled account of the profile, in time; DENY: it is none; AWAY. */
enum authorise_rc authorise_account(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why);

/*
 * Whatever allowed, a certificate too: do the profile's webhooks of kind validate all allow?  ALLOW where there are none; authorise_webhook asks
 * them itself.  DENY with text, where one denies or cannot be asked; AWAY where too many workers are in a call.
 */
enum authorise_rc authorise_ask_webhooks(const struct authoriser *a,
    const struct authorise_request *q, struct authorisation *out, struct errbuf *why);

/* For whom an enrolment is, and what was given with it. */
struct enrollment_row;
struct account_row;
void authorise_know_enrollment(const struct enrollment_row *n, struct authorisation *out);
void authorise_know_account(const struct account_row *account, struct authorisation *out);

#endif
