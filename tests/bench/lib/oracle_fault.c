/* oracle_fault.c: the table of faults, and the contents that have them. */
#include "oracle_fault.h"

#include <openssl/rand.h>
#include <string.h>

#include "pki/name.h"
#include "scep/client.h"
#include "scep/scep.h"

/* Those for CSRs alone stand at the end. */
static const struct oracle_fault faults[] = {
    {"content intact, by another signer", CONTENT_INTACT, BLOCK_RIGHT, PADDING_RIGHT, false},
    {"content: first octet wrong", CONTENT_FIRST, BLOCK_RIGHT, PADDING_RIGHT, false},
    {"content: last element too long", CONTENT_LAST, BLOCK_RIGHT, PADDING_RIGHT, false},
    {"content: last octet missing", CONTENT_CUT, BLOCK_RIGHT, PADDING_RIGHT, false},
    {"content: an octet behind it", CONTENT_TRAILING, BLOCK_RIGHT, PADDING_RIGHT, false},
    {"content: garbage, padding right", CONTENT_GARBAGE, BLOCK_RIGHT, PADDING_RIGHT, false},
    {"CBC padding: last octet 0", CONTENT_INTACT, BLOCK_RIGHT, PADDING_ZERO, false},
    {"CBC padding: last octet 17", CONTENT_INTACT, BLOCK_RIGHT, PADDING_LARGE, false},
    {"CBC padding: inner octet wrong", CONTENT_INTACT, BLOCK_RIGHT, PADDING_INNER, false},
    {"RSA block: another key, well-formed", CONTENT_INTACT, BLOCK_OTHER_KEY, PADDING_RIGHT, false},
    {"RSA block: begins 01 02", CONTENT_INTACT, BLOCK_FIRST_OCTET, PADDING_RIGHT, false},
    {"RSA block: begins 00 01", CONTENT_INTACT, BLOCK_SECOND_OCTET, PADDING_RIGHT, false},
    {"RSA block: no octet 0", CONTENT_INTACT, BLOCK_NO_ZERO, PADDING_RIGHT, false},
    {"RSA block: octet 0 too early", CONTENT_INTACT, BLOCK_SHORT_PAD, PADDING_RIGHT, false},
    {"RSA block: octet 0 in the middle", CONTENT_INTACT, BLOCK_EARLY_ZERO, PADDING_RIGHT, false},
    {"RSA block: key of 31 octets", CONTENT_INTACT, BLOCK_KEY_SHORT, PADDING_RIGHT, false},
    {"RSA block: key of 33 octets", CONTENT_INTACT, BLOCK_KEY_LONG, PADDING_RIGHT, false},
    {"RSA block: no key", CONTENT_INTACT, BLOCK_KEY_NONE, PADDING_RIGHT, false},
    {"RSA block: random", CONTENT_INTACT, BLOCK_RANDOM, PADDING_RIGHT, false},
    {"for another recipient", CONTENT_INTACT, BLOCK_RANDOM, PADDING_RIGHT, true},
    {"ours, under another's name", CONTENT_INTACT, BLOCK_RIGHT, PADDING_RIGHT, true},
    {"CSR: self-signature wrong", CONTENT_SIGNATURE, BLOCK_RIGHT, PADDING_RIGHT, false},
    {"own CSR: self-signature wrong", CONTENT_OWN_SIGNATURE, BLOCK_RIGHT, PADDING_RIGHT, false},
};

int
oracle_faults(bool query, struct oracle_fault out[ORACLE_FAULTS_MAX])
{
	int count = 0;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (!query || (faults[i].content != CONTENT_SIGNATURE &&
				  faults[i].content != CONTENT_OWN_SIGNATURE))
			out[count++] = faults[i];
	if (query)
		out[0].name = "content matches nothing";
	return count;
}

bool
oracle_world_make(struct oracle_world *w)
{
	static const char challenge[] = "6b1f0d5e9c7a48b2a3d4e5f60718293a";
	static const uint8_t san[] = {0x30, 0x15, 0x82, 0x13, 'd', 'e', 'v', 'i', 'c', 'e', '.',
	    'e', 'x', 'a', 'm', 'p', 'l', 'e', '.', 't', 'e', 's', 't'};
	struct octets names = octets_of(san, sizeof(san));

	memset(w, 0, sizeof(*w));
	return stranger_make(&w->ra, "RA") && stranger_make(&w->other_ra, "Other RA") &&
	       stranger_make(&w->victim, "device-0001,O=Example") &&
	       stranger_make(&w->sender, "device-0002,O=Example") &&
	       scep_client_csr(w->victim.key, w->victim.certificate.subject, names, challenge,
		   &w->victim_csr, NULL) &&
	       scep_client_csr(w->sender.key, w->sender.certificate.subject, names, challenge,
		   &w->sender_csr, NULL);
}

void
oracle_world_free(struct oracle_world *w)
{
	stranger_free(&w->ra);
	stranger_free(&w->other_ra);
	stranger_free(&w->victim);
	stranger_free(&w->sender);
	buffer_free(&w->victim_csr);
	buffer_free(&w->sender_csr);
}

static bool
intact_content(const struct oracle_world *w, const struct oracle_fault *f, int message_type,
    struct buffer *out)
{
	struct octets csr =
	    buffer_octets(f->content == CONTENT_OWN_SIGNATURE ? &w->sender_csr : &w->victim_csr);
	uint8_t serial[16];

	RAND_bytes(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	switch (message_type) {
	case SCEP_CERT_POLL:
		return scep_client_issuer_and_subject(
		    w->ra.certificate.subject, w->victim.certificate.subject, out);
	case SCEP_GET_CERT:
	case SCEP_GET_CRL:
		return scep_client_issuer_and_serial(
		    w->ra.certificate.subject, octets_of(serial, sizeof(serial)), out);
	default:
		buffer_append(out, csr.data, csr.len);
		return !out->failed;
	}
}

/* The header of the last element: of a CSR its signature, 03 82 01 01 00 …; of a poll the last attribute; of a query the serial. */
static size_t
last_length(int message_type, size_t len)
{
	if (message_type == SCEP_CERT_POLL)
		return 0; /* found by looking */
	return message_type == SCEP_PKCS_REQ ? len - 258 : len - 17;
}

static void
lengthen_last(int message_type, struct buffer *b)
{
	size_t at = last_length(message_type, b->len);

	/* The subject's SEQUENCE is the last element of an IssuerAndSubject: behind the outer header and the issuer. */
	if (message_type == SCEP_CERT_POLL) {
		at = 2;
		at += 2 + (size_t)b->data[at + 1] + 1;
	}
	b->data[at]++;
}

static bool
break_content(enum oracle_content kind, int message_type, struct buffer *b)
{
	static const uint8_t zero = 0;

	switch (kind) {
	case CONTENT_FIRST:
		b->data[0] ^= 0x20;
		break;
	case CONTENT_LAST:
		lengthen_last(message_type, b);
		break;
	case CONTENT_CUT:
		b->len--;
		break;
	case CONTENT_TRAILING:
		buffer_append(b, &zero, 1);
		break;
	case CONTENT_GARBAGE:
		RAND_bytes(b->data, (int)b->len);
		break;
	case CONTENT_SIGNATURE:
	case CONTENT_OWN_SIGNATURE:
		b->data[b->len - 1] ^= 1;
		break;
	default:
		break;
	}
	return !b->failed;
}

bool
oracle_message(const struct oracle_world *w, const struct oracle_fault *f, int message_type,
    struct buffer *out)
{
	struct buffer content = {0};
	struct stranger_envelope e = {
	    .recipient = f->other_recipient ? &w->other_ra.certificate : &w->ra.certificate,
	    .recipient_key = w->ra.key,
	    .block = f->block,
	    .padding = f->padding,
	};
	bool made;

	made = intact_content(w, f, message_type, &content) &&
	       break_content(f->content, message_type, &content);
	e.content = buffer_octets(&content);
	made = made && stranger_message(&w->sender, message_type, &e, out);
	buffer_free(&content);
	return made;
}
