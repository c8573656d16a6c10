/* test_seat_field.c: the id of a seat, read from the field of a CSR that the profile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "authorise/seat_field.h"
#include "store/seat_row.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

static void
the_seat_is_read_where_the_profile_says(void **state)
{
	static const struct {
		const char *field, *subject, *san;
	} named[] = {
	    {"subject.commonName", "CN=dev-1", NULL},
	    {"subject.email", "emailAddress=dev-1", NULL},
	    {"subject.serialNumber", "CN=x,serialNumber=dev-1", NULL},
	    {"san.email", "CN=x", "email:dev-1@a.example"},
	    {"san.upn", "CN=x", "upn:dev-1@a.example"},
	    {"san.dns", "CN=x", "dns:dev-1.example"},
	    {"san.uri", "CN=x", "uri:urn:dev-1"},
	};
	size_t count = sizeof(named) / sizeof(named[0]);
	char seat[SEAT_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct csr csr = rooms_csr_san(pki_ec_key(), named[i].subject, named[i].san, NULL);

		for (size_t k = 0; k < count; k++) {
			bool there = seat_field_read(named[k].field, &csr, seat);

			/* "CN=x" is a name too. */
			if (k == i)
				assert_non_null(strstr(seat, "dev-1"));
			else
				assert_null(strstr(seat, "dev-1"));
			assert_int_equal(there, seat[0] != '\0');
		}
		assert_false(seat_field_read("san.ip", &csr, seat));
		assert_false(seat_field_read("subject", &csr, seat));
		assert_false(seat_field_read("", &csr, seat));
		csr_free(&csr);
	}
}

static void
a_seat_named_twice_must_be_the_same(void **state)
{
	struct csr same = rooms_csr_san(pki_ec_key(), "CN=x", "dns:a.example,dns:a.example", NULL);
	struct csr both = rooms_csr_san(pki_ec_key(), "CN=x", "dns:a.example,dns:b.example", NULL);
	char seat[SEAT_ID_MAX + 1];

	(void)state;
	assert_true(seat_field_read("san.dns", &same, seat));
	assert_string_equal(seat, "a.example");
	assert_false(seat_field_read("san.dns", &both, seat));
	assert_string_equal(seat, "");
	csr_free(&same);
	csr_free(&both);
}

static void
a_seat_id_may_be_as_long_as_it_may(void **state)
{
	char subject[SEAT_ID_MAX + 16] = "CN=", seat[SEAT_ID_MAX + 1];
	struct csr csr;

	(void)state;
	memset(subject + 3, 'x', SEAT_ID_MAX);
	csr = rooms_csr(pki_ec_key(), subject, NULL);
	assert_true(seat_field_read("subject.commonName", &csr, seat));
	assert_int_equal(strlen(seat), SEAT_ID_MAX);
	csr_free(&csr);
	subject[3 + SEAT_ID_MAX] = 'x';
	csr = rooms_csr(pki_ec_key(), subject, NULL);
	assert_false(seat_field_read("subject.commonName", &csr, seat));
	csr_free(&csr);
}

static int
free_keys(void **state)
{
	(void)state;
	pki_free_keys();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_seat_is_read_where_the_profile_says),
	    cmocka_unit_test(a_seat_named_twice_must_be_the_same),
	    cmocka_unit_test(a_seat_id_may_be_as_long_as_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
