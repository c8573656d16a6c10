/* draft.h: a certificate between the rules and the commit. */
#ifndef ISSUE_DRAFT_H
#define ISSUE_DRAFT_H

#include "issue/issue.h"

struct draft {
	struct buffer subject; /* Name, DER */
	struct buffer san;     /* GeneralNames, DER */
	struct buffer san_text;
	struct buffer extra; /* Extensions that are copied */
	uint8_t serial[16];
	int64_t not_before;
	int64_t not_after;
};
void draft_free(struct draft *d);

/*
 * Key policy, field rules and the profile's end; what the certificate will say goes into d.  st NULL: where the manual values of a predecessor were needed
 * they are missing.  DONE, REFUSED, AWAY.
 */
enum issue_rc draft_rules(struct store *st, const struct issue_order *o, struct draft *d,
    struct issue_result *result, struct errbuf *why);

#endif
