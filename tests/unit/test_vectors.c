/* test_vectors.c: messages as others' clients send them (tests/vectors) are read, and read rightly; the recorded and the made ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/request.h"
#include "tests/support/habit.h"
#include "tests/vectors/scep_keys.h"

#define DIRECTORY "tests/vectors/"
#define SEEDS	  "tests/fuzz/corpus/message/"

static struct {
	struct buffer der;
	struct certificate certificate;
	struct scep_recipient recipient;
} ra;

static struct habit_keys keys;

static void
read_path(const char *path, struct buffer *out)
{
	char room[4096];
	size_t n;
	FILE *f;

	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("%s cannot be read: run from the top of the tree", path);
	while ((n = fread(room, 1, sizeof(room), f)) > 0)
		buffer_append(out, room, n);
	fclose(f);
	assert_false(out->failed);
}

static void
read_file(const char *name, struct buffer *out)
{
	char path[256];

	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	read_path(path, out);
}

/* Whatever is wrong with it, no CSR comes out. */
static void
is_refused(const struct buffer *der)
{
	struct errbuf why = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	const char *stage;
	struct csr csr;

	if (scep_request_parse(buffer_octets(der), &r, &fail, &why) == SCEP_OK)
		assert_int_not_equal(
		    scep_request_open_csr(r, &ra.recipient, true, &csr, &stage, &why), SCEP_OK);
	assert_true(why.line[0] != '\0');
	scep_request_free(r);
}

/* An octet of what part stands for, changed; whether it was found. */
static bool
is_refused_without(struct buffer *der, struct octets part)
{
	uint8_t *at = memmem(der->data, der->len, part.data, part.len);

	if (at == NULL)
		return false;
	at[part.len / 2] ^= 1;
	is_refused(der);
	at[part.len / 2] ^= 1;
	return true;
}

struct expected {
	const char *file;
	enum pki_digest digest;
	enum pki_cipher cipher;
	size_t transaction_id_len;
	const char *subject;
	const char *san;
};

static void
opens(const struct expected *want)
{
	struct buffer der = {0}, subject = {0}, san = {0};
	struct errbuf why = {0}, text = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	const char *stage;
	struct csr csr;

	read_file(want->file, &der);
	assert_int_equal(scep_request_parse(buffer_octets(&der), &r, &fail, &why), SCEP_OK);
	assert_int_equal(r->message_type, SCEP_PKCS_REQ);
	assert_int_equal(r->digest, want->digest);
	assert_int_equal(r->cipher, want->cipher);
	assert_int_equal(r->transaction_id.len, want->transaction_id_len);
	assert_int_equal(r->sender_nonce.len, 16);
	assert_int_equal(scep_request_check_algorithms(
			     r, (uint32_t)want->digest, (uint32_t)want->cipher, &fail, &why, &text),
	    SCEP_OK);
	assert_int_equal(scep_request_check_algorithms(
			     r, PKI_SHA384, (uint32_t)want->cipher, &fail, &why, &text),
	    SCEP_REFUSED);
	if (scep_request_open_csr(r, &ra.recipient, true, &csr, &stage, &why) != SCEP_OK)
		fail_msg("%s: %s: %s", want->file, stage, why.line);
	assert_true(octets_equal(csr.challenge, octets_of_string("vector-challenge-1")));
	assert_true(name_to_text(csr.subject, &subject));
	assert_string_equal(buffer_string(&subject), want->subject);
	if (want->san != NULL) {
		assert_true(san_to_text(csr.san, &san));
		assert_string_equal(buffer_string(&san), want->san);
	}
	csr_free(&csr);

	/* The reject twins: an octet of what is signed, and the last one, which is the signature's. */
	assert_true(is_refused_without(&der, r->sender_nonce));
	der.data[der.len - 1] ^= 1;
	is_refused(&der);
	scep_request_free(r);
	buffer_free(&der);
	buffer_free(&subject);
	buffer_free(&san);
}

static void
what_strongswan_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){"strongswan-5.9.8-pkcsreq.der", PKI_SHA256, PKI_AES128, 40,
	    "CN=strongswan,O=Vectors,C=CH", "DNS:d1.example"});
}

static void
what_scepclient_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){"micromdm-scepclient-2.1.0-pkcsreq.der", PKI_SHA1, PKI_DES, 28,
	    "CN=scepclient,OU=MDM,O=scep-client,C=US", NULL});
}

static void
what_certmonger_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){"certmonger-0.79.17-pkcsreq.der", PKI_SHA256, PKI_AES256, 78,
	    "CN=certmonger", "DNS:cm.example"});
}

static void
what_scepctl_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){
	    "scepctl-0.1.0-pkcsreq.der", PKI_SHA256, PKI_AES128, 64, "CN=scepctl", NULL});
}

/* ---- made by hand -------------------------------------------------------------------------------------------------------------- */

static void
make(const struct habit *h, const struct certificate *recipient, struct habit_message *out)
{
	struct habit_order o = {.habit = h,
	    .keys = &keys,
	    .recipient = recipient,
	    .now = HABIT_VECTOR_TIME,
	    .seed = octets_of_string(HABIT_VECTOR_SEED)};
	struct buffer challenge = {0};

	habit_vector_challenge(h, &challenge);
	o.challenge = buffer_string(&challenge);
	habit_make(&o, out);
	buffer_free(&challenge);
}

static void
is_in_file(const char *directory, const struct habit *h, const struct habit_message *m)
{
	struct buffer der = {0};
	char path[256];

	snprintf(path, sizeof(path), "%s%s.der", directory, h->name);
	read_path(path, &der);
	if (!octets_equal(buffer_octets(&der), buffer_octets(&m->der)))
		fail_msg("%s is not what tests/support/habit.c makes: run make vectors", path);
	buffer_free(&der);
}

static void
vectors_and_seeds_are_what_is_made_again(void **state)
{
	struct certificate fuzz_ra;
	struct errbuf why = {0};

	(void)state;
	assert_true(certificate_parse(
	    octets_of(scep_ra_certificate, sizeof(scep_ra_certificate)), &fuzz_ra, &why));
	for (const struct habit *h = habits; h->name != NULL; h++) {
		struct habit_message m;

		make(h, &ra.certificate, &m);
		is_in_file(DIRECTORY, h, &m);
		habit_message_free(&m);
		make(h, &fuzz_ra, &m);
		is_in_file(SEEDS, h, &m);
		habit_message_free(&m);
	}
	certificate_free(&fuzz_ra);
}

/* A vector that no test opens, or that nobody knows the origin of. */
static void
each_vector_is_in_the_readme_and_is_a_seed(void **state)
{
	struct buffer readme = {0}, seed = {0};
	DIR *d = opendir(DIRECTORY);
	char name[300], path[600];
	struct dirent *e;
	int count = 0;

	(void)state;
	assert_non_null(d);
	read_file("README.md", &readme);
	assert_non_null(buffer_string(&readme));
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 4, ".der") != 0)
			continue;
		snprintf(name, sizeof(name), "`%s`", e->d_name);
		if (strstr((char *)readme.data, name) == NULL)
			fail_msg("%s is not in " DIRECTORY "README.md", e->d_name);
		if (strcmp(e->d_name, "ra.der") == 0)
			continue;
		count++;
		snprintf(path, sizeof(path), SEEDS "%s", e->d_name);
		read_path(path, &seed);
		assert_true(seed.len > 0);
		buffer_free(&seed);
	}
	assert_true(count >= 33);
	closedir(d);
	buffer_free(&readme);
}

static void
is_as_the_habit_says(
    const struct scep_request *r, const struct habit *h, const struct habit_message *m)
{
	int64_t now = HABIT_VECTOR_TIME + h->clock_off;

	assert_int_equal(r->message_type, h->message_type != 0 ? h->message_type : 19);
	assert_int_equal(r->digest, h->digest != 0 ? h->digest : PKI_SHA256);
	assert_int_equal(r->cipher, h->cipher != 0 ? h->cipher : PKI_AES128);
	assert_true(octets_equal(r->transaction_id, octets_of_string(m->transaction_id)));
	assert_int_equal(r->transaction_id_tag,
	    h->transaction_id_tag != 0 ? h->transaction_id_tag : DER_PRINTABLE_STRING);
	assert_int_equal(r->sender_nonce.len, m->nonce_len);
	assert_int_equal(r->signer_self_signed, h->signer == HABIT_SELF_SIGNED);
	assert_int_equal(r->signer_key.bits, h->small_key ? 1024 : 2048);
	if (h->serial_len > 0)
		assert_int_equal(r->signer.serial.len, h->serial_len);
	assert_int_equal(r->recipient_ski.len, h->recipient_by_ski ? 20 : 0);
	assert_true(scep_request_is_for(r, &ra.recipient));
	assert_int_equal(r->has_signing_time, h->signing_time);
	if (h->signing_time)
		assert_int_equal(r->signing_time, now);
}

/* Only what it uses lets it pass; what is missing is named with its OID. */
static void
passes_with_its_algorithms_alone(const struct scep_request *r)
{
	struct errbuf why = {0}, text = {0};
	enum scep_fail_info fail;
	char oid[64];

	assert_int_equal(scep_request_check_algorithms(
			     r, (uint32_t)r->digest, (uint32_t)r->cipher, &fail, &why, &text),
	    SCEP_OK);
	assert_int_equal(scep_request_check_algorithms(
			     r, ~(uint32_t)r->digest, (uint32_t)r->cipher, &fail, &why, &text),
	    SCEP_REFUSED);
	assert_int_equal(fail, SCEP_BAD_ALG);
	assert_non_null(strstr(text.line, pki_oid_text(r->digest_oid, oid, sizeof(oid))));
	assert_int_equal(scep_request_check_algorithms(
			     r, (uint32_t)r->digest, ~(uint32_t)r->cipher, &fail, &why, &text),
	    SCEP_REFUSED);
	assert_int_equal(fail, SCEP_BAD_ALG);
	assert_non_null(strstr(text.line, pki_oid_text(r->cipher_oid, oid, sizeof(oid))));
}

static void
opens_as_the_habit_says(
    struct scep_request *r, const struct habit *h, const struct habit_message *m)
{
	struct buffer challenge = {0};
	struct errbuf why = {0};
	const char *stage;
	struct csr csr;

	if (scep_request_open_csr(r, &ra.recipient, true, &csr, &stage, &why) != SCEP_OK)
		fail_msg("%s: %s: %s", h->name, stage, why.line);
	habit_vector_challenge(h, &challenge);
	assert_true(octets_equal(csr.challenge, buffer_octets(&challenge)));
	assert_true(octets_equal(csr.subject, buffer_octets(&m->subject)));
	assert_true(octets_equal(csr.der, buffer_octets(&m->content)));
	assert_int_equal(csr.digest, h->csr_digest != 0 ? h->csr_digest : PKI_SHA256);
	csr_free(&csr);
	buffer_free(&challenge);
}

/* 16 octets of the ciphertext: near its end, and not where two pieces of it meet. */
static bool
is_refused_with_another_ciphertext(struct buffer *der, const struct buffer *envelope)
{
	for (size_t back = 48; back < 200; back += 16)
		if (is_refused_without(der, octets_of(envelope->data + envelope->len - back, 16)))
			return true;
	return false;
}

static void
what_is_made_by_hand_is_read(void **state)
{
	(void)state;
	for (const struct habit *h = habits; h->name != NULL; h++) {
		struct habit_message m;
		struct errbuf why = {0};
		enum scep_fail_info fail;
		struct scep_request *r;

		print_message("# %s\n", h->name);
		make(h, &ra.certificate, &m);
		assert_int_equal(
		    scep_request_parse(buffer_octets(&m.der), &r, &fail, &why), SCEP_OK);
		is_as_the_habit_says(r, h, &m);
		passes_with_its_algorithms_alone(r);
		if (h->content == HABIT_CSR)
			opens_as_the_habit_says(r, h, &m);
		assert_true(is_refused_without(&m.der, r->sender_nonce));
		assert_true(is_refused_with_another_ciphertext(&m.der, &m.envelope));
		scep_request_free(r);
		habit_message_free(&m);
	}
}

static int
load_ra(void **state)
{
	const struct octets no_passphrase = {0};
	char copy[] = "/tmp/scep-vectors.XXXXXX";
	struct buffer pem = {0};
	struct errbuf why = {0};
	const uint8_t *at;
	FILE *f;
	int fd;

	(void)state;
	habit_keys_open(&keys);
	/* A checkout's file is readable by others, which a private key's must not be. */
	read_file("ra.key.pem", &pem);
	if ((fd = mkstemp(copy)) < 0 || (f = fdopen(fd, "w")) == NULL)
		return -1;
	fwrite(pem.data, 1, pem.len, f);
	fclose(f);
	buffer_free(&pem);
	ra.recipient.key = private_key_load(copy, no_passphrase, &why);
	remove(copy);
	read_file("ra.der", &ra.der);
	if (ra.recipient.key == NULL ||
	    !certificate_parse(buffer_octets(&ra.der), &ra.certificate, &why))
		return -1;
	at = ra.der.data;
	ra.recipient.certificate = &ra.certificate;
	ra.recipient.x509 = d2i_X509(NULL, &at, (long)ra.der.len);
	return ra.recipient.x509 != NULL ? 0 : -1;
}

static int
free_ra(void **state)
{
	(void)state;
	habit_keys_close(&keys);
	EVP_PKEY_free(ra.recipient.key);
	X509_free(ra.recipient.x509);
	certificate_free(&ra.certificate);
	buffer_free(&ra.der);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_strongswan_sends_is_read),
	    cmocka_unit_test(what_scepclient_sends_is_read),
	    cmocka_unit_test(what_certmonger_sends_is_read),
	    cmocka_unit_test(what_scepctl_sends_is_read),
	    cmocka_unit_test(vectors_and_seeds_are_what_is_made_again),
	    cmocka_unit_test(each_vector_is_in_the_readme_and_is_a_seed),
	    cmocka_unit_test(what_is_made_by_hand_is_read),
	};

	return cmocka_run_group_tests(tests, load_ra, free_ra);
}
