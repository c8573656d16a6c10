/*
 * ndes.c: the dialects of NDES' page.  Whatever credentials that hold are told is a page of status 200, since scrapers look at nothing else: the
 * challenge, "full", or "denied".  A static challenge cannot be shown, as only its MAC is kept: such a profile's page denies.
 */
#include "fcgi-admin/dialect/dialect.h"
#include "fcgi-admin/dialect/fetch.h"
#include "fcgi-admin/dialect/page.h"

static void
answer(struct call *c, bool utf16, enum page_kind kind, const struct page_facts *facts)
{
	struct manage_report r = {0};
	struct buffer page = {0}, wide = {0};
	struct buffer *body = utf16 ? &wide : &page;

	page_write(kind, facts, &page);
	if (utf16)
		page_utf16(buffer_octets(&page), &wide);
	if (page.failed || wide.failed) {
		errbuf_set(&r.why, "page: out of memory");
		call_failed(c, MANAGE_FAULT, &r);
	} else {
		fcgi_respond(c->request, 200, utf16 ? "text/html" : "text/html; charset=utf-8",
		    CALL_HEADERS, buffer_octets(body));
	}
	buffer_free(&wide);
	buffer_free(&page);
}

/* The thumbprint is of the CA that issues now. */
static void
answer_challenge(struct call *c, bool utf16, struct fetch *f)
{
	const struct certificate *ca = &f->profile->authorities[0].chain[0];
	char thumbprint[PAGE_THUMBPRINT_SIZE];
	struct page_facts facts = {
	    .challenge = f->challenge.value, .thumbprint = thumbprint, .expiry_s = f->expiry_s};

	if (page_thumbprint(ca->der, thumbprint)) {
		answer(c, utf16, PAGE_CHALLENGE, &facts);
		return;
	}
	errbuf_ossl(&f->report.why, "page: MD5");
	call_failed(c, MANAGE_FAULT, &f->report);
}

static void
serve(struct call *c, const char *name, bool utf16)
{
	static const struct page_facts none = {0};
	struct fetch f;

	switch (fetch_challenge(c, name, &f)) {
	case FETCH_MINTED:
		answer_challenge(c, utf16, &f);
		break;
	case FETCH_NOTHING:
		fcgi_respond(c->request, 200, utf16 ? "text/html" : "text/html; charset=utf-8",
		    CALL_HEADERS, octets_of(NULL, 0));
		break;
	case FETCH_FULL:
		answer(c, utf16, PAGE_FULL, &none);
		break;
	case FETCH_FORBIDDEN:
	case FETCH_NONE_HERE:
		call_record_refusal(c, 200, f.report.why.line);
		answer(c, utf16, PAGE_DENIED, &none);
		break;
	case FETCH_ANSWERED:
		break;
	}
	octets_wipe(&f.challenge, sizeof(f.challenge));
}

void
dialect_ndes(struct call *c)
{
	serve(c, c->captures[0], true);
}

void
dialect_default_ndes(struct call *c)
{
	serve(c, "", true);
}

void
dialect_page(struct call *c)
{
	serve(c, c->captures[0], false);
}

void
dialect_default_page(struct call *c)
{
	serve(c, "", false);
}
