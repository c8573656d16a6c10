/* seat_use.h: which seats are in use, and how many of an organization are.  Inside the store, within a transaction. */
#ifndef STORE_SEAT_USE_H
#define STORE_SEAT_USE_H

#include "store/transaction.h"

/* One more seat of the organization (its row; 0: none) is in use.  CONFLICT: as many are as it may have. */
enum store_rc store_license_take(struct store *st, int64_t organization, struct errbuf *why);
enum store_rc store_license_give_back(struct store *st, int64_t organization, struct errbuf *why);

/* The seat of that row has a certificate.  CONFLICT: its organization has as many in use as it may. */
enum store_rc store_seat_take(struct store *st, int64_t seat_row, struct errbuf *why);
/* Free the seat of the certificate, which is valid no longer, where it was the last one.  OK also where there is nothing to free. */
enum store_rc store_seat_free_of(
    struct store *st, int64_t certificate_id, int64_t now, struct errbuf *why);

#endif
