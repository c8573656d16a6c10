/* request_fcgx.h: the making and ending of requests on libfcgi; for request.c and worker.c alone. */
#ifndef FCGI_REQUEST_FCGX_H
#define FCGI_REQUEST_FCGX_H

#include <fcgiapp.h>

#include "base/octets.h"
#include "fcgi/request.h"

/* One for the whole life of a worker, used for each request in turn. */
struct fcgi_request {
	FCGX_Request fcgx;
	char id[64];
	int status; /* answered so far, 0 for none */

	bool body_read;
	int body_rc; /* what fcgi_request_body() answered */
	struct buffer body;
};

/* After FCGX_Accept_r(): nothing of the request before is left, and its id is known to the log. */
void fcgi_request_begin(struct fcgi_request *r);

/* Send what is to be sent, close the connection, wipe the body. */
void fcgi_request_end(struct fcgi_request *r);

#endif
