/* client_certificate.h: the TLS client certificate that nginx hands over. */
#ifndef ACCESS_CLIENT_CERTIFICATE_H
#define ACCESS_CLIENT_CERTIFICATE_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define CLIENT_CERTIFICATE_MAX 16384 /* characters that are looked at */

/*
 * escaped is nginx's $ssl_client_escaped_cert: PEM with %XX for what a URL cannot have.  Appends the DER of the first certificate in it; that it
 * is one has still to be seen.  That the client has its key, nginx has seen.  false with why.
 */
bool client_certificate_read(const char *escaped, struct buffer *der, struct errbuf *why);

#endif
