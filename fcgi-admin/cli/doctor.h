/*
 * doctor.h: what scepctl doctor asks a SCEP server, what came back, and what each check finds in it.
 *
 * Asking and judging are apart: doctor_ask() fills a struct doctor over the network, doctor_read() reads what is in the answers, and checks are
 * functions of that alone.  All of it is a stranger's: sizes are limited, and texts come out as one line of UTF-8 without control characters.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "outbound/http.h"
#include "pki/certificate.h"
#include "scep/capabilities.h"
#include "scep/client.h"

#define DOCTOR_CERTIFICATES 16		 /* that a server may list */
#define DOCTOR_RESPONSE_MAX (128 * 1024) /* octets of one answer */
#define DOCTOR_TIME_OUTS    2		 /* then nothing more is asked */
#define DOCTOR_FINDINGS_MAX 64
#define DOCTOR_TEXT	    400 /* octets of what a check says */

/*
 * FAILURE: a client of today cannot enrol.  WARNING: not every client, or not for long, or RFC 8894 asks for something else.
 * SKIPPED: it could not be looked at, or does not apply.
 */
enum doctor_result { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILURE, DOCTOR_SKIPPED };
/* "ok", "warning", "failure", "skipped". */
const char *doctor_result_name(enum doctor_result r);

/* Whose way of asking a check is about: one bit each. */
#define DOCTOR_APPLE	  (1u << 0)
#define DOCTOR_WINDOWS	  (1u << 1) /* and Intune, which is Windows' own client */
#define DOCTOR_CISCO_IOS  (1u << 2)
#define DOCTOR_STRONGSWAN (1u << 3)
#define DOCTOR_MIKROTIK	  (1u << 4)
#define DOCTOR_JSCEP	  (1u << 5) /* Java, and so agents on Android */
#define DOCTOR_CERTMONGER (1u << 6)
#define DOCTOR_SSCEP	  (1u << 7)
#define DOCTOR_MICROMDM	  (1u << 8) /* scepclient */
#define DOCTOR_CLIENTS	  9
#define DOCTOR_EVERYONE	  ((1u << DOCTOR_CLIENTS) - 1)
/* The name of client bit n, from 0. */
const char *doctor_client_name(int n);

/* In the order they are asked, each once. */
enum doctor_question {
	DOCTOR_ASK_CAPS,
	DOCTOR_ASK_CA_CERT,
	DOCTOR_ASK_CA_CERT_DEFAULT,    /* message=default */
	DOCTOR_ASK_CA_CERT_IDENTIFIER, /* message=CAIdentifier */
	DOCTOR_ASK_PROGRAM,	       /* GetCACaps at URL/pkiclient.exe */
	DOCTOR_ASK_HTTP_1_0,	       /* GetCACaps, no Host line */
	DOCTOR_ASK_CASE,	       /* operation=getcacaps */
	DOCTOR_ASK_ORDER,	       /* message before operation */
	DOCTOR_ASK_EMPTY_MESSAGE,      /* GetCACaps with an empty message */
	DOCTOR_ASK_UNKNOWN,	       /* an operation that there is not */
	DOCTOR_ASK_NEXT_CA,
	DOCTOR_ASK_JUNK,	/* PKIOperation of what is no pkiMessage */
	DOCTOR_ASK_POLL,	/* a CertPoll for nothing, by POST */
	DOCTOR_ASK_POLL_GET,	/* the same message by GET, escaped as it should be */
	DOCTOR_ASK_POLL_PLUS,	/* with + and / as they are */
	DOCTOR_ASK_POLL_BREAKS, /* with a line break, %0A, after each 64 characters */
	DOCTOR_QUESTIONS
};

struct doctor_answer {
	bool asked;
	enum http_rc rc;
	struct http_response http; /* of HTTP_DONE */
	struct errbuf why;	   /* otherwise */
};

/* What a CertRep says, where the answer to a poll is one. */
struct doctor_reply {
	bool read;	   /* it answers our poll, signed by one of the certificates of GetCACert */
	struct errbuf why; /* otherwise */
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	/* of its one SignerInfo, also where it cannot be trusted */
	bool signer;
	enum pki_digest digest;
	bool rsa_encryption;	 /* signatureAlgorithm is plain rsaEncryption */
	size_t sender_nonce_len; /* 0: none */
	bool nonce_is_echo;	 /* the server's senderNonce is ours */
};

/* The poll: made once the certificates are known. */
struct doctor_poll {
	EVP_PKEY *key; /* of an identity that ends with this call */
	struct buffer self_signed;
	struct certificate signer;
	struct buffer content; /* IssuerAndSubject */
	char transaction_id[65];
	struct scep_client_message message;
	struct buffer der; /* the pkiMessage */
};

struct doctor {
	/* set by the caller, texts borrowed */
	const char *url;     /* without a query */
	const char *ca_file; /* for TLS; NULL: the system's */
	int64_t timeout_ms;  /* of one call */
	int64_t now;
	int warn_days; /* before a certificate ends */

	struct doctor_answer answers[DOCTOR_QUESTIONS];
	const char *stopped; /* why not everything was asked; NULL: it was */

	/* by doctor_read() */
	struct scep_capability_set capabilities;
	struct buffer der[DOCTOR_CERTIFICATES];
	struct certificate certificates[DOCTOR_CERTIFICATES]; /* in their order; DER above */
	int issuers[DOCTOR_CERTIFICATES]; /* which of them issued each; -1: none */
	int count;
	struct errbuf certificates_why;	     /* why there are none */
	const struct certificate *recipient; /* messages are enveloped to it; NULL: none fits */
	const struct certificate *issuer;    /* its CA, or itself; NULL: not in the list */

	/* by doctor_poll_…() */
	struct doctor_poll poll;
	struct errbuf poll_why; /* why there is no poll */
	struct doctor_reply replies[DOCTOR_QUESTIONS];
};

/* Ask everything, one question after the other.  false with why: the URL makes no sense.  doctor_free() is due whatever comes out. */
bool doctor_ask(struct doctor *d, struct errbuf *why);
/* Read capabilities and certificates out of the answers to DOCTOR_ASK_CAPS and DOCTOR_ASK_CA_CERT. */
void doctor_read(struct doctor *d);
/* Releases what is in d, and zeroes it. */
void doctor_free(struct doctor *d);

/* Make d->poll for d->recipient; false with d->poll_why. */
bool doctor_poll_make(struct doctor *d);
/* Read the answer to q, one of DOCTOR_ASK_POLL…, into d->replies[q]. */
void doctor_poll_read(struct doctor *d, enum doctor_question q);
void doctor_poll_free(struct doctor_poll *p);

struct doctor_finding {
	const char *name; /* stable: monitoring may depend on it */
	uint32_t clients; /* whom it concerns */
	enum doctor_result result;
	char text[DOCTOR_TEXT]; /* what was found, and what to do */
};

/* Tables end at a NULL name.  run() says something of f exactly once, by the functions below. */
struct doctor_check {
	const char *name;
	uint32_t clients;
	void (*run)(const struct doctor *d, struct doctor_finding *f);
};
extern const struct doctor_check doctor_http_checks[];
extern const struct doctor_check doctor_caps_checks[];
extern const struct doctor_check doctor_list_checks[];
extern const struct doctor_check doctor_key_checks[];
extern const struct doctor_check doctor_message_checks[];

/* Run all; findings has DOCTOR_FINDINGS_MAX.  Returns how many there are. */
int doctor_check(const struct doctor *d, struct doctor_finding *findings);

/* Set result and text; what is no UTF-8, and control characters, become '?'. */
void doctor_say(struct doctor_finding *f, enum doctor_result result, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* There is an HTTP answer to q that no limit of requests has made; otherwise SKIPPED is said, or FAILURE where the call broke down. */
bool doctor_answered(const struct doctor *d, enum doctor_question q, struct doctor_finding *f);
/* "404 (page not found)": the status and the first line of the body. */
#define DOCTOR_WORDS 120
const char *doctor_words(const struct doctor_answer *a, char out[DOCTOR_WORDS]);
/* Who issued c, both of them in the list: by name and signature, or by name alone where none fits better; NULL: none, or c is self-issued. */
const struct certificate *doctor_issuer(const struct doctor *d, const struct certificate *c);
/* c is an RA's: neither a CA nor self-issued. */
bool doctor_is_ra(const struct certificate *c);
bool doctor_is_rsa(const struct certificate *c);

/* Print the findings: lines for people, or with json an array.  quiet: warnings and failures alone.  Returns the exit status. */
struct cli;
int doctor_report(const struct cli *cli, const struct doctor_finding *findings, int count,
    bool quiet, bool strict);

#endif
