/* enrol.h: PKIOperation: a pkiMessage in, a CertRep out. */
#ifndef FCGI_SCEP_ENROL_H
#define FCGI_SCEP_ENROL_H

#include "base/octets.h"
#include "transaction.h"

/* Answer t's request, whose pkiMessage is der, and record it.  t->profile is there and enabled. */
void enrol_serve(struct transaction *t, struct octets der);

#endif
