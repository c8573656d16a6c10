/* test_doctor_list.c: what scepctl doctor finds in the lists of GetCACert and GetNextCACert. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/cms.h>
#include <string.h>

#include "scep/reply.h"
#include "tests/unit/doctor_world.h"

#define LIST(...)                                                                                  \
	doctor_set_list(&d, (const struct doctor_party *const[]){__VA_ARGS__},                     \
	    (int)(sizeof((const struct doctor_party *const[]){__VA_ARGS__}) /                      \
		  sizeof(struct doctor_party *)))

static struct doctor d;
static struct doctor_world *const w = &doctor_world;

static int
heal(void **state)
{
	(void)state;
	doctor_healthy(&d);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	doctor_free(&d);
	return 0;
}

/* GetCACert answers this, and it is read. */
static void
set_answer(int status, const char *type, struct octets body)
{
	LIST(&w->ra, &w->ca);
	for (int i = 0; i < d.count; i++) {
		certificate_free(&d.certificates[i]);
		buffer_free(&d.der[i]);
	}
	d.count = 0;
	d.recipient = d.issuer = NULL;
	doctor_set(&d, DOCTOR_ASK_CA_CERT, status, type, "", body);
	doctor_read(&d);
}

static void
no_list_is_one_failure(void **state)
{
	static const char *const others[] = {"cacert-content-type", "get-ca-cert-message-default",
	    "get-ca-cert-message-identifier", "order-ra-first", "chain-complete",
	    "chain-signatures", "chain-extra", "ra-key-usage", "apple-ra-candidates", "ra-key-type",
	    "ra-key-size", "ra-expiry", "ca-key", "ca-key-usage", "ca-expiry",
	    "signature-algorithms"};
	struct buffer half = {0};

	(void)state;
	buffer_append(&half, w->ca.der.data, w->ca.der.len - 1);
	for (int i = 0; i < 4; i++) {
		if (i == 0)
			set_answer(404, "text/plain", octets_of_string("no CA"));
		else if (i == 1)
			set_answer(200, "application/x-x509-ca-cert", buffer_octets(&half));
		else if (i == 2)
			set_answer(200, "application/x-x509-ca-cert", octets_of(NULL, 0));
		else
			set_answer(200, "text/html", octets_of_string("<html>"));
		assert_int_equal(d.count, 0);
		doctor_assert(
		    &d, "cacert-answer", DOCTOR_FAILURE, i == 0 ? "404 (no CA)" : "GetCACert");
		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			doctor_assert(&d, others[j], DOCTOR_SKIPPED, "");
	}
	buffer_free(&half);
}

/* A list in which one certificate cannot be read is none. */
static void
half_a_list_is_none(void **state)
{
	static const uint8_t junk[] = {0x30, 0x03, 0x02, 0x01, 0x01};
	const struct octets der[] = {buffer_octets(&w->ra.der), octets_of(junk, sizeof(junk))};
	struct buffer body = {0};

	(void)state;
	assert_true(scep_degenerate_encode(der, 2, octets_of(NULL, 0), &body));
	set_answer(200, "application/x-x509-ca-ra-cert", buffer_octets(&body));
	assert_int_equal(d.count, 0);
	doctor_assert(&d, "cacert-answer", DOCTOR_FAILURE, "");
	buffer_free(&body);
}

static void
more_certificates_than_there_is_room_for_are_none(void **state)
{
	struct octets der[DOCTOR_CERTIFICATES + 1];
	struct buffer body = {0};

	(void)state;
	for (int i = 0; i <= DOCTOR_CERTIFICATES; i++)
		der[i] = buffer_octets(&w->ra.der);
	assert_true(
	    scep_degenerate_encode(der, DOCTOR_CERTIFICATES + 1, octets_of(NULL, 0), &body));
	set_answer(200, "application/x-x509-ca-ra-cert", buffer_octets(&body));
	assert_int_equal(d.count, 0);
	doctor_assert(&d, "cacert-answer", DOCTOR_FAILURE, "over 16 certificates");
	buffer_free(&body);
}

static void
the_type_fits_what_is_sent(void **state)
{
	struct octets one = buffer_octets(&w->ca.der);
	struct buffer list = {0};

	(void)state;
	assert_true(scep_degenerate_encode(&one, 1, octets_of(NULL, 0), &list));
	set_answer(200, "application/x-x509-ca-cert", one);
	doctor_assert(&d, "cacert-content-type", DOCTOR_OK, "x-x509-ca-cert");
	set_answer(200, "application/x-x509-ca-ra-cert", one);
	doctor_assert(
	    &d, "cacert-content-type", DOCTOR_FAILURE, "x-x509-ca-cert for one certificate");
	set_answer(200, "application/x-x509-ca-ra-cert", buffer_octets(&list));
	doctor_assert(&d, "cacert-content-type", DOCTOR_OK, "x-x509-ca-ra-cert");
	set_answer(200, "application/x-x509-ca-cert", buffer_octets(&list));
	doctor_assert(&d, "cacert-content-type", DOCTOR_FAILURE, "x-x509-ca-ra-cert for a list");
	set_answer(200, "", one);
	doctor_assert(&d, "cacert-content-type", DOCTOR_FAILURE, "of no type");
	set_answer(200, "application/x-x509-ca-cert; charset=utf-8", one);
	doctor_assert(&d, "cacert-content-type", DOCTOR_WARNING, "charset");
	buffer_free(&list);
}

static void
a_message_makes_no_difference_to_getcacert(void **state)
{
	static const struct {
		enum doctor_question q;
		const char *check;
	} cases[] = {
	    {DOCTOR_ASK_CA_CERT_DEFAULT, "get-ca-cert-message-default"},
	    {DOCTOR_ASK_CA_CERT_IDENTIFIER, "get-ca-cert-message-identifier"},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		doctor_assert(&d, cases[i].check, DOCTOR_OK, "");
		doctor_set(&d, cases[i].q, 200, "", "", buffer_octets(&w->ca.der));
		doctor_assert(&d, cases[i].check, DOCTOR_WARNING, "another certificate");
		doctor_set_text(&d, cases[i].q, 200, "text/html", "<html>");
		doctor_assert(&d, cases[i].check, DOCTOR_FAILURE, "neither a certificate");
		doctor_set_text(&d, cases[i].q, 404, "text/plain", "no such CA");
		doctor_assert(&d, cases[i].check, DOCTOR_FAILURE, "404 (no such CA)");
	}
}

static void
the_ra_stands_first_and_the_root_last(void **state)
{
	(void)state;
	LIST(&w->ca);
	doctor_assert(&d, "order-ra-first", DOCTOR_OK, "its own RA");
	LIST(&w->ra_signs, &w->ra_deciphers, &w->ca);
	doctor_assert(&d, "order-ra-first", DOCTOR_OK, "the RA first");
	LIST(&w->ca, &w->ra);
	doctor_assert(&d, "order-ra-first", DOCTOR_WARNING, "before the RA's");
	LIST(&w->ra, &w->root, &w->ca);
	doctor_assert(&d, "order-ra-first", DOCTOR_WARNING, "certificate 2");
	LIST(&w->ra, &w->root);
	doctor_assert(&d, "order-ra-first", DOCTOR_WARNING, "not the one that issued it");
	LIST(&w->root, &w->ca);
	doctor_assert(&d, "order-ra-first", DOCTOR_WARNING, "certificate 1");
}

static void
the_chain_is_whole(void **state)
{
	(void)state;
	LIST(&w->root);
	doctor_assert(&d, "chain-complete", DOCTOR_OK, "");
	LIST(&w->ra, &w->ca);
	doctor_assert(&d, "chain-complete", DOCTOR_WARNING, "below its root");
	LIST(&w->ra);
	doctor_assert(&d, "chain-complete", DOCTOR_FAILURE, "without its CA's");
	doctor_assert(&d, "ca-key", DOCTOR_SKIPPED, "");
	doctor_assert(&d, "ca-key-usage", DOCTOR_SKIPPED, "");
	LIST(&w->ra, &w->root);
	doctor_assert(&d, "chain-complete", DOCTOR_FAILURE, "without its CA's");
}

static void
the_signatures_of_the_chain_hold(void **state)
{
	(void)state;
	doctor_assert(&d, "chain-signatures", DOCTOR_OK, "3 signatures of the list hold");
	LIST(&w->ra, &w->ca, &w->stranger);
	doctor_assert(&d, "chain-signatures", DOCTOR_FAILURE,
	    "certificate 2 of the list is not signed by the key of certificate 3");
	LIST(&w->ra);
	doctor_assert(&d, "chain-signatures", DOCTOR_SKIPPED, "");
	/* Both roots of that name: the right one is found. */
	LIST(&w->ra, &w->ca, &w->stranger, &w->root);
	doctor_assert(&d, "chain-signatures", DOCTOR_OK, "4 signatures");
}

static void
what_is_not_in_the_chain_does_not_belong_there(void **state)
{
	(void)state;
	LIST(&w->ra_signs, &w->ra_deciphers, &w->ca, &w->root);
	doctor_assert(&d, "chain-extra", DOCTOR_OK, "");
	LIST(&w->ra, &w->ca, &w->stranger, &w->root);
	doctor_assert(&d, "chain-extra", DOCTOR_WARNING, "certificate 3");
	LIST(&w->ra, &w->ca, &w->root, &w->ca);
	doctor_assert(
	    &d, "chain-extra", DOCTOR_WARNING, "certificate 2 of the list is there twice");
}

/* A GetNextCACert answer of these certificates, signed by signer. */
static void
set_next_ca(const struct doctor_party *signer, const char *type)
{
	struct octets next = buffer_octets(&w->stranger.der);
	const uint8_t *at = signer->der.data;
	X509 *x509 = d2i_X509(NULL, &at, (long)signer->der.len);
	struct buffer inner = {0};
	uint8_t *der = NULL;
	CMS_ContentInfo *cms;
	BIO *in;
	int len;

	assert_true(scep_degenerate_encode(&next, 1, octets_of(NULL, 0), &inner));
	in = BIO_new_mem_buf(inner.data, (int)inner.len);
	cms = CMS_sign(x509, signer->key, NULL, in, CMS_BINARY);
	assert_non_null(cms);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	doctor_set(&d, DOCTOR_ASK_NEXT_CA, 200, type, "", octets_of(der, (size_t)len));
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	X509_free(x509);
	buffer_free(&inner);
}

static void
getnextcacert_agrees_with_its_keyword(void **state)
{
	(void)state;
	doctor_assert(&d, "next-ca", DOCTOR_OK, "not offered");
	d.capabilities.next_ca = true;
	doctor_assert(&d, "next-ca", DOCTOR_WARNING, "is offered and gets 404 (no next CA)");
	set_next_ca(&w->ca, "application/x-x509-next-ca-cert");
	doctor_assert(&d, "next-ca", DOCTOR_OK, "signed by the CA of now");
	d.capabilities.next_ca = false;
	doctor_assert(&d, "next-ca", DOCTOR_WARNING, "nobody asks");
	set_next_ca(&w->ca, "application/x-x509-ca-ra-cert");
	doctor_assert(&d, "next-ca", DOCTOR_WARNING, "want application/x-x509-next-ca-cert");
}

static void
the_next_ca_is_vouched_for_by_the_ca_of_now_alone(void **state)
{
	(void)state;
	d.capabilities.next_ca = true;
	set_next_ca(&w->stranger, "application/x-x509-next-ca-cert");
	doctor_assert(&d, "next-ca", DOCTOR_FAILURE, "not signed by the CA");
	set_next_ca(&w->ra, "application/x-x509-next-ca-cert");
	doctor_assert(&d, "next-ca", DOCTOR_FAILURE, "not signed by the CA");
	doctor_set(&d, DOCTOR_ASK_NEXT_CA, 200, "application/x-x509-next-ca-cert", "",
	    octets_of_string("junk"));
	doctor_assert(&d, "next-ca", DOCTOR_FAILURE, "GetNextCACert");
	doctor_set_broken(&d, DOCTOR_ASK_NEXT_CA, HTTP_TOO_LARGE, "too large");
	doctor_assert(&d, "next-ca", DOCTOR_FAILURE, "too large");
	LIST(&w->ra);
	set_next_ca(&w->ca, "application/x-x509-next-ca-cert");
	doctor_assert(&d, "next-ca", DOCTOR_SKIPPED, "not listed");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, heal, forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(no_list_is_one_failure),
	    CASE(half_a_list_is_none),
	    CASE(more_certificates_than_there_is_room_for_are_none),
	    CASE(the_type_fits_what_is_sent),
	    CASE(a_message_makes_no_difference_to_getcacert),
	    CASE(the_ra_stands_first_and_the_root_last),
	    CASE(the_chain_is_whole),
	    CASE(the_signatures_of_the_chain_hold),
	    CASE(what_is_not_in_the_chain_does_not_belong_there),
	    CASE(getnextcacert_agrees_with_its_keyword),
	    CASE(the_next_ca_is_vouched_for_by_the_ca_of_now_alone),
	};

	return cmocka_run_group_tests(tests, doctor_world_open, doctor_world_close);
}
