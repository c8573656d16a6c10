/* seat_field.h: which seat does a CSR say that it is for? */
#ifndef AUTHORISE_SEAT_FIELD_H
#define AUTHORISE_SEAT_FIELD_H

#include <stdbool.h>

#include "pki/csr.h"
#include "store/seat_row.h"

/*
 * The seatId in a field of the CSR: subject.commonName .email .serialNumber, san.email .upn .dns .uri.  Every value of that field has to be the
 * same one, since readers differ in which of several they go by.  false, and "": the field is not there, has different values, or one that is no seatId.
 */
bool seat_field_read(const char *field, const struct csr *csr, char seat_id[SEAT_ID_MAX + 1]);

#endif
