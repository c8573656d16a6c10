/*
 * habit.c: others' clients' habits (tests/support/habit.c) as messages in files.
 *
 *	habit list
 *	habit make NAME --ca GETCACERT.der --challenge TEXT --out MESSAGE.der [--digest D] [--cipher C] [--id TRANSACTIONID]
 *	    [--old CERTIFICATE.pem] [--spoil yes]
 *	habit read NAME --ca GETCACERT.der --message MESSAGE.der --reply REPLY.der [--certificates PREFIX]
 *	    both with [--key KEY.pem]
 *	habit key NAME KEY.pem
 *	habit vectors
 *
 * make writes a message that nobody has sent yet, with another digest, cipher or transactionID than the habit's where one is
 * named, and another key; --old is the certificate that a renewal replaces (its key is that of "habit key"); --spoil changes an octet of the ciphertext.
 * read verifies the reply and prints what is in it, a line each; PREFIX1.pem … are the certificates in their order.  It ends with 0 for
 * SUCCESS, 1 for a reply that says otherwise, 2 where it cannot be trusted.  vectors, called at the top of the tree, writes
 * tests/vectors/NAME.der, and the same message for the fuzz target's RA as tests/fuzz/corpus/message/NAME.der.
 */
#include <getopt.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scep/scep.h"
#include "tests/support/habit.h"
#include "tests/support/habit_reply.h"
#include "tests/vectors/scep_keys.h"

static struct options {
	const char *ca, *challenge, *out, *old, *digest, *cipher, *id, *key, *spoil, *message,
	    *reply, *certificates;
} options;

__attribute__((noreturn)) static void
die(const char *what, const char *why)
{
	fprintf(stderr, "habit: %s%s%s\n", what, why != NULL ? ": " : "", why != NULL ? why : "");
	exit(2);
}

static void
read_file(const char *path, struct buffer *out)
{
	char chunk[4096];
	size_t n;
	FILE *in = NULL;

	if (path == NULL || (in = fopen(path, "rb")) == NULL)
		die("cannot open", path != NULL ? path : "a file that no option names");
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buffer_append(out, chunk, n);
	fclose(in);
}

static void
write_file(const char *path, struct octets text)
{
	FILE *out = NULL;

	if (path == NULL || (out = fopen(path, "wb")) == NULL ||
	    fwrite(text.data, 1, text.len, out) != text.len || fclose(out) != 0)
		die("cannot write", path != NULL ? path : "a file that no option names");
}

static void
parse_certificate(struct octets der, struct certificate *out)
{
	struct errbuf why = {0};

	if (!certificate_parse(der, out, &why))
		die("certificate", why.line);
}

static void
parse_x509(X509 *x, struct certificate *out)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	if (len <= 0)
		die("certificate", NULL);
	parse_certificate(octets_of(der, (size_t)len), out);
	OPENSSL_free(der);
}

static STACK_OF(X509) * read_authorities(void)
{
	struct buffer body = {0};
	STACK_OF(X509) * all;

	read_file(options.ca, &body);
	if ((all = habit_authorities(buffer_octets(&body))) == NULL)
		die("--ca has no certificates", options.ca);
	buffer_free(&body);
	return all;
}

static void
read_old(struct certificate *out)
{
	FILE *in = fopen(options.old, "r");
	X509 *x = in != NULL ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;

	if (x == NULL)
		die("--old has no certificate", options.old);
	parse_x509(x, out);
	X509_free(x);
	fclose(in);
}

/* The habit with what the options say otherwise. */
static struct habit
changed(const struct habit *h)
{
	struct habit out = *h;

	if (options.digest != NULL)
		out.digest = pki_digest_of_name(options.digest);
	if (options.cipher != NULL)
		out.cipher = pki_cipher_of_name(options.cipher);
	if (options.id != NULL)
		out.transaction_id = options.id;
	return out;
}

/* One octet near the end of the ciphertext, which may be in pieces. */
static void
spoil(struct habit_message *m)
{
	uint8_t *at = NULL;

	for (size_t back = 48; at == NULL && back < 200; back += 16)
		at = memmem(m->der.data, m->der.len, m->envelope.data + m->envelope.len - back, 16);
	if (at == NULL)
		die("the ciphertext is nowhere", NULL);
	*at ^= 1;
}

static int
make(const struct habit *h, const struct habit_keys *keys)
{
	struct habit wanted = changed(h);
	STACK_OF(X509) *authorities = read_authorities();
	struct certificate ra, old = {0};
	struct habit_message m;
	uint8_t seed[16];
	struct habit_order o = {
	    .habit = &wanted,
	    .keys = keys,
	    .recipient = &ra,
	    .challenge = options.challenge,
	    .now = clock_now(),
	    .seed = {seed, sizeof(seed)},
	};

	if (options.challenge == NULL || RAND_bytes(seed, sizeof(seed)) != 1)
		die("--challenge is needed", NULL);
	parse_x509(sk_X509_value(authorities, 0), &ra);
	if (options.old != NULL) {
		read_old(&old);
		o.old = &old;
	}
	habit_make(&o, &m);
	if (options.spoil != NULL)
		spoil(&m);
	write_file(options.out, buffer_octets(&m.der));
	habit_message_free(&m);
	certificate_free(&ra);
	certificate_free(&old);
	sk_X509_pop_free(authorities, X509_free);
	return 0;
}

static void
write_certificates(const struct habit_reply *r)
{
	char path[512];

	for (int i = 0; i < sk_X509_num(r->certificates); i++) {
		FILE *out;

		snprintf(path, sizeof(path), "%s%d.pem", options.certificates, i + 1);
		if ((out = fopen(path, "w")) == NULL ||
		    PEM_write_X509(out, sk_X509_value(r->certificates, i)) != 1 || fclose(out) != 0)
			die("cannot write", path);
	}
}

static int
read_reply(const struct habit *h, const struct habit_keys *keys)
{
	STACK_OF(X509) *authorities = read_authorities();
	struct buffer request = {0}, reply = {0};
	struct habit_reply r;
	struct errbuf why = {0};
	int status;

	read_file(options.message, &request);
	read_file(options.reply, &reply);
	if (!habit_reply_read(buffer_octets(&request), buffer_octets(&reply), authorities,
		habit_signer_key(h, keys), &r, &why))
		die("reply", why.line);
	printf("pkiStatus %s\n", scep_pki_status_name((enum scep_pki_status)r.status));
	if (r.fail_info >= 0)
		printf("failInfo %s\n", scep_fail_info_name((enum scep_fail_info)r.fail_info));
	printf("failInfoText %s\n", r.text);
	printf("digest %s\nsignature %s\ncipher %s\n", r.digest, r.signature, r.cipher);
	printf("certificates %d\n", r.certificates != NULL ? sk_X509_num(r.certificates) : 0);
	printf("crls %d\n", r.crls);
	if (options.certificates != NULL)
		write_certificates(&r);
	status = r.status == SCEP_SUCCESS ? 0 : 1;
	habit_reply_free(&r);
	buffer_free(&request);
	buffer_free(&reply);
	sk_X509_pop_free(authorities, X509_free);
	return status;
}

static int
write_key(const struct habit *h, const struct habit_keys *keys, const char *path)
{
	FILE *out = fopen(path, "w");

	if (out == NULL ||
	    PEM_write_PrivateKey(out, habit_signer_key(h, keys), NULL, NULL, 0, NULL, NULL) != 1 ||
	    fclose(out) != 0)
		die("cannot write", path);
	return 0;
}

/* ---- vectors ------------------------------------------------------------------------------------------------------------------ */

static void
write_in(const char *directory, const char *name, const struct buffer *octets)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.der", directory, name);
	write_file(path, buffer_octets(octets));
}

static void
write_vector(const struct habit *h, const struct habit_keys *keys, const struct certificate *ra,
    const struct certificate *fuzz_ra)
{
	struct buffer challenge = {0};
	struct habit_message m;
	struct habit_order o = {.habit = h,
	    .keys = keys,
	    .recipient = ra,
	    .now = HABIT_VECTOR_TIME,
	    .seed = octets_of_string(HABIT_VECTOR_SEED)};

	habit_vector_challenge(h, &challenge);
	o.challenge = buffer_string(&challenge);
	habit_make(&o, &m);
	write_in("tests/vectors", h->name, &m.der);
	habit_message_free(&m);
	o.recipient = fuzz_ra;
	habit_make(&o, &m);
	write_in("tests/fuzz/corpus/message", h->name, &m.der);
	habit_message_free(&m);
	buffer_free(&challenge);
}

static int
write_vectors(const struct habit_keys *keys)
{
	struct certificate ra, fuzz_ra;
	struct buffer der = {0};

	read_file("tests/vectors/ra.der", &der);
	parse_certificate(buffer_octets(&der), &ra);
	parse_certificate(octets_of(scep_ra_certificate, sizeof(scep_ra_certificate)), &fuzz_ra);
	for (const struct habit *h = habits; h->name != NULL; h++)
		write_vector(h, keys, &ra, &fuzz_ra);
	certificate_free(&ra);
	certificate_free(&fuzz_ra);
	buffer_free(&der);
	return 0;
}

static int
list(void)
{
	for (const struct habit *h = habits; h->name != NULL; h++)
		printf("%s\t%s\t%s\n", h->name, h->client, h->habit);
	return 0;
}

/* ---- */

static void
read_options(int argc, char **argv)
{
	static const struct {
		struct option name;
		const char **at;
	} all[] = {{{"ca", 1, NULL, 0}, &options.ca},
	    {{"challenge", 1, NULL, 0}, &options.challenge}, {{"out", 1, NULL, 0}, &options.out},
	    {{"old", 1, NULL, 0}, &options.old}, {{"digest", 1, NULL, 0}, &options.digest},
	    {{"cipher", 1, NULL, 0}, &options.cipher}, {{"spoil", 1, NULL, 0}, &options.spoil},
	    {{"id", 1, NULL, 0}, &options.id}, {{"key", 1, NULL, 0}, &options.key},
	    {{"message", 1, NULL, 0}, &options.message}, {{"reply", 1, NULL, 0}, &options.reply},
	    {{"certificates", 1, NULL, 0}, &options.certificates}};
	struct option names[sizeof(all) / sizeof(all[0]) + 1] = {0};
	int index, c;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		names[i] = all[i].name;
	while ((c = getopt_long(argc, argv, "", names, &index)) != -1) {
		if (c != 0)
			die("see the first lines of habit.c", NULL);
		*all[index].at = optarg;
	}
}

/* --key in place of the device's. */
static void
read_key(struct habit_keys *keys)
{
	FILE *in = fopen(options.key, "r");
	EVP_PKEY *key = in != NULL ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;

	if (key == NULL)
		die("--key has no key", options.key);
	EVP_PKEY_free(keys->device);
	keys->device = key;
	fclose(in);
}

static int
run(const char *verb, const char *name, int argc, char **argv, struct habit_keys *keys)
{
	const struct habit *h = habit_find(name);

	if (h == NULL)
		die("no such habit", name);
	if (strcmp(verb, "key") == 0 && argc == 4)
		return write_key(h, keys, argv[3]);
	read_options(argc - 2, argv + 2);
	if (options.key != NULL)
		read_key(keys);
	if (strcmp(verb, "make") == 0)
		return make(h, keys);
	if (strcmp(verb, "read") == 0)
		return read_reply(h, keys);
	die("see the first lines of habit.c", NULL);
}

int
main(int argc, char **argv)
{
	struct habit_keys keys;
	int status;

	if (argc < 2)
		die("list, make, read, key or vectors?", NULL);
	if (strcmp(argv[1], "list") == 0)
		return list();
	habit_keys_open(&keys);
	if (strcmp(argv[1], "vectors") == 0)
		status = write_vectors(&keys);
	else if (argc > 2)
		status = run(argv[1], argv[2], argc, argv, &keys);
	else
		die("which habit?", NULL);
	habit_keys_close(&keys);
	return status;
}
