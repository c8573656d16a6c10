/* doctor_caps.c: checks of GetCACaps (RFC 8894 3.5): what clients take from it, and what they do where it is not there. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fcgi-admin/cli/doctor.h"

/* The text, where there is one; otherwise SKIPPED is said, since caps-answer tells the fault. */
static bool
caps_text(const struct doctor *d, struct octets *text, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[DOCTOR_ASK_CAPS];

	*text = buffer_octets(&a->http.body);
	if (a->asked && a->rc == HTTP_DONE && a->http.status == 200 && text->len > 0)
		return true;
	doctor_say(f, DOCTOR_SKIPPED, "there is no list");
	return false;
}

static void
caps_answer(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[DOCTOR_ASK_CAPS];
	char words[DOCTOR_WORDS];

	if (!doctor_answered(d, DOCTOR_ASK_CAPS, f))
		return;
	if (a->http.status != 200)
		doctor_say(f, DOCTOR_FAILURE,
		    "GetCACaps gets %s, want 200: clients stop, or fall back to SHA-1, 3DES and "
		    "GET; see to the URL's path (RFC 8894 3.5)",
		    doctor_words(a, words));
	else if (a->http.body.len == 0)
		doctor_say(f, DOCTOR_FAILURE,
		    "the list is empty: clients stop, or fall back to SHA-1, 3DES and GET (RFC "
		    "8894 3.5.2)");
	else
		doctor_say(f, DOCTOR_OK, "GetCACaps is answered");
}

static void
caps_content_type(const struct doctor *d, struct doctor_finding *f)
{
	const struct http_response *r = &d->answers[DOCTOR_ASK_CAPS].http;
	struct octets text;

	if (!caps_text(d, &text, f))
		return;
	if (http_content_type_is(r, "text/plain"))
		doctor_say(f, DOCTOR_OK, "text/plain");
	else
		doctor_say(f, DOCTOR_WARNING, "it is %s, want text/plain (RFC 8894 3.5.2)",
		    r->content_type[0] != '\0' ? r->content_type : "of no type");
}

/* The next line of text from *at, without its end; false behind the last. */
static bool
next_line(struct octets text, size_t *at, struct octets *line)
{
	const uint8_t *end;
	size_t start = *at;

	if (start >= text.len)
		return false;
	end = memchr(text.data + start, '\n', text.len - start);
	*line = octets_of(text.data + start,
	    end != NULL ? (size_t)(end - (text.data + start)) : text.len - start);
	*at = start + line->len + 1;
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* A line that is keyword, in any case; exact tells whether in this one. */
static bool
is_keyword(struct octets line, const char *keyword, bool *exact)
{
	*exact = octets_equal(line, octets_of_string(keyword));
	return line.len == strlen(keyword) &&
	       strncasecmp((const char *)line.data, keyword, line.len) == 0;
}

static bool
has_keyword(struct octets text, const char *keyword)
{
	struct octets line;
	size_t at = 0;
	bool exact;

	while (next_line(text, &at, &line))
		if (is_keyword(line, keyword, &exact))
			return true;
	return false;
}

static void
caps_spelling(const struct doctor *d, struct doctor_finding *f)
{
	static const char *const keywords[] = {"AES", "DES3", "GetNextCACert", "POSTPKIOperation",
	    "Renewal", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SCEPStandard"};
	struct octets text, line;
	size_t at = 0;
	bool exact;

	if (!caps_text(d, &text, f))
		return;
	while (next_line(text, &at, &line))
		for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
			if (is_keyword(line, keywords[i], &exact) && !exact) {
				doctor_say(f, DOCTOR_WARNING,
				    "\"%.*s\" is written %s; a CA must use that case (RFC 8894 "
				    "3.5.2)",
				    (int)line.len, (const char *)line.data, keywords[i]);
				return;
			}
	doctor_say(f, DOCTOR_OK, "keywords are written as in RFC 8894");
}

static void
caps_empty_line(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text, line;
	size_t at = 0;

	if (!caps_text(d, &text, f))
		return;
	while (next_line(text, &at, &line))
		if (line.len == 0) {
			doctor_say(f, DOCTOR_WARNING,
			    "the list has an empty line, which 5.9.8 takes for every keyword; "
			    "leave it out");
			return;
		}
	doctor_say(f, DOCTOR_OK, "no empty line in the list");
}

static void
caps_post(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text;

	if (!caps_text(d, &text, f))
		return;
	if (d->capabilities.post)
		doctor_say(f, DOCTOR_OK, "POST is offered");
	else
		doctor_say(f, DOCTOR_FAILURE,
		    "neither POSTPKIOperation nor SCEPStandard is offered: messages go by GET, and "
		    "long ones (Intune's challenges) are cut on the way; serve POST (RFC 8894 "
		    "2.9)");
}

static void
caps_sha256(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text;

	if (!caps_text(d, &text, f))
		return;
	if (d->capabilities.sha256)
		doctor_say(f, DOCTOR_OK, "SHA-256 is offered");
	else
		doctor_say(f, DOCTOR_FAILURE,
		    "SHA-256 is not offered: clients stop, or sign with SHA-1; allow it (RFC 8894 "
		    "2.9)");
}

static void
caps_aes(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text;

	if (!caps_text(d, &text, f))
		return;
	if (d->capabilities.aes)
		doctor_say(f, DOCTOR_OK, "AES is offered");
	else
		doctor_say(f, DOCTOR_FAILURE,
		    "AES is not offered: clients stop, or encrypt with 3DES; allow AES-128-CBC "
		    "(RFC 8894 2.9)");
}

static void
caps_sha384(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text;

	if (!caps_text(d, &text, f))
		return;
	if (d->capabilities.sha384)
		doctor_say(f, DOCTOR_OK, "SHA-384 is listed");
	else
		doctor_say(f, DOCTOR_WARNING,
		    "SHA-384 is not listed: 5.9.8 (Debian 12) then overlooks AES and SHA-256 and "
		    "stops; list it if it is accepted");
}

static void
caps_standard(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text;

	if (!caps_text(d, &text, f))
		return;
	if (d->capabilities.standard)
		doctor_say(f, DOCTOR_OK, "SCEPStandard is offered");
	else
		doctor_say(f, DOCTOR_WARNING,
		    "SCEPStandard is not offered: clients that look for it alone take the server "
		    "for one of before RFC 8894");
}

static void
renewal_advertised(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text;

	if (!caps_text(d, &text, f))
		return;
	if (d->capabilities.renewal)
		doctor_say(f, DOCTOR_OK, "Renewal is offered");
	else
		doctor_say(f, DOCTOR_WARNING,
		    "Renewal is not offered: such clients do not try to renew, and their "
		    "certificates end");
}

/* Offering little is a choice, so not a fault: but it is told. */
static void
legacy_clients(const struct doctor *d, struct doctor_finding *f)
{
	struct octets text;
	bool md5, des;

	if (!caps_text(d, &text, f))
		return;
	md5 = has_keyword(text, "MD5");
	des = has_keyword(text, "DES");
	if (md5 || des)
		doctor_say(f, DOCTOR_WARNING,
		    "%s%s%s offered, which a CA must not (RFC 8894 2.9): anybody on the way can "
		    "push clients down to it",
		    md5 ? "MD5 " : "", des ? "DES " : "", md5 && des ? "are" : "is");
	else if (d->capabilities.sha1 && d->capabilities.des3)
		doctor_say(f, DOCTOR_OK, "SHA-1 and 3DES are offered, for old devices");
	else
		doctor_say(f, DOCTOR_OK,
		    "%s not offered: devices that know nothing newer cannot enrol",
		    d->capabilities.sha1   ? "DES3 is"
		    : d->capabilities.des3 ? "SHA-1 is"
					   : "SHA-1 and DES3 are");
}

/* Those that use what is newest of what is offered. */
#define MODERN                                                                                     \
	(DOCTOR_APPLE | DOCTOR_WINDOWS | DOCTOR_STRONGSWAN | DOCTOR_JSCEP | DOCTOR_CERTMONGER)

const struct doctor_check doctor_caps_checks[] = {
    {"caps-answer", DOCTOR_EVERYONE, caps_answer},
    {"caps-content-type", DOCTOR_JSCEP, caps_content_type},
    {"caps-spelling", 0, caps_spelling},
    {"caps-empty-line", DOCTOR_STRONGSWAN, caps_empty_line},
    {"caps-post", DOCTOR_APPLE | DOCTOR_WINDOWS, caps_post},
    {"caps-sha256", MODERN, caps_sha256},
    {"caps-aes", MODERN, caps_aes},
    {"caps-sha384-strongswan", DOCTOR_STRONGSWAN, caps_sha384},
    {"caps-standard", 0, caps_standard},
    {"renewal-advertised", DOCTOR_STRONGSWAN, renewal_advertised},
    {"legacy-clients", DOCTOR_CISCO_IOS | DOCTOR_MIKROTIK | DOCTOR_MICROMDM, legacy_clients},
    {0},
};
