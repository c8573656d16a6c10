/* test_scep_conformance.c: clauses of RFC 8894 about messages that no other test shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

/* RFC 8894 3.2.2: contentType in encryptedContentInfo. */
static void
what_is_encrypted_is_data(void **state)
{
	static const uint8_t id_data[] = {
	    0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
	struct buffer envelope = {0};
	struct scep_spec s;
	uint8_t *at;

	(void)state;
	scep_spec(&s, &world);
	scep_make_envelope(world.ra.x509, PKI_AES128, s.csr, false, &envelope);
	s.content = buffer_octets(&envelope);
	scep_assert_opens(&s);
	at = memmem(envelope.data, envelope.len, id_data, sizeof(id_data));
	assert_non_null(at);
	at[sizeof(id_data) - 1] = 2; /* id-signedData */
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "in encryptedContentInfo is not id-data");
	buffer_free(&envelope);
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
	    cmocka_unit_test(what_is_encrypted_is_data),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
