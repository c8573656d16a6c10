#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/scep_message.h"

static struct scep_world world;

/* One octet altered anywhere: no crash, and what opens is the CSR that was sent. */
static void
mutate(struct buffer *message, size_t step, uint8_t with)
{
	for (size_t at = 0; at < message->len; at += step) {
		struct scep_outcome o;

		message->data[at] ^= with;
		scep_run(&world, buffer_octets(message), &o);
		if (o.rc == SCEP_OK)
			assert_true(octets_equal(o.csr.der, buffer_octets(&world.csr)));
		scep_outcome_free(&o);
		message->data[at] ^= with;
	}
}

static void
no_octet_altered_opens_another_request(void **state)
{
	struct buffer message = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_write(&s, &message);
	mutate(&message, 1, 0x01);
	mutate(&message, 3, 0x80);
	mutate(&message, 3, 0xff);
	buffer_free(&message);
	s.ber = true;
	scep_spec_write(&s, &message);
	mutate(&message, 1, 0x20);
	buffer_free(&message);
}

/* The same inside the signature: who signs anew can alter the envelope at will. */
static void
no_octet_of_the_envelope_altered_opens_another_request(void **state)
{
	struct buffer envelope = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_make_envelope(world.ra.x509, s.cipher, s.csr, false, &envelope);
	for (size_t at = 0; at < envelope.len; at += 4) {
		struct scep_outcome o;

		envelope.data[at] ^= 0x41;
		s.content = buffer_octets(&envelope);
		scep_run_spec(&s, &o);
		if (o.rc == SCEP_OK)
			assert_true(octets_equal(o.csr.der, buffer_octets(&world.csr)));
		scep_outcome_free(&o);
		envelope.data[at] ^= 0x41;
	}
	buffer_free(&envelope);
}

static void
a_message_cut_short_is_unanswerable(void **state)
{
	struct buffer message = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_write(&s, &message);
	for (size_t len = 0; len < message.len; len += 7) {
		struct scep_outcome o;

		scep_run(&world, octets_of(message.data, len), &o);
		assert_int_equal(o.rc, SCEP_UNANSWERABLE);
		scep_outcome_free(&o);
	}
	buffer_free(&message);
}

static int
open_world(void **state)
{
	(void)state;
	scep_world_open(&world);
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	scep_world_close(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_octet_altered_opens_another_request),
	    cmocka_unit_test(no_octet_of_the_envelope_altered_opens_another_request),
	    cmocka_unit_test(a_message_cut_short_is_unanswerable),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
