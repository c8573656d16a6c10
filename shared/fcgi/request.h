/* request.h: one FastCGI request, read within bounds, and its one response. */
#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"

struct fcgi_request; /* opaque; made by prefork, alive during one call of serve() */

/* Parameters as nginx sent them; never NULL, "" where absent. */
const char *fcgi_request_method(const struct fcgi_request *r);	/* REQUEST_METHOD */
const char *fcgi_request_path(const struct fcgi_request *r);	/* DOCUMENT_URI, decoded */
const char *fcgi_request_query(const struct fcgi_request *r);	/* QUERY_STRING, raw */
const char *fcgi_request_address(const struct fcgi_request *r); /* REMOTE_ADDR */
bool fcgi_request_is_https(const struct fcgi_request *r);	/* HTTPS is "on" */

/* REQUEST_ID, nginx's $request_id, where it is 1 to 63 letters, digits, '-' and '_'; else one made here. */
const char *fcgi_request_id(const struct fcgi_request *r);

/* Any other parameter by its name, e.g. "HTTP_AUTHORIZATION". */
const char *fcgi_request_header(const struct fcgi_request *r, const char *name);

/*
 * The body, at most max octets, borrowed until serve() returns.
 * Returns 0; 413 when CONTENT_LENGTH or the octets that come are more than max; 400 when fewer come than announced or the
 * length is no number; 503 out of memory.
 */
int fcgi_request_body(struct fcgi_request *r, size_t max, struct octets *body, struct errbuf *why);

/*
 * Answer, once.  Adds Content-Length and Content-Type (when type is not NULL); headers is NULL or more header lines, each
 * ending in "\r\n".  A HEAD request gets the headers alone.  The first call wins; a second is logged as a fault and dropped.
 */
void fcgi_respond(
    struct fcgi_request *r, int status, const char *type, const char *headers, struct octets body);
/* The same with a line of text/plain; the line gets a newline. */
void fcgi_respond_text(struct fcgi_request *r, int status, const char *headers, const char *line);
/* The status answered so far, 0 for none. */
int fcgi_request_status(const struct fcgi_request *r);

#endif
