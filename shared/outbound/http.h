/*
 * http.h: one HTTP(S) call at a time, blocking, with a limit on everything the other side decides: time, octets, redirects.
 *
 * TLS is 1.2 or newer, and the server's certificate and name are always verified: there is no switch to turn that off.  Where a URL points
 * to is judged on demand, by the address that is connected to; what comes back is not checked beyond HTTP itself.
 */
#ifndef OUTBOUND_HTTP_H
#define OUTBOUND_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define HTTP_HEADERS_MAX      65536 /* octets of header lines in an answer */
#define HTTP_REDIRECTS_MAX    5	    /* where they are followed at all */
#define HTTP_CONTENT_TYPE_MAX 127   /* characters of it that are kept */

/* Keeps connections open from one call to the next.  Not to be used in two processes: open it after fork. */
struct http;

/* false only out of memory.  http_close(NULL) is fine. */
bool http_open(struct http **out, struct errbuf *why);
void http_close(struct http *h);

/* All is borrowed for the length of the call.  What is left zero is absent, but for the time-outs and response_max, which must be given. */
struct http_request {
	const char *method;	    /* GET, HEAD, POST, PUT, PATCH, DELETE */
	const char *url;	    /* http:// or https://, no user or password in it */
	const char *content_type;   /* of the body */
	struct octets body;	    /* not with GET and HEAD */
	const char *const *headers; /* "Name: value" each, then NULL */
	const char *ca_file;	    /* PEM: these CAs alone; NULL: the system's */
	struct octets
	    client_pem;		/* PEM of a certificate, its chain, its key: shown when asked for */
	bool public_only;	/* only addresses that are public; not with a proxy */
	bool environment_proxy; /* whether http_proxy and its kin count */
	bool follow_redirects;	/* never from https to http */
	bool http_1_0;		/* HTTP/1.0 and no Host line, as the oldest clients ask */
	bool keep_headers;	/* for http_response_header() */
	bool keep_certificates; /* what the server shows in TLS */
	int64_t connect_timeout_ms;
	int64_t timeout_ms;  /* of the whole call */
	size_t response_max; /* octets of body */
};

struct http_response {
	int status;				      /* of the last answer, as 200 */
	char content_type[HTTP_CONTENT_TYPE_MAX + 1]; /* "" where not told; cut when longer */
	struct buffer body;
	int64_t retry_after_s; /* 0: not told */
	int64_t took_ms;
	struct buffer headers;	    /* the lines of the last answer, where they were to be kept */
	struct buffer certificates; /* PEM, the server's own first, where they were to be kept */
};

#define HTTP_CERTIFICATES_MAX 65536 /* octets of PEM that are kept; what goes beyond is left out */

enum http_rc {
	HTTP_DONE =
	    0, /* a whole answer, whatever its status; a redirect too, where they are not followed */
	HTTP_MALFORMED,	  /* the request makes no sense: nothing was sent */
	HTTP_UNREACHABLE, /* no connection: name, address, TLS */
	HTTP_TIMED_OUT,	  /* it may have arrived */
	HTTP_TOO_LARGE,	  /* more than response_max or HTTP_HEADERS_MAX */
	HTTP_BROKEN,	  /* the answer ended early or is no HTTP, or redirects led nowhere */
	HTTP_INWARD	  /* only addresses that public_only forbids: nothing was sent */
};

/*
 * DONE: the caller frees *response with http_response_free(), which wipes the body.  Otherwise *response is zeroed, and why names the host alone: paths and
 * queries may hold secrets.
 */
enum http_rc http_call(struct http *h, const struct http_request *request,
    struct http_response *response, struct errbuf *why);
void http_response_free(struct http_response *response);

/*
 * The value of the first header line of this name (any case), as it came but for blanks around it; cut to size, NUL-terminated.  false, and "":
 * there is none, or they were not kept.
 */
bool http_response_header(
    const struct http_response *response, const char *name, char *out, size_t size);

/* Longest name of a host, with its NUL. */
#define HTTP_NAME_SIZE 256

/* Whether url is a well-formed https:// one without a user in it; its host, in lower case and without brackets, into host. */
bool http_url_is_https(const char *url, char host[HTTP_NAME_SIZE]);

/* Whether the answer's type, without parameters and in any case, is this one. */
bool http_content_type_is(const struct http_response *response, const char *type);

#endif
