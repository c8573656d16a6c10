/* webhook_answer.h: what a webhook answers, read from octets. */
#ifndef OUTBOUND_WEBHOOK_ANSWER_H
#define OUTBOUND_WEBHOOK_ANSWER_H

#include "outbound/webhook.h"

/*
 * {"allow":true|false,"error":{"code","message"}}: ALLOWED with a true that is JSON's alone; otherwise DENIED with why.  message: the error's,
 * or its code; "" where there is none.
 */
enum webhook_rc webhook_answer_read(struct octets body, char message[256], struct errbuf *why);

#endif
