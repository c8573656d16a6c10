/*
 * intune.h: Microsoft Intune's third-party CA interface: token, discovery, validation, notifications, revocation requests.
 *
 * Any doubt refuses: another code than Success, another status than 200, an answer that is no JSON, a host that is not on the list.  One
 * retry: after 401 with a new token, after a network fault or 5xx with a new discovery; all within the time-out.
 */
#ifndef OUTBOUND_INTUNE_H
#define OUTBOUND_INTUNE_H

#include "outbound/http.h"

struct intune_settings { /* all borrowed for the client's life */
	const char *tenant;
	const char *client_id;
	struct octets client_secret; /* copied, wiped */
	const char *login_url;
	const char *graph_url;
	const char *resource; /* "https://api.manage.microsoft.com/" */
	const char *hosts;    /* suffixes, comma-separated */
	const char *ca_file;  /* "": the system's */
	int64_t timeout_ms;
	const char *caller; /* "fcgi-scep/VERSION" */
};

/* Of one tenant; keeps token and discovered URLs.  Borrows h.  false out of memory, or where a setting is malformed. */
struct intune;
bool intune_open(
    const struct intune_settings *s, struct http *h, struct intune **out, struct errbuf *why);
void intune_close(struct intune *i); /* wipes */

enum intune_rc {
	INTUNE_DONE = 0,
	INTUNE_REFUSED, /* Intune answered, and said no: code tells which, its own or of an HTTP 400 */
	INTUNE_CREDENTIALS, /* the login service refuses tenant or secret */
	INTUNE_PERMISSION, /* the application lacks a permission (401 or 403 behind a valid token), or the service is not in its discovery */
	INTUNE_AWAY	   /* network, 5xx, garbage, time-out */
};

struct intune_answer {
	char code[64]; /* "Success", "ChallengeExpired", …; "" where none came */
	char description[256];
	char request_id[37]; /* client-request-id of the call, for Microsoft's support */
};

/* transaction_id as in the request; csr DER.  why for log and audit: no secret in it. */
enum intune_rc intune_validate(struct intune *i, const char *transaction_id, struct octets csr,
    struct intune_answer *answer, struct errbuf *why);

struct intune_issued {
	const char *transaction_id;
	struct octets csr;
	struct octets certificate; /* DER */
	const char *serial;	   /* hex; sent in upper case */
	int64_t not_after;
	const char *issuer; /* RFC 4514 */
};
enum intune_rc intune_succeeded(struct intune *i, const struct intune_issued *c,
    struct intune_answer *answer, struct errbuf *why);
/* An error of our own, after validation. */
enum intune_rc intune_failed(struct intune *i, const char *transaction_id, struct octets csr,
    uint32_t h_result, const char *description, struct intune_answer *answer, struct errbuf *why);

#define INTUNE_REVOCATIONS_MAX 100
struct intune_revocation {
	char context[1025];
	char serial[65]; /* hex, as it came; "": there was none, or another writing */
	char issuer[1025];
};
struct intune_revocation_result {
	const char *context;
	bool succeeded;
	int error_code;	     /* 0, 4000 … 4103 */
	const char *message; /* NULL: none */
};
enum intune_rc intune_download(struct intune *i, const char *issuer, struct intune_revocation *out,
    int *count, struct errbuf *why);
enum intune_rc intune_upload(struct intune *i, const struct intune_revocation_result *results,
    int count, struct errbuf *why);

/*
 * What is wrong with a connection, part by part: for scepctl intune check.  Each step is tried only where those before it held, with new
 * tokens, and within the time-out by itself.  The call asks to validate an empty request: nothing changes by it.
 */
enum intune_step {
	INTUNE_STEP_LOGIN,
	INTUNE_STEP_GRAPH,
	INTUNE_STEP_SERVICE,
	INTUNE_STEP_CALL,
	INTUNE_STEPS
};
struct intune_finding {
	bool ok;
	struct errbuf
	    text; /* what to do about it: "tenant X is not known to …", "the client secret is wrong or expired", "grant … to the application" */
};
bool intune_check(struct intune *i, struct intune_finding findings[INTUNE_STEPS]);

/* A GUID or a domain name? */
bool intune_tenant_is_valid(const char *tenant);

#endif
