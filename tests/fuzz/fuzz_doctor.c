/* fuzz_doctor.c: a strange server's answers to scepctl doctor: the first octet says to which question, the rest is the body. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "fcgi-admin/cli/doctor.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
set_answer(struct doctor *d, enum doctor_question q, const char *type, struct octets body)
{
	struct doctor_answer *a = &d->answers[q];

	a->asked = true;
	a->http.status = 200;
	strcpy(a->http.content_type, type);
	buffer_append(&a->http.body, body.data, body.len);
}

static void
judge(struct doctor *d)
{
	static struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	int count = doctor_check(d, findings);

	if (count < 12)
		abort();
	for (int i = 0; i < count; i++) {
		if (findings[i].text[0] == '\0')
			abort();
		for (const char *c = findings[i].text; *c != '\0'; c++)
			if (*c > 0 && *c < ' ')
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static const enum doctor_question questions[] = {
	    DOCTOR_ASK_CAPS, DOCTOR_ASK_CA_CERT, DOCTOR_ASK_NEXT_CA, DOCTOR_ASK_POLL};
	struct doctor *d;
	enum doctor_question q;

	if (size < 1 || (d = calloc(1, sizeof(*d))) == NULL)
		return 0;
	d->url = "http://host/";
	d->now = 1800000000;
	d->poll.message.transaction_id = "one";
	d->poll.message.signer = &d->poll.signer;
	q = questions[octets[0] % (sizeof(questions) / sizeof(questions[0]))];
	/* A list for the others to be judged by: what is no list is none. */
	set_answer(d, DOCTOR_ASK_CAPS, "text/plain", octets_of_string("SCEPStandard\n"));
	if (q != DOCTOR_ASK_CA_CERT)
		set_answer(d, DOCTOR_ASK_CA_CERT, "application/x-x509-ca-ra-cert",
		    octets_of(octets + 1, size - 1));
	if (q != DOCTOR_ASK_CAPS)
		set_answer(
		    d, q, "application/x-x509-next-ca-cert", octets_of(octets + 1, size - 1));
	else
		buffer_append(&d->answers[q].http.body, octets + 1, size - 1);
	doctor_read(d);
	if (q == DOCTOR_ASK_POLL)
		doctor_poll_read(d, q);
	judge(d);
	doctor_free(d);
	free(d);
	if (ERR_peek_error() != 0)
		abort(); /* what is left in the queue is read as the reason of the next failure */
	return 0;
}
