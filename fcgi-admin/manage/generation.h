/* generation.h: where a CA stands among its generations, and what it has beside its certificate: CRL and OCSP responder. */
#ifndef MANAGE_GENERATION_H
#define MANAGE_GENERATION_H

#include "fcgi-admin/manage/manage.h"
#include "store/authority_row.h"

struct manage_generation {
	int number; /* 1: the first of its lineage */
	/* Names; "" where there is none. */
	char predecessor[65];
	char next[65];	  /* prepared to succeed it */
	char current[65]; /* the one of its lineage that issues */
	/* 0: none was made yet. */
	int64_t crl_number;
	int64_t crl_entries;
	int64_t crl_this_update;
	int64_t crl_next_update;
	int64_t responder_not_after;
};
enum manage_rc manage_generation_read(struct manage *m, const struct authority_row *ca,
    struct manage_generation *out, struct manage_report *r);

/* The CA of this name or uuid, if it issues.  CONFLICT otherwise, naming the generation that does.  The caller frees *out, as on failure. */
enum manage_rc manage_authority_get_active(
    struct manage *m, const char *name, struct authority_row *out, struct manage_report *r);

#endif
