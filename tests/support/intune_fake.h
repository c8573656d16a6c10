/*
 * intune_fake.h: a login service, Microsoft Graph and Intune for tests, all at one address, and a webhook's service beside them.  tests/e2e/intune_server.c
 * says what it does; tests/support/fake_state.h how it is driven.
 */
#ifndef TESTS_INTUNE_FAKE_H
#define TESTS_INTUNE_FAKE_H

#include <jansson.h>

#include "tests/support/fake_state.h"
#include "tests/support/tls_listener.h"

struct intune_fake {
	const char *dir;
	const char *tenant;
	const char *client_id;
	const char *client_secret;
	const char *webhook_secret; /* base64 */
	const char *webhook_bearer;
	const char *webhook_basic; /* user:password */
	const char *webhook_id;	   /* NULL: any */
};

/* For tls_listener: ctx is a struct intune_fake. */
void intune_fake_answer(void *ctx, const struct tls_request *request, struct tls_answer *answer);

/* Its part for paths below /webhook/. */
void webhook_fake_answer(
    const struct intune_fake *f, const struct tls_request *request, struct tls_answer *answer);

/* What DIR/control wants of an action whatever it is; true: the answer is made.  code is filled where it wants one. */
bool intune_fake_behaves(const struct intune_fake *f, const char *action, struct tls_answer *answer,
    struct fake_behaviour *behaviour);

/* Append {"action","status","code",…,"body"} to DIR/log; body is taken over, NULL: none. */
void intune_fake_log(const struct intune_fake *f, const char *action,
    const struct tls_request *request, const struct tls_answer *answer, const char *code,
    json_t *body);

#endif
