#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/ocsp_fixture.h"
#include "tests/unit/pki_request.h"

#define HOUR 3600

static struct ocsp_fixture fixture;
static struct ocsp_request *request;
static struct buffer der, out;
static struct errbuf why;
static int64_t now;

static const struct ocsp_answer good = {.status = OCSP_STATUS_GOOD};

static int
open_all(void **state)
{
	(void)state;
	now = clock_now();
	ocsp_fixture_open(&fixture, now);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	ocsp_fixture_close(&fixture);
	buffer_free(&der);
	buffer_free(&out);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	ocsp_request_free(request);
	request = NULL;
	return 0;
}

/* Parse a request for count certificates. */
static void
ask(int count, int nonce_len)
{
	forget(NULL);
	ocsp_fixture_request(&fixture, "SHA256", count, nonce_len, &der);
	assert_true(ocsp_request_parse(buffer_octets(&der), &request, &why));
}

static bool
answer_by(const struct ocsp_responder *responder, const struct ocsp_answer *answers)
{
	bool ok;

	buffer_free(&out);
	ok = ocsp_response_encode(request, answers, now, now + HOUR, responder, &out, &why);
	if (!ok) {
		assert_int_equal(out.len, 0);
		assert_true(strlen(why.line) > 0);
	}
	return ok;
}

static OCSP_RESPONSE *
response(void)
{
	const unsigned char *p = out.data;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)out.len);

	assert_non_null(r);
	assert_ptr_equal(p, out.data + out.len);
	return r;
}

static OCSP_BASICRESP *
basic_response(void)
{
	OCSP_RESPONSE *r = response();
	OCSP_BASICRESP *basic;

	assert_int_equal(OCSP_response_status(r), OCSP_RESPONSE_STATUS_SUCCESSFUL);
	basic = OCSP_response_get1_basic(r);
	assert_non_null(basic);
	OCSP_RESPONSE_free(r);
	return basic;
}

/* Trusted by way of the CA alone: so as a delegated responder's. */
static bool
verifies(OCSP_BASICRESP *basic)
{
	X509_STORE *store = X509_STORE_new();
	bool ok;

	assert_int_equal(X509_STORE_add_cert(store, fixture.ca_x509), 1);
	ok = OCSP_basic_verify(basic, NULL, store, 0) == 1;
	X509_STORE_free(store);
	return ok;
}

static void
assert_time(const ASN1_GENERALIZEDTIME *t, int64_t expected)
{
	struct tm tm;

	assert_int_equal(ASN1_STRING_type(t), V_ASN1_GENERALIZEDTIME);
	assert_int_equal(ASN1_STRING_length(t), 15);
	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	assert_int_equal(timegm(&tm), expected);
}

/* ---- what is in it */

static void
openssl_verifies_a_response_by_the_ca_alone(void **state)
{
	const struct ocsp_responder *responders[] = {&fixture.responder, &fixture.ec_responder};

	(void)state;
	for (int i = 0; i < 2; i++) {
		OCSP_BASICRESP *basic;

		ask(1, 16);
		assert_true(answer_by(responders[i], &good));
		basic = basic_response();
		assert_true(verifies(basic));
		assert_int_equal(sk_X509_num(OCSP_resp_get0_certs(basic)), 1);
		assert_int_equal(
		    X509_cmp(sk_X509_value(OCSP_resp_get0_certs(basic), 0), responders[i]->x509),
		    0);
		OCSP_BASICRESP_free(basic);
		out.data[out.len / 3] ^= 1; /* in what is signed */
		{
			const unsigned char *p = out.data;
			OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)out.len);

			basic = r != NULL ? OCSP_response_get1_basic(r) : NULL;
			assert_false(basic != NULL && verifies(basic));
			OCSP_BASICRESP_free(basic);
			OCSP_RESPONSE_free(r);
		}
	}
}

static void
a_device_as_responder_is_not_believed(void **state)
{
	const struct ocsp_responder device = {fixture.device_x509, pki_ec_key()};
	OCSP_BASICRESP *basic;

	(void)state;
	ask(1, 0);
	assert_true(answer_by(&device, &good));
	basic = basic_response();
	assert_false(verifies(basic)); /* which is what OCSPSigning is for */
	OCSP_BASICRESP_free(basic);
}

static void
the_digest_is_sha_256_or_that_of_the_curve(void **state)
{
	OCSP_BASICRESP *basic;

	(void)state;
	ask(1, 0);
	assert_true(answer_by(&fixture.responder, &good));
	basic = basic_response();
	assert_int_equal(
	    OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(basic)->algorithm), NID_sha256WithRSAEncryption);
	OCSP_BASICRESP_free(basic);
	assert_true(answer_by(&fixture.ec_responder, &good));
	basic = basic_response();
	assert_int_equal(
	    OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(basic)->algorithm), NID_ecdsa_with_SHA384);
	OCSP_BASICRESP_free(basic);
}

static void
the_responder_is_named_by_the_hash_of_its_key(void **state)
{
	const ASN1_OCTET_STRING *id;
	const X509_NAME *name;
	unsigned char hash[20];
	OCSP_BASICRESP *basic;

	(void)state;
	ask(1, 0);
	assert_true(answer_by(&fixture.responder, &good));
	basic = basic_response();
	assert_int_equal(OCSP_resp_get0_id(basic, &id, &name), 1);
	assert_null(name);
	assert_int_equal(ASN1_STRING_length(id), 20);
	assert_int_equal(X509_pubkey_digest(fixture.responder.x509, EVP_sha1(), hash, NULL), 1);
	assert_memory_equal(ASN1_STRING_get0_data(id), hash, 20);
	assert_time(OCSP_resp_get0_produced_at(basic), now);
	OCSP_BASICRESP_free(basic);
}

static void
each_certificate_gets_its_own_answer_in_order(void **state)
{
	const struct ocsp_answer answers[] = {
	    {.status = OCSP_STATUS_GOOD},
	    {.status = OCSP_STATUS_REVOKED, .revoked_at = now - HOUR, .reason = 1},
	    {.status = OCSP_STATUS_REVOKED, .revoked_at = now - 2 * HOUR},
	    {.status = OCSP_STATUS_UNKNOWN},
	};
	static const int statuses[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
	    V_OCSP_CERTSTATUS_REVOKED, V_OCSP_CERTSTATUS_UNKNOWN};
	static const int reasons[] = {-1, 1, -1, -1};
	OCSP_BASICRESP *basic;

	(void)state;
	ask(4, 0);
	assert_true(answer_by(&fixture.responder, answers));
	basic = basic_response();
	assert_int_equal(OCSP_resp_count(basic), 4);
	for (int i = 0; i < 4; i++) {
		ASN1_GENERALIZEDTIME *revoked, *this_update, *next_update;
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		OCSP_CERTID *id = ocsp_fixture_id(&fixture, "SHA256");
		ASN1_INTEGER *serial;
		int reason;

		OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
		if (i > 0)
			ASN1_INTEGER_set(serial, i);
		assert_int_equal(OCSP_id_cmp(id, OCSP_SINGLERESP_get0_id(single)), 0);
		assert_int_equal(
		    OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update),
		    statuses[i]);
		assert_time(this_update, now);
		assert_time(next_update, now + HOUR);
		if (statuses[i] == V_OCSP_CERTSTATUS_REVOKED) {
			assert_time(revoked, answers[i].revoked_at);
			assert_int_equal(reason, reasons[i]);
		}
		OCSP_CERTID_free(id);
	}
	OCSP_BASICRESP_free(basic);
}

static void
sixteen_answers_fit(void **state)
{
	struct ocsp_answer answers[16];
	OCSP_BASICRESP *basic;

	(void)state;
	for (int i = 0; i < 16; i++)
		answers[i] = (struct ocsp_answer){OCSP_STATUS_REVOKED, now, 10};
	forget(NULL);
	ocsp_fixture_request(&fixture, "SHA512", 16, 64, &der);
	assert_true(ocsp_request_parse(buffer_octets(&der), &request, &why));
	assert_true(answer_by(&fixture.responder, answers));
	basic = basic_response();
	assert_int_equal(OCSP_resp_count(basic), 16);
	assert_true(verifies(basic));
	OCSP_BASICRESP_free(basic);
}

static void
a_nonce_is_echoed_and_without_one_there_is_none(void **state)
{
	static const int lens[] = {1, 16, 32, 64, 0};

	(void)state;
	for (int i = 0; i < 5; i++) {
		const unsigned char *p;
		OCSP_BASICRESP *basic;
		OCSP_REQUEST *asked;

		ask(1, lens[i]);
		assert_true(answer_by(&fixture.responder, &good));
		basic = basic_response();
		p = der.data;
		asked = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
		assert_int_equal(OCSP_check_nonce(asked, basic), lens[i] > 0 ? 1 : 2);
		assert_int_equal(OCSP_BASICRESP_get_ext_count(basic), lens[i] > 0 ? 1 : 0);
		if (lens[i] > 0)
			assert_int_equal(
			    X509_EXTENSION_get_critical(OCSP_BASICRESP_get_ext(basic, 0)), 0);
		OCSP_REQUEST_free(asked);
		OCSP_BASICRESP_free(basic);
	}
}

static void
times_are_generalized_time_in_every_year(void **state)
{
	static const int64_t years[] = {0, 2524607999, 2524608000, INT64_C(253402300798)};

	(void)state;
	ask(1, 0);
	for (int i = 0; i < 4; i++) {
		OCSP_BASICRESP *basic;

		buffer_free(&out);
		assert_true(ocsp_response_encode(
		    request, &good, years[i], years[i] + 1, &fixture.responder, &out, &why));
		basic = basic_response();
		assert_time(OCSP_resp_get0_produced_at(basic), years[i]);
		OCSP_BASICRESP_free(basic);
	}
}

/* ---- what cannot be written */

static void
times_and_reasons_that_do_not_fit_are_refused(void **state)
{
	struct ocsp_answer a = {.status = OCSP_STATUS_REVOKED, .revoked_at = now, .reason = 6};

	(void)state;
	ask(1, 0);
	assert_true(answer_by(&fixture.responder, &a));
	for (int reason = 7; reason <= 8; reason++) {
		a.reason = reason;
		assert_false(answer_by(&fixture.responder, &a));
	}
	a.reason = 11;
	assert_false(answer_by(&fixture.responder, &a));
	a.reason = 0;
	a.revoked_at = -1;
	assert_false(answer_by(&fixture.responder, &a));
	buffer_free(&out);
	assert_false(
	    ocsp_response_encode(request, &good, now, now, &fixture.responder, &out, &why));
	assert_false(ocsp_response_encode(
	    request, &good, now, INT64_C(253402300800), &fixture.responder, &out, &why));
	assert_int_equal(out.len, 0);
}

static void
a_responder_with_another_key_than_its_certificate_is_refused(void **state)
{
	const struct ocsp_responder mixed = {fixture.responder.x509, pki_ec_key()};

	(void)state;
	ask(1, 0);
	assert_false(answer_by(&mixed, &good));
	assert_non_null(strstr(why.line, "another key"));
	assert_true(answer_by(&fixture.responder, &good));
}

static void
a_response_is_appended(void **state)
{
	struct buffer two = {0};
	size_t first;

	(void)state;
	ask(1, 0);
	assert_true(ocsp_error_encode(OCSP_TRY_LATER, &two));
	first = two.len;
	assert_true(
	    ocsp_response_encode(request, &good, now, now + 1, &fixture.responder, &two, &why));
	buffer_free(&out);
	buffer_append(&out, two.data + first, two.len - first);
	OCSP_BASICRESP_free(basic_response());
	buffer_free(&two);
}

static void
an_error_is_a_status_without_a_response(void **state)
{
	static const int statuses[] = {OCSP_RESPONSE_STATUS_MALFORMEDREQUEST,
	    OCSP_RESPONSE_STATUS_INTERNALERROR, OCSP_RESPONSE_STATUS_TRYLATER,
	    OCSP_RESPONSE_STATUS_SIGREQUIRED, OCSP_RESPONSE_STATUS_UNAUTHORIZED};
	static const int ours[] = {OCSP_MALFORMED_REQUEST, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER,
	    OCSP_SIG_REQUIRED, OCSP_UNAUTHORIZED};
	static const int others[] = {-1, 0, 4, 7, 257};

	(void)state;
	for (int i = 0; i < 5; i++) {
		OCSP_RESPONSE *r;

		buffer_free(&out);
		assert_true(ocsp_error_encode(ours[i], &out));
		r = response();
		assert_int_equal(OCSP_response_status(r), statuses[i]);
		assert_null(OCSP_response_get1_basic(r));
		OCSP_RESPONSE_free(r);
		buffer_free(&out);
		assert_false(ocsp_error_encode(others[i], &out));
		assert_int_equal(out.len, 0);
	}
}

/* ---- the command */

/* What the command says to the response in out: first by the request with its nonce, then by the device's certificate. */
static void
run_openssl(const char *dir, char *text, size_t size)
{
	char command[512];
	size_t len;
	FILE *f;

	pki_write_file(dir, "response.der", NULL, buffer_octets(&out));
	snprintf(command, sizeof(command),
	    "cd %s && { openssl ocsp -CAfile ca.pem -no_nonce -reqin request.der -respin "
	    "response.der && openssl ocsp -CAfile ca.pem -no_nonce -issuer ca.pem -cert device.pem "
	    "-respin response.der; } 2>&1",
	    dir);
	f = popen(command, "r");
	assert_non_null(f);
	len = fread(text, 1, size - 1, f);
	text[len] = '\0';
	assert_int_equal(pclose(f), 0);
}

static void
the_openssl_command_asks_and_believes(void **state)
{
	const struct ocsp_answer revoked = {OCSP_STATUS_REVOKED, now - HOUR, 1};
	char dir[] = "/tmp/test_ocsp.XXXXXX", command[512], text[4096];

	(void)state;
	if (system("openssl version >/dev/null 2>&1") != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	pki_write_file(dir, "ca.pem", "CERTIFICATE", fixture.ca.der);
	pki_write_file(dir, "device.pem", "CERTIFICATE", fixture.device.der);
	snprintf(command, sizeof(command),
	    "cd %s && openssl ocsp -issuer ca.pem -cert device.pem -nonce -reqout request.der "
	    ">/dev/null 2>&1",
	    dir);
	assert_int_equal(system(command), 0);
	{
		uint8_t octets[OCSP_REQUEST_MAX];
		size_t len;
		FILE *f;

		snprintf(command, sizeof(command), "%s/request.der", dir);
		f = fopen(command, "r");
		len = fread(octets, 1, sizeof(octets), f);
		fclose(f);
		forget(NULL);
		assert_true(ocsp_request_parse(octets_of(octets, len), &request, &why));
		assert_true(ocsp_request_has_nonce(request));
		assert_true(ocsp_request_names_ca(request, 0, &fixture.ca));
	}
	assert_true(answer_by(&fixture.responder, &good));
	run_openssl(dir, text, sizeof(text));
	assert_non_null(strstr(text, "Response verify OK"));
	assert_non_null(strstr(text, "device.pem: good"));
	assert_true(answer_by(&fixture.ec_responder, &revoked));
	run_openssl(dir, text, sizeof(text));
	assert_non_null(strstr(text, "Response verify OK"));
	assert_non_null(strstr(text, "device.pem: revoked"));
	assert_non_null(strstr(text, "keyCompromise"));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

#define FORGETS(test) cmocka_unit_test_teardown(test, forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FORGETS(openssl_verifies_a_response_by_the_ca_alone),
	    FORGETS(a_device_as_responder_is_not_believed),
	    FORGETS(the_digest_is_sha_256_or_that_of_the_curve),
	    FORGETS(the_responder_is_named_by_the_hash_of_its_key),
	    FORGETS(each_certificate_gets_its_own_answer_in_order),
	    FORGETS(sixteen_answers_fit),
	    FORGETS(a_nonce_is_echoed_and_without_one_there_is_none),
	    FORGETS(times_are_generalized_time_in_every_year),
	    FORGETS(times_and_reasons_that_do_not_fit_are_refused),
	    FORGETS(a_responder_with_another_key_than_its_certificate_is_refused),
	    FORGETS(a_response_is_appended),
	    FORGETS(an_error_is_a_status_without_a_response),
	    FORGETS(the_openssl_command_asks_and_believes),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
