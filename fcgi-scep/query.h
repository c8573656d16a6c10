/* query.h: CertPoll, GetCert and GetCRL (RFC 8894 3.3.3, 3.3.4). */
#ifndef FCGI_SCEP_QUERY_H
#define FCGI_SCEP_QUERY_H

#include "transaction.h"

/* Answer t's message, whose form and algorithms are checked. */
void query_serve(struct transaction *t);

#endif
