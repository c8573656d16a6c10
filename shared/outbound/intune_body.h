/* intune_body.h: what is sent to the login service and to Intune, appended to a buffer.  There are secrets in it: the buffer wipes. */
#ifndef OUTBOUND_INTUNE_BODY_H
#define OUTBOUND_INTUNE_BODY_H

#include "outbound/intune.h"

#define INTUNE_DESCRIPTION_MAX 255 /* UTF-16 units of an errorDescription */

/* The form that asks for a token. */
void intune_body_token(
    struct buffer *out, const char *client_id, struct octets client_secret, const char *scope);

void intune_body_validate(
    struct buffer *out, const char *transaction_id, struct octets csr, const char *caller);
/* false with why where the certificate cannot be hashed. */
bool intune_body_succeeded(
    struct buffer *out, const struct intune_issued *c, const char *caller, struct errbuf *why);
void intune_body_failed(struct buffer *out, const char *transaction_id, struct octets csr,
    uint32_t h_result, const char *description, const char *caller);

/* issuer NULL: of all. */
void intune_body_download(struct buffer *out, const char *issuer);
void intune_body_upload(
    struct buffer *out, const struct intune_revocation_result *results, int count);

#endif
