/*
 * bad_input.c: what each bad input gets over HTTP, and what the audit keeps of it, against a running stack whose variables
 * (SCEP_URL, SCEP_URL_DYNAMIC, CHALLENGE, SCEPCTL) are in the environment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/private_key.h"
#include "scep/client.h"
#include "tests/support/hostile.h"
#include "tests/support/probe.h"

static struct stack {
	struct probe probe;
	const char *path; /* of SCEP_URL */
	struct buffer ca_der[9];
	struct certificate ca[9];
	int ca_count;
	X509 *ra;
	EVP_PKEY *key;
} stack;

/* ---- cases that a CertRep answers */

struct expected {
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	const char *text;   /* part of failInfoText; "": there must be none; NULL: whatever */
	const char *reason; /* part of the audit's reason */
};

static void
new_transaction_id(char out[33])
{
	uint8_t random[16];

	assert_int_equal(RAND_bytes(random, sizeof(random)), 1);
	encoding_hex(octets_of(random, sizeof(random)), out);
}

/* As the signer of h is, with the key that replies are enveloped to. */
static void
parse_signer(const struct hostile *h, struct certificate *signer)
{
	X509 *x = hostile_self_signed(h, h->key);
	struct errbuf why = {0};
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	assert_true(len > 0 && certificate_parse(octets_of(der, (size_t)len), signer, &why));
	OPENSSL_free(der);
	X509_free(x);
}

/* Sends h (given a fresh transactionID) to path; with leaf, a SUCCESS leaves the certificate there. */
static void
sends(struct hostile *h, const char *path, struct expected want, struct certificate *leaf)
{
	struct buffer message = {0}, body = {0};
	struct scep_client_message m = {.key = h->key};
	struct scep_client_reply r = {0};
	struct certificate signer;
	struct errbuf why = {0};
	char id[33];

	new_transaction_id(id);
	h->transaction_id = m.transaction_id = id;
	assert_int_equal(RAND_bytes(h->nonce, sizeof(h->nonce)), 1);
	memcpy(m.sender_nonce, h->nonce, sizeof(m.sender_nonce));
	parse_signer(h, &signer);
	m.signer = &signer;
	hostile_encode(h, &message);
	assert_int_equal(probe_post(&stack.probe, path, buffer_octets(&message), &body), 200);
	if (!scep_client_read(&m, buffer_octets(&body), stack.ca, stack.ca_count, &r, &why))
		fail_msg("reply: %s", why.line);
	assert_int_equal(r.status, want.status);
	if (want.status == SCEP_FAILURE) {
		assert_int_equal(r.fail_info, want.fail_info);
		if (want.text != NULL && want.text[0] == '\0')
			assert_string_equal(r.fail_info_text, "");
		else if (want.text != NULL && strcasestr(r.fail_info_text, want.text) == NULL)
			fail_msg("failInfoText: have \"%s\", want something of \"%s\"",
			    r.fail_info_text, want.text);
		probe_audit_says(id, "refused", want.reason);
	} else {
		probe_audit_says(id, "success", NULL);
		if (leaf != NULL)
			assert_true(
			    certificate_parse(buffer_octets(&r.certificates[0]), leaf, &why));
	}
	scep_client_reply_free(&r);
	certificate_free(&signer);
	buffer_free(&message);
	buffer_free(&body);
}

static struct hostile
proper(void)
{
	return (struct hostile){.cn = "bad-input",
	    .challenge = getenv("CHALLENGE"),
	    .key = stack.key,
	    .recipient = stack.ra};
}

static void
a_proper_message_gets_its_certificate(void **state)
{
	struct hostile h = proper();

	(void)state;
	sends(&h, stack.path, (struct expected){SCEP_SUCCESS, SCEP_NO_FAIL_INFO, NULL, NULL}, NULL);
}

/* Everything up to the proof of possession: one answer, no text; the audit tells them apart. */
static void
faults_before_the_proof_of_possession_get_one_answer(void **state)
{
	static const struct {
		unsigned fault;
		const char *reason;
	} cases[] = {
	    {HOSTILE_SIGNATURE, "signature"},
	    {HOSTILE_CONTENT, "messageDigest"},
	    {HOSTILE_OTHER_RECIPIENT, "recipient"},
	    {HOSTILE_CIPHERTEXT, NULL},
	    {HOSTILE_CSR_GARBAGE, "CSR: "},
	    {HOSTILE_CSR_SIGNATURE, "signature"},
	    {HOSTILE_OTHER_SIGNER, "key"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hostile h = proper();

		h.faults = cases[i].fault;
		print_message("# fault %#x\n", h.faults);
		sends(&h, stack.path,
		    (struct expected){SCEP_FAILURE, SCEP_BAD_MESSAGE_CHECK, "", cases[i].reason},
		    NULL);
	}
}

static void
algorithms_that_the_profile_refuses_get_bad_alg_that_names_them(void **state)
{
	struct hostile h;

	(void)state;
	h = proper();
	h.md = EVP_md5();
	sends(&h, stack.path,
	    (struct expected){SCEP_FAILURE, SCEP_BAD_ALG, "MD5 (1.2.840.113549.2.5)", "digest MD5"},
	    NULL);
	h = proper();
	h.md = EVP_sha1();
	sends(&h, stack.path,
	    (struct expected){SCEP_FAILURE, SCEP_BAD_ALG, "SHA-1 (1.3.14.3.2.26)", "digest SHA-1"},
	    NULL);
	h = proper();
	h.cipher = EVP_des_cbc();
	sends(&h, stack.path,
	    (struct expected){SCEP_FAILURE, SCEP_BAD_ALG, "DES-CBC (1.3.14.3.2.7)", "cipher DES"},
	    NULL);
	h = proper();
	h.cipher = EVP_des_ede3_cbc();
	sends(&h, stack.path,
	    (struct expected){
		SCEP_FAILURE, SCEP_BAD_ALG, "1.2.840.113549.3.7", "cipher DES-EDE3-CBC"},
	    NULL);
	h = proper();
	h.cipher = EVP_camellia_128_cbc();
	/* One that nobody here knows by name. */
	sends(&h, stack.path,
	    (struct expected){SCEP_FAILURE, SCEP_BAD_ALG, "cipher 1.2.392.200011.61.1.1.1.2",
		"1.2.392.200011.61.1.1.1.2"},
	    NULL);
	/* The CSR's own signature too: MD5 is for profiles that say so alone. */
	h = proper();
	h.csr_md = EVP_md5();
	sends(&h, stack.path, (struct expected){SCEP_FAILURE, SCEP_BAD_ALG, "MD5", "CSR"}, NULL);
}

static void
other_message_types_get_bad_request(void **state)
{
	static const int types[] = {3, 99};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct hostile h = proper();

		h.message_type = types[i];
		sends(&h, stack.path,
		    (struct expected){SCEP_FAILURE, SCEP_BAD_REQUEST, NULL, "messageType"}, NULL);
	}
}

static void
challenges_that_are_missing_empty_or_wrong_get_one_answer(void **state)
{
	char *long_one = malloc(4097);
	const char *challenges[] = {NULL, "", "wrong-challenge", long_one};

	(void)state;
	memset(long_one, 'x', 4096);
	long_one[4096] = '\0';
	for (size_t i = 0; i < 4; i++) {
		struct hostile h = proper();

		h.challenge = challenges[i];
		if (challenges[i] != NULL && challenges[i][0] == '\0')
			continue; /* OpenSSL does not encode it */
		sends(&h, stack.path,
		    (struct expected){SCEP_FAILURE, SCEP_BAD_REQUEST,
			"the request is not authorised", "challenge"},
		    NULL);
	}
	free(long_one);
}

static void
keys_outside_the_profiles_limits_are_refused_with_the_limit(void **state)
{
	struct hostile h = proper();
	struct errbuf why = {0};

	(void)state;
	h.key = private_key_generate("rsa:1024", &why);
	assert_non_null(h.key);
	sends(&h, stack.path, (struct expected){SCEP_FAILURE, SCEP_BAD_REQUEST, "2048", "1024"},
	    NULL);
	EVP_PKEY_free(h.key);
}

/* The reply to an EC key is encrypted under the challengePassword: without a strong one nothing is issued, right or wrong. */
static void
an_ec_key_without_a_strong_challenge_is_refused(void **state)
{
	const char *const challenges[] = {NULL, "weak", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct errbuf why = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(challenges) / sizeof(challenges[0]); i++) {
		struct hostile h = proper();

		h.key = private_key_generate("ec:P-256", &why);
		assert_non_null(h.key);
		h.challenge = challenges[i];
		sends(&h, stack.path,
		    (struct expected){
			SCEP_FAILURE, SCEP_BAD_REQUEST, "challengePassword", "EC key"},
		    NULL);
		EVP_PKEY_free(h.key);
	}
}

static void
a_curve_that_nobody_uses_gets_bad_alg_that_names_it(void **state)
{
	struct hostile h = proper();

	(void)state;
	h.key = EVP_EC_gen("secp256k1");
	assert_non_null(h.key);
	sends(&h, stack.path,
	    (struct expected){SCEP_FAILURE, SCEP_BAD_ALG, "not accepted here", "not accepted here"},
	    NULL);
	EVP_PKEY_free(h.key);
}

static void
wishes_for_ca_rights_and_foreign_usages_are_never_copied(void **state)
{
	struct hostile h = proper();
	struct certificate leaf = {0};
	const uint8_t *at;
	X509 *x;

	(void)state;
	h.faults = HOSTILE_WANTS_CA | HOSTILE_WANTS_EKU;
	sends(
	    &h, stack.path, (struct expected){SCEP_SUCCESS, SCEP_NO_FAIL_INFO, NULL, NULL}, &leaf);
	assert_false(leaf.ca);
	assert_int_equal(leaf.key_usage & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN), 0);
	at = leaf.der.data;
	assert_non_null(x = d2i_X509(NULL, &at, (long)leaf.der.len));
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_get_extended_key_usage(x) & (XKU_SSL_SERVER | XKU_CODE_SIGN), 0);
	X509_free(x);
	certificate_free(&leaf);
}

static void
a_subject_that_is_missing_is_refused_by_name(void **state)
{
	struct hostile h = proper();

	(void)state;
	h.faults = HOSTILE_NO_SUBJECT;
	sends(&h, stack.path,
	    (struct expected){SCEP_FAILURE, SCEP_BAD_REQUEST, "subject", "subject"}, NULL);
}

/* ---- what no CertRep can answer */

static void
messages_without_transaction_id_or_with_two_signers_get_400(void **state)
{
	static const unsigned faults[] = {
	    HOSTILE_NO_TRANSACTION_ID, HOSTILE_TWO_SIGNERS, HOSTILE_TRAILING};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct hostile h = proper();
		struct buffer message = {0};

		h.faults = faults[i];
		h.transaction_id = "unanswerable";
		hostile_encode(&h, &message);
		print_message("# fault %#x\n", h.faults);
		assert_int_equal(
		    probe_post(&stack.probe, stack.path, buffer_octets(&message), NULL), 400);
		buffer_free(&message);
	}
}

static void
octets_that_are_no_message_get_400_or_413(void **state)
{
	char *large = calloc(1, 70000);

	(void)state;
	assert_int_equal(probe_post(&stack.probe, stack.path, octets_of("", 0), NULL), 400);
	assert_int_equal(
	    probe_post(&stack.probe, stack.path, octets_of_string("hello"), NULL), 400);
	assert_int_equal(
	    probe_post(&stack.probe, stack.path, octets_of("\x30\x80\x30\x80", 4), NULL), 400);
	assert_int_equal(probe_post(&stack.probe, stack.path, octets_of(large, 60000), NULL), 400);
	assert_int_equal(probe_post(&stack.probe, stack.path, octets_of(large, 70000), NULL), 413);
	free(large);
}

static void
a_query_that_asks_for_nothing_known_gets_400_that_names_it(void **state)
{
	struct buffer body = {0};

	(void)state;
	assert_int_equal(probe_get(&stack.probe, "", NULL), 400);
	assert_int_equal(probe_get(&stack.probe, "?operation=MakeCoffee", &body), 400);
	assert_non_null(strstr(buffer_string(&body), "MakeCoffee"));
	buffer_free(&body);
	assert_int_equal(probe_get(&stack.probe, "?operation=PKIOperation", NULL), 400);
	assert_int_equal(probe_get(&stack.probe, "?operation=PKIOperation&message=", NULL), 400);
	assert_int_equal(
	    probe_get(&stack.probe, "?operation=PKIOperation&message=%21%21", NULL), 400);
	assert_int_equal(
	    probe_get(&stack.probe, "?operation=PKIOperation&message=MAA&message=MAA", NULL), 400);
	assert_int_equal(
	    probe_get(&stack.probe, "?operation=GetCACaps&operation=GetCACert", NULL), 400);
	assert_int_equal(probe_get(&stack.probe, "?operation=GetNextCACert", NULL), 404);
	assert_int_equal(probe_get(&stack.probe, "?operation=GetCACaps", NULL), 200);
}

static void
unknown_and_disabled_profiles_get_404_and_403(void **state)
{
	char command[2048];
	struct hostile h = proper();
	struct buffer message = {0};

	(void)state;
	h.transaction_id = "nowhere";
	hostile_encode(&h, &message);
	assert_int_equal(
	    probe_post(&stack.probe, "/scep/no-such-profile", buffer_octets(&message), NULL), 404);
	snprintf(command, sizeof(command), "%s profile disable mdm >/dev/null", getenv("SCEPCTL"));
	assert_int_equal(system(command), 0);
	assert_int_equal(probe_post(&stack.probe, "/scep/mdm", buffer_octets(&message), NULL), 403);
	snprintf(command, sizeof(command), "%s profile enable mdm >/dev/null", getenv("SCEPCTL"));
	assert_int_equal(system(command), 0);
	assert_int_equal(
	    probe_post(&stack.probe, "/scep/mdm/pkiclient.exe", buffer_octets(&message), NULL),
	    200);
	buffer_free(&message);
}

static int
look_around(void **state)
{
	struct buffer body = {0};
	struct errbuf why = {0};
	const uint8_t *at;

	(void)state;
	if (getenv("SCEP_URL") == NULL || getenv("CHALLENGE") == NULL ||
	    getenv("SCEPCTL") == NULL || !probe_open(&stack.probe, getenv("SCEP_URL"))) {
		fprintf(
		    stderr, "bad_input: SCEP_URL, CHALLENGE and SCEPCTL name a running stack\n");
		return -1;
	}
	stack.path = stack.probe.path;
	if (OSSL_PROVIDER_load(NULL, "legacy") == NULL ||
	    OSSL_PROVIDER_load(NULL, "default") == NULL)
		return -1;
	if (probe_get(&stack.probe, "?operation=GetCACert", &body) != 200)
		return -1;
	stack.ca_count = scep_client_ca_certificates(buffer_octets(&body), stack.ca_der, 9, &why);
	buffer_free(&body);
	for (int i = 0; i < stack.ca_count; i++)
		if (!certificate_parse(buffer_octets(&stack.ca_der[i]), &stack.ca[i], &why))
			return -1;
	if (stack.ca_count < 1)
		return -1;
	at = stack.ca[0].der.data;
	stack.ra = d2i_X509(NULL, &at, (long)stack.ca[0].der.len);
	stack.key = private_key_generate("rsa:2048", &why);
	return stack.ra != NULL && stack.key != NULL ? 0 : -1;
}

/* With an argument: only the case of that name. */
int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_proper_message_gets_its_certificate),
	    cmocka_unit_test(faults_before_the_proof_of_possession_get_one_answer),
	    cmocka_unit_test(algorithms_that_the_profile_refuses_get_bad_alg_that_names_them),
	    cmocka_unit_test(other_message_types_get_bad_request),
	    cmocka_unit_test(challenges_that_are_missing_empty_or_wrong_get_one_answer),
	    cmocka_unit_test(keys_outside_the_profiles_limits_are_refused_with_the_limit),
	    cmocka_unit_test(an_ec_key_without_a_strong_challenge_is_refused),
	    cmocka_unit_test(a_curve_that_nobody_uses_gets_bad_alg_that_names_it),
	    cmocka_unit_test(wishes_for_ca_rights_and_foreign_usages_are_never_copied),
	    cmocka_unit_test(a_subject_that_is_missing_is_refused_by_name),
	    cmocka_unit_test(messages_without_transaction_id_or_with_two_signers_get_400),
	    cmocka_unit_test(octets_that_are_no_message_get_400_or_413),
	    cmocka_unit_test(a_query_that_asks_for_nothing_known_gets_400_that_names_it),
	    cmocka_unit_test(unknown_and_disabled_profiles_get_404_and_403),
	};

	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, look_around, NULL);
}
