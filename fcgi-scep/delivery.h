/*
 * delivery.h: certificates that Intune must be told of before they leave: issued -> notified -> deliverable, each step in the store, so that a
 * repeat of the request goes on where a worker that died stopped.
 */
#ifndef FCGI_SCEP_DELIVERY_H
#define FCGI_SCEP_DELIVERY_H

#include "transaction.h"

/*
 * Answer with the certificate of this repeat key, which was committed just now.  to NULL: SUCCESS.  Otherwise Intune is told first, outside any
 * transaction.  Where it cannot be told, for whatever reason, the certificate is revoked and the answer FAILURE; 503 where the store is away: the
 * next repeat tries again.  true: the certificate has left.
 */
bool delivery_begin(struct transaction *t, const char *to, const uint8_t repeat_key[32],
    const struct buffer *certificate);

/* A repeat, which goes on where the first request stopped, and is told what the first should have been; 503 also where too many workers are in calls. */
void delivery_again(struct transaction *t, const uint8_t repeat_key[32], struct octets certificate,
    bool undelivered);

#endif
