/*
 * page.h: the page that Windows' NDES shows its administrators, as programs scrape it: what they look for is there to the space, and nothing
 * beside it can be taken for it.
 */
#ifndef DIALECT_PAGE_H
#define DIALECT_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/octets.h"

enum page_kind {
	PAGE_CHALLENGE, /* a challenge, and whose CA it is for */
	PAGE_FULL,	/* as many challenges wait as the profile allows */
	PAGE_DENIED	/* this caller gets none here, or nobody does */
};

#define PAGE_THUMBPRINT_SIZE 36 /* four groups of eight digits, spaces between, and a NUL */

struct page_facts {
	const char *challenge;
	const char *thumbprint; /* by page_thumbprint() */
	int64_t expiry_s;
};

/*
 * Append the page: ASCII, one line.  f, which has to be there, counts for PAGE_CHALLENGE alone.  The phrases that are scraped stand in <B>…</B> with one space
 * inside; no other word of the page does.
 */
void page_write(enum page_kind kind, const struct page_facts *f, struct buffer *out);

/* Append ASCII as UTF-16LE without a byte order mark, which is how NDES sends it. */
void page_utf16(struct octets ascii, struct buffer *out);

/*
 * MD5 of a certificate in groups of eight digits: unbroken, its 32 digits would look like a challenge.  MD5 is what the page has; it proves
 * nothing, and what a device should compare is in GetCACert.  false when OpenSSL fails.
 */
bool page_thumbprint(struct octets der, char out[PAGE_THUMBPRINT_SIZE]);

#endif
