/* transaction_fixture.h: for the tests of transactions in the store: decisions by number. */
#ifndef TESTS_TRANSACTION_FIXTURE_H
#define TESTS_TRANSACTION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "store/transaction_row.h"
#include "tests/unit/store_fixture.h"

/* A request of key number, with octets for everything; the caller frees it. */
static inline struct transaction_row
a_transaction(uint8_t number, enum transaction_status status)
{
	struct transaction_row t = {
	    .profile_id = FIXTURE_SCEP_PROFILE,
	    .profile = "demo",
	    .status = status,
	    .created_at = FIXTURE_NOW - 60,
	    .expires_at = FIXTURE_NOW + 3600,
	    .decided_at = FIXTURE_NOW,
	    .decided_by = "scepctl:root",
	    .reason = "because",
	    .fail_info = status == TRANSACTION_REJECTED ? 2 : 0,
	    .address = "192.0.2.7",
	    .transaction_id = "hex:00ff",
	    .message_type = 19,
	    .method = "dynamic",
	    .subject = "CN=device",
	    .key_type = "EC-P-256",
	};

	memset(t.key, number, sizeof(t.key));
	t.key[3] = 0;
	memset(t.repeat_key, number + 1, sizeof(t.repeat_key));
	snprintf(t.id, sizeof(t.id), "0e0e0e0e-0000-4000-8000-0000000000%02x", number);
	buffer_append_string(&t.csr, "the CSR");
	buffer_append_string(&t.signer, "the signer");
	buffer_append_string(&t.challenge_id, "the id of the challenge");
	buffer_append_string(&t.predecessor, "the predecessor");
	buffer_append_string(&t.sealed_password, "the sealed password");
	return t;
}

/* Decide, and free. */
static inline enum store_rc
decide(struct store_fixture *f, struct transaction_row t)
{
	enum store_rc rc = store_transaction_decide(f->store, &t, &fixture_event, &f->why);

	transaction_row_free(&t);
	return rc;
}

#endif
