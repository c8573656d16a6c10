/* challenge_binding.h: what a challenge is to be bound to, as an operator or a program says it. */
#ifndef MANAGE_CHALLENGE_BINDING_H
#define MANAGE_CHALLENGE_BINDING_H

#include "fcgi-admin/manage/challenge.h"
#include "redis/challenge.h"

/* Fills *out from the order; what does not fit is named in r (bindCn, bindSan, bindKey, bindDevice). */
void challenge_binding_read(
    const struct manage_challenge_order *o, struct challenge_binding *out, struct manage_report *r);

/* Append "; bound to CN x" and so on, of what it is bound to. */
void challenge_binding_describe(const struct challenge_binding *b, struct buffer *out);

#endif
