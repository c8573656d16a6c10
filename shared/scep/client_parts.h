/* client_parts.h: what the files of the client's side share; for client*.c alone. */
#ifndef SCEP_CLIENT_PARTS_H
#define SCEP_CLIENT_PARTS_H

#include <openssl/cms.h>
#include <openssl/x509.h>

#include "scep/client.h"
#include "scep/cms.h"

/* The same certificate as OpenSSL's; the caller frees, NULL where it cannot be read. */
X509 *scep_client_x509(const struct certificate *c);

/* Append each certificate to its buffer of out, which has max; the count, or -1 with why. */
int scep_client_copy_certificates(
    const cms_anys *certificates, struct buffer *out, int max, struct errbuf *why);

/*
 * The one signature of a SignedData holds under one of trusted, whatever certificates are in it; content gets what was signed.
 * false: OpenSSL's error queue may say why.
 */
bool scep_client_verify(
    CMS_ContentInfo *cms, const struct certificate *trusted, int trusted_count, BIO *content);

#endif
