/* test_transaction.c: what the audit gets to know of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fcgi-scep/transaction.h"
#include "fcgi/request_fcgx.h"
#include "pki/name.h"

/* Of any length: also where it fills the memory that it is in. */
static void
the_audit_gets_the_subject_and_nothing_behind_it(void **state)
{
	static const int lengths[] = {1, 252, 253, 254, 509, 1500};
	struct fcgi_request http = {.status = 0};
	struct scep_request message = {.message_type = SCEP_PKCS_REQ};
	char text[2048], want[2048];
	struct errbuf why = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct transaction t = {
		    .http = &http, .operation = "PKIOperation", .message = &message};
		struct buffer name = {0};
		struct audit_event e;
		struct csr csr = {0};

		snprintf(want, sizeof(want), "CN=%0*d", lengths[i], 7);
		snprintf(text, sizeof(text), "%s", want);
		assert_true(name_from_text(text, &name, &why));
		csr.subject = buffer_octets(&name);
		transaction_know_csr(&t, &csr);
		transaction_event(&t, &e);
		assert_string_equal(e.subject, want);
		buffer_free(&t.subject);
		buffer_free(&name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_audit_gets_the_subject_and_nothing_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
