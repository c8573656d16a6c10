/* An envelope opened as the recipient that a certificate names, and, where none is given, by its first RSA block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "scep/envelope.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;
static const char text[] = "what is in the envelope";

static struct octets
content(void)
{
	return octets_of_string(text);
}

/* For party's key, under the name of another. */
static void
make(const struct scep_party *key, const struct scep_party *name, struct buffer *out)
{
	assert_true(scep_envelope_encode(content(), PKI_AES256, key->key, name->certificate.issuer,
	    name->certificate.serial, out, NULL));
}

/*
 * Whether the content came out.  A key that is not the recipient's decrypts to noise, whose padding looks right once in 256
 * times (RFC 3218 section 2.3.2): that envelope opens too, and what comes out is not the content.
 */
static bool
opens(const struct buffer *envelope, const struct scep_party *p, bool named)
{
	struct buffer out = {0};
	bool held = scep_envelope_open(
	    buffer_octets(envelope), PKI_AES256, p->key, named ? p->x509 : NULL, &out);
	bool same = held && octets_equal(buffer_octets(&out), content());

	assert_true(held || out.data == NULL);
	buffer_free(&out);
	ERR_clear_error();
	return same;
}

static void
an_envelope_opens_as_the_recipient_that_it_names(void **state)
{
	struct buffer envelope = {0};

	(void)state;
	make(&world.ra, &world.ra, &envelope);
	assert_true(opens(&envelope, &world.ra, true));
	assert_false(opens(&envelope, &world.other, true));
	buffer_free(&envelope);
}

static void
an_envelope_under_another_name_opens_only_without_one(void **state)
{
	struct buffer envelope = {0};

	(void)state;
	make(&world.ra, &world.other, &envelope);
	assert_false(opens(&envelope, &world.ra, true));
	assert_true(opens(&envelope, &world.ra, false));
	buffer_free(&envelope);
}

static void
an_envelope_for_another_key_does_not_open_without_a_name(void **state)
{
	struct buffer envelope = {0};

	(void)state;
	make(&world.other, &world.ra, &envelope);
	assert_false(opens(&envelope, &world.ra, false));
	buffer_free(&envelope);
}

static void
an_envelope_without_an_RSA_block_does_not_open_without_a_name(void **state)
{
	struct buffer envelope = {0};

	(void)state;
	assert_true(scep_envelope_encode_password(
	    content(), PKI_AES256, octets_of_string("a password of some length"), &envelope, NULL));
	assert_false(opens(&envelope, &world.ra, false));
	buffer_free(&envelope);
}

/* A recipient of another kind stands before it. */
static void
the_first_RSA_block_need_not_be_the_first_recipient(void **state)
{
	uint8_t password[] = "a password of some length", *der = NULL;
	BIO *in = BIO_new_mem_buf(text, -1);
	struct buffer envelope = {0};
	CMS_ContentInfo *cms;
	int len;

	(void)state;
	cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_PARTIAL | CMS_BINARY);
	assert_non_null(cms);
	assert_non_null(CMS_add0_recipient_password(cms, -1, NID_undef, NID_undef,
	    OPENSSL_memdup(password, sizeof(password)), sizeof(password), NULL));
	assert_non_null(CMS_add1_recipient_cert(cms, world.ra.x509, 0));
	assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	buffer_append(&envelope, der, (size_t)len);
	assert_true(opens(&envelope, &world.ra, true));
	assert_true(opens(&envelope, &world.ra, false));
	assert_false(opens(&envelope, &world.other, false));
	buffer_free(&envelope);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

static int
set_up(void **state)
{
	(void)state;
	scep_world_open(&world);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scep_world_close(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_envelope_opens_as_the_recipient_that_it_names),
	    cmocka_unit_test(an_envelope_under_another_name_opens_only_without_one),
	    cmocka_unit_test(an_envelope_for_another_key_does_not_open_without_a_name),
	    cmocka_unit_test(an_envelope_without_an_RSA_block_does_not_open_without_a_name),
	    cmocka_unit_test(the_first_RSA_block_need_not_be_the_first_recipient),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
