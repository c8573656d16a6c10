/* doctor_finding.c: running the tables of checks, and what checks have in common: saying one line, and knowing whether there is an answer. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/doctor.h"

const char *
doctor_result_name(enum doctor_result r)
{
	static const char *const names[] = {"ok", "warning", "failure", "skipped"};

	return names[r];
}

const char *
doctor_client_name(int n)
{
	static const char *const names[DOCTOR_CLIENTS] = {"Apple", "Windows", "Cisco IOS",
	    "strongSwan", "MikroTik", "jscep", "certmonger", "sscep", "micromdm scepclient"};

	return names[n];
}

/* A stranger's words may be in it: JSON wants UTF-8, and a terminal obeys C0 and C1. */
static void
make_printable(char *text)
{
	while (*text != '\0') {
		uint32_t c = 0;
		size_t len = encoding_utf8_sequence(octets_of_string(text), &c);

		if (len == 0 || c < ' ' || (c >= 0x7f && c < 0xa0)) {
			memset(text, '?', len == 0 ? 1 : len);
			len = len == 0 ? 1 : len;
		}
		text += len;
	}
}

void
doctor_say(struct doctor_finding *f, enum doctor_result result, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	make_printable(f->text);
	f->result = result;
}

const char *
doctor_words(const struct doctor_answer *a, char out[DOCTOR_WORDS])
{
	const struct buffer *body = &a->http.body;
	char line[80];
	size_t len = 0;

	while (len < body->len && len < sizeof(line) - 1 && body->data[len] != '\0' &&
	       body->data[len] != '\r' && body->data[len] != '\n') {
		line[len] = (char)body->data[len];
		len++;
	}
	line[len] = '\0';
	if (len == 0 || http_content_type_is(&a->http, "text/html"))
		snprintf(out, DOCTOR_WORDS, "%d", a->http.status);
	else
		snprintf(out, DOCTOR_WORDS, "%d (%s)", a->http.status, line);
	return out;
}

bool
doctor_answered(const struct doctor *d, enum doctor_question q, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[q];

	if (!a->asked)
		doctor_say(f, DOCTOR_SKIPPED, "not asked: %s",
		    d->stopped != NULL ? d->stopped : "there is nothing to ask with");
	else if (a->rc != HTTP_DONE)
		doctor_say(f, DOCTOR_FAILURE, "no answer: %s", a->why.line);
	else if (a->http.status == 429)
		doctor_say(
		    f, DOCTOR_SKIPPED, "not told: the server answers 429, too many requests");
	else
		return true;
	return false;
}

/* Where the server is not reached, which the first check tells, the others have nothing to look at. */
static int
run_table(const struct doctor *d, const struct doctor_check *table, struct doctor_finding *findings,
    int count)
{
	for (; table->name != NULL && count < DOCTOR_FINDINGS_MAX; table++) {
		struct doctor_finding *f = &findings[count++];

		*f = (struct doctor_finding){.name = table->name, .clients = table->clients};
		if (count > 1 && findings[0].result == DOCTOR_FAILURE)
			doctor_say(f, DOCTOR_SKIPPED, "the server is not reached");
		else
			table->run(d, f);
	}
	return count;
}

int
doctor_check(const struct doctor *d, struct doctor_finding *findings)
{
	static const struct doctor_check *const tables[] = {doctor_http_checks, doctor_caps_checks,
	    doctor_list_checks, doctor_key_checks, doctor_message_checks};
	int count = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		count = run_table(d, tables[i], findings, count);
	return count;
}
