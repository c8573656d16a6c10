/* message.h: PKIOperation: a pkiMessage in, a CertRep out. */
#ifndef FCGI_SCEP_MESSAGE_H
#define FCGI_SCEP_MESSAGE_H

#include "base/octets.h"
#include "transaction.h"

/* Answer t's request, whose pkiMessage is der, and record it.  t->profile is there and enabled. */
void message_serve(struct transaction *t, struct octets der);

/* The stage that was reached when this step of opening failed ("verify", "decrypt", …), for the audit. */
const char *message_stage_before(const char *failed);

#endif
