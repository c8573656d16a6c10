/* status.h: what anybody may ask about certificates over HTTP: GET /crl/CA.crl (RFC 5280), /ocsp/CA (RFC 6960). */
#ifndef FCGI_SCEP_STATUS_H
#define FCGI_SCEP_STATUS_H

#include <stdbool.h>

#include "transaction.h"

/* Answer and record, where the path is one of these; false: it is not. */
bool status_serve(struct transaction *t);

#endif
