/* webhook.h: what an MDM's request for a challenge says about the device it is for. */
#ifndef DIALECT_WEBHOOK_H
#define DIALECT_WEBHOOK_H

#include "base/octets.h"

/*
 * Append "payloadIdentifier X; device Y; serial Z" of what is there; nothing for a body that is no such JSON or XML, which is no fault: a
 * body is never required to parse.  Texts are cut to 128 octets, control characters dropped.
 */
void webhook_describe(struct octets body, struct buffer *out);

#endif
