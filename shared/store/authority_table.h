/* authority_table.h: reading and writing rows of authorities and RA certificates inside a transaction at hand.  Inside the store only. */
#ifndef STORE_AUTHORITY_TABLE_H
#define STORE_AUTHORITY_TABLE_H

#include "store/authority_row.h"
#include "store/transaction.h"

/* The row at hand of a statement with these columns; false: out of memory. */
bool store_read_authority(struct query *q, struct authority_row *a);
bool store_read_ra_certificate(struct query *q, struct ra_certificate_row *r);

/* CONFLICT: the name is taken; NONE: no predecessor, no such authority. */
enum store_rc store_insert_authority(
    struct store *st, const struct authority_row *a, struct errbuf *why);
enum store_rc store_insert_ra_certificate(
    struct store *st, const struct ra_certificate_row *ra, struct errbuf *why);

#endif
