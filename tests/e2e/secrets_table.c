/*
 * secrets_table.c: one row of the table of secrets: a profile of one challenge mode, and all that may be wrong with a challenge there.  What the
 * wire says is the same for every wrong secret, octet for octet apart from what is random in each reply; the audit tells them apart; and
 * afterwards the right one works.
 *
 *	secrets_table URL CN RIGHT [NAME|CHALLENGE|REASON …]
 *
 * RIGHT is the challenge that the CSR's CN may enrol with, "-" where the mode knows none.  Further cases are of the mode alone: used, expired,
 * another profile's.  REASON is part of the audit's.  SCEPCTL in the environment asks the audit.  Prints the cases in TAP's form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/private_key.h"
#include "scep/client.h"
#include "tests/support/hostile.h"
#include "tests/support/probe.h"

#define CASES_MAX 32
#define LONGEST	  16384 /* octets of a challenge that are looked at */

struct secret_case {
	const char *name;
	const char *text; /* as a UTF8String; NULL: see type */
	int type;	  /* V_ASN1_…; 0: none at all, or text */
	struct octets octets;
	bool
	    form; /* what is wrong is the CSR's form: badMessageCheck, before anything is compared */
	const char *reason;
	char transaction_id[33];
};

static struct table {
	const char *cn, *right;
	struct probe probe;
	struct buffer ca_der[9];
	struct certificate ca[9];
	int ca_count;
	X509 *ra;
	EVP_PKEY *key;
	struct secret_case cases[CASES_MAX];
	int count;
	struct buffer first[2]; /* what the first of each kind was answered, masked */
	const char *first_name[2];
} table;

/* ---- the cases */

static void
add(struct secret_case c)
{
	assert_true(table.count < CASES_MAX);
	table.cases[table.count++] = c;
}

static void
add_common_cases(void)
{
	static uint8_t longest[LONGEST], longer[LONGEST + 1];
	static const uint8_t broken[] = {'a', 0xc3, 0x28, 0xff};
	struct octets right = octets_of_string(table.right);

	memset(longest, 'x', sizeof(longest));
	memset(longer, 'x', sizeof(longer));
	add((struct secret_case){.name = "missing"});
	add((struct secret_case){.name = "empty", .type = V_ASN1_UTF8STRING});
	add((struct secret_case){.name = "wrong", .text = "wrong-challenge"});
	add((struct secret_case){
	    .name = "wrong, of the usual length", .text = "0123456789ABCDEF0123456789ABCDEF"});
	add((struct secret_case){.name = "16 KiB",
	    .type = V_ASN1_UTF8STRING,
	    .octets = octets_of(longest, sizeof(longest))});
	add((struct secret_case){.name = "octets that are no UTF-8, in an OCTET STRING",
	    .type = V_ASN1_OCTET_STRING,
	    .octets = octets_of(broken, sizeof(broken))});
	add((struct secret_case){.name = "more than 16 KiB",
	    .type = V_ASN1_UTF8STRING,
	    .octets = octets_of(longer, sizeof(longer)),
	    .form = true,
	    .reason = "16385 octets"});
	add((struct secret_case){.name = "not UTF-8",
	    .type = V_ASN1_UTF8STRING,
	    .octets = octets_of(broken, sizeof(broken)),
	    .form = true,
	    .reason = "malformed"});
	add((struct secret_case){.name = "the right one as an INTEGER",
	    .type = V_ASN1_INTEGER,
	    .octets = right,
	    .form = true,
	    .reason = "not a string"});
	add((struct secret_case){.name = "the right one as a BIT STRING",
	    .type = V_ASN1_BIT_STRING,
	    .octets = right,
	    .form = true,
	    .reason = "not a string"});
}

/* NAME|CHALLENGE|REASON; a NAME that is there already gets its REASON alone. */
static void
add_case_of_mode(char *line)
{
	char *text = strchr(line, '|'), *reason = text == NULL ? NULL : strchr(text + 1, '|');

	if (reason == NULL)
		fail_msg("%s: want NAME|CHALLENGE|REASON", line);
	*text++ = *reason++ = '\0';
	for (int i = 0; i < table.count; i++) {
		if (strcmp(table.cases[i].name, line) == 0) {
			table.cases[i].reason = reason;
			return;
		}
	}
	add((struct secret_case){.name = line, .text = text, .reason = reason});
}

/* ---- sending one */

static void
parse_signer(const struct hostile *h, struct certificate *signer)
{
	X509 *x = hostile_self_signed(h, h->key);
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	assert_true(len > 0 && certificate_parse(octets_of(der, (size_t)len), signer, NULL));
	OPENSSL_free(der);
	X509_free(x);
}

static struct hostile
order(const struct secret_case *c)
{
	struct hostile h = {
	    .transaction_id = c->transaction_id,
	    .cn = table.cn,
	    .challenge = c->text,
	    .challenge_type = c->type,
	    .challenge_octets = c->octets,
	    .key = table.key,
	    .recipient = table.ra,
	};

	assert_int_equal(RAND_bytes(h.nonce, sizeof(h.nonce)), 1);
	return h;
}

/* The HTTP status and the reply's octets; r is what it says. */
static int
sends(struct secret_case *c, struct hostile *h, struct buffer *body, struct scep_client_reply *r)
{
	struct buffer message = {0};
	struct scep_client_message m = {.key = table.key};
	struct certificate signer;
	struct errbuf why = {0};
	uint8_t random[16];
	int status;

	assert_int_equal(RAND_bytes(random, sizeof(random)), 1);
	encoding_hex(octets_of(random, sizeof(random)), c->transaction_id);
	*h = order(c);
	m.transaction_id = c->transaction_id;
	memcpy(m.sender_nonce, h->nonce, sizeof(m.sender_nonce));
	parse_signer(h, &signer);
	m.signer = &signer;
	hostile_encode(h, &message);
	status = probe_post(&table.probe, table.probe.path, buffer_octets(&message), body);
	if (status == 200 &&
	    !scep_client_read(&m, buffer_octets(body), table.ca, table.ca_count, r, &why))
		fail_msg("%s: reply: %s", c->name, why.line);
	certificate_free(&signer);
	buffer_free(&message);
	return status;
}

/* ---- what is random in a reply */

static void
mask(struct buffer *body, struct octets what)
{
	uint8_t *at = body->data;
	int found = 0;

	while (
	    (at = memmem(at, body->len - (size_t)(at - body->data), what.data, what.len)) != NULL) {
		memset(at, 0, what.len);
		found++;
	}
	assert_int_equal(found, 1);
}

/* The transactionID, both nonces (the server's by its attribute, RFC 8894 3.2.1.5), and the signature, which ends the message. */
static void
mask_random(struct buffer *body, const struct secret_case *c, const struct hostile *h)
{
	static const uint8_t sender_nonce[] = {0x06, 0x0a, 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45,
	    0x01, 0x09, 0x05, 0x31, 0x12, 0x04, 0x10};
	uint8_t *nonce;

	mask(body, octets_of_string(c->transaction_id));
	mask(body, octets_of(h->nonce, sizeof(h->nonce)));
	nonce = memmem(body->data, body->len, sender_nonce, sizeof(sender_nonce));
	assert_non_null(nonce);
	memset(nonce + sizeof(sender_nonce), 0, 16);
	assert_true(body->len > 256);
	memset(body->data + body->len - 256, 0, 256);
}

static void
is_answered_as_the_first(struct secret_case *c)
{
	struct buffer body = {0}, *first = &table.first[c->form];
	struct scep_client_reply r = {0};
	struct hostile h;

	assert_int_equal(sends(c, &h, &body, &r), 200);
	assert_int_equal(r.status, SCEP_FAILURE);
	assert_int_equal(r.fail_info, c->form ? SCEP_BAD_MESSAGE_CHECK : SCEP_BAD_REQUEST);
	assert_string_equal(r.fail_info_text, c->form ? "" : "the request is not authorised");
	mask_random(&body, c, &h);
	if (first->len == 0) {
		table.first_name[c->form] = c->name;
		*first = body;
	} else {
		if (!octets_equal(buffer_octets(first), buffer_octets(&body)))
			fail_msg("\"%s\" is answered otherwise than \"%s\"", c->name,
			    table.first_name[c->form]);
		buffer_free(&body);
	}
	scep_client_reply_free(&r);
}

/* ---- the tests */

static void
every_wrong_secret_gets_the_same_octets(void **state)
{
	(void)state;
	for (int i = 0; i < table.count; i++)
		is_answered_as_the_first(&table.cases[i]);
}

static void
the_audit_tells_them_apart(void **state)
{
	(void)state;
	for (int i = 0; i < table.count; i++) {
		const struct secret_case *c = &table.cases[i];

		assert_string_not_equal(c->transaction_id, "");
		print_message("# %s\n", c->name);
		probe_audit_says(c->transaction_id, "refused", c->reason);
	}
}

/* In a BMPString, as Windows sends it, where it is ASCII. */
static void
the_right_one_works_afterwards(void **state)
{
	struct secret_case c = {.name = "right", .type = V_ASN1_BMPSTRING};
	struct scep_client_reply r = {0};
	struct buffer wide = {0}, body = {0};
	struct hostile h;

	(void)state;
	if (strcmp(table.right, "-") == 0)
		skip();
	for (const char *p = table.right; *p != '\0'; p++) {
		buffer_append(&wide, "", 1);
		buffer_append(&wide, p, 1);
	}
	c.octets = buffer_octets(&wide);
	assert_int_equal(sends(&c, &h, &body, &r), 200);
	if (r.status != SCEP_SUCCESS)
		fail_msg("the right one: failInfo %d, %s", (int)r.fail_info, r.fail_info_text);
	probe_audit_says(c.transaction_id, "success", NULL);
	scep_client_reply_free(&r);
	buffer_free(&wide);
	buffer_free(&body);
}

/* ---- the stack */

static bool
look_around(const char *url)
{
	struct buffer body = {0};
	struct errbuf why = {0};
	const uint8_t *at;

	if (getenv("SCEPCTL") == NULL || !probe_open(&table.probe, url) ||
	    probe_get(&table.probe, "?operation=GetCACert", &body) != 200)
		return false;
	table.ca_count = scep_client_ca_certificates(buffer_octets(&body), table.ca_der, 9, &why);
	buffer_free(&body);
	for (int i = 0; i < table.ca_count; i++)
		if (!certificate_parse(buffer_octets(&table.ca_der[i]), &table.ca[i], &why))
			return false;
	if (table.ca_count < 1)
		return false;
	at = table.ca[0].der.data;
	table.ra = d2i_X509(NULL, &at, (long)table.ca[0].der.len);
	table.key = private_key_generate("rsa:2048", &why);
	return table.ra != NULL && table.key != NULL;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_wrong_secret_gets_the_same_octets),
	    cmocka_unit_test(the_audit_tells_them_apart),
	    cmocka_unit_test(the_right_one_works_afterwards),
	};

	if (argc < 4 || !look_around(argv[1])) {
		fprintf(stderr, "usage: secrets_table URL CN RIGHT [NAME|CHALLENGE|REASON …]; "
				"SCEPCTL names a running stack\n");
		return 2;
	}
	table.cn = argv[2];
	table.right = argv[3];
	add_common_cases();
	for (int i = 4; i < argc; i++)
		add_case_of_mode(argv[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
