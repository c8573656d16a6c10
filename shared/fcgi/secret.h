/* secret.h: what nginx must send to workers on TCP, since FastCGI itself authenticates nobody. */
#ifndef FCGI_SECRET_H
#define FCGI_SECRET_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define SECRET_LEAST 16 /* characters */
#define SECRET_MOST  255

/*
 * Append the first line of the file at path, SECRET_LEAST to SECRET_MOST characters, to the empty *secret, which the caller
 * frees with buffer_free().  false with why, which has nothing of it, and *secret stays empty.
 */
bool secret_load(const char *path, struct buffer *secret, struct errbuf *why);

#endif
