/*
 * scep_fake.h: a SCEP server on loopback that does as a test says, also what no server should: for the tests of scepctl's client.  It
 * checks nothing of what it is sent but what it needs to answer: a poll goes on with the last request, and without one gets badCertId.
 */
#ifndef UNIT_SCEP_FAKE_H
#define UNIT_SCEP_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/octets.h"
#include "pki/certificate.h"
#include "pki/signer.h"
#include "scep/scep.h"

/* A key, and a certificate for it. */
struct scep_fake_party {
	EVP_PKEY *key;
	struct signer *signer;
	X509 *x509;
	struct buffer subject, der;
	struct certificate certificate;
};

/* With issuer NULL a self-signed CA; otherwise signed by it, an RA or a device.  Both abort the test on failure. */
void scep_fake_party_make(struct scep_fake_party *p, const char *kind, const char *name,
    const struct scep_fake_party *issuer);
void scep_fake_party_free(struct scep_fake_party *p);
/* Write certificate and key to PATH.pem and PATH.key. */
void scep_fake_party_save(const struct scep_fake_party *p, const char *path);

/* Those that the tests of scepctl have in common. */
struct scep_fake_parties {
	struct scep_fake_party ca, ra;		  /* RSA */
	struct scep_fake_party other_ca;	  /* EC, with the name of ca */
	struct scep_fake_party next_ca, next_ra;  /* EC, RSA */
	struct scep_fake_party device, ec_device; /* CN=device,O=Example and CN=ec-device, by ca */
};
void scep_fake_parties_make(struct scep_fake_parties *all);
void scep_fake_parties_free(struct scep_fake_parties *all);

#define SCEP_FAKE_LOG_MAX 65536

struct scep_fake {
	/* Set by the test before it starts; zero is the usual. */
	const struct scep_fake_party *ca, *ra;		 /* GetCACert: the RA's, then the CA's */
	bool ra_alone;					 /* … without the CA's */
	const struct scep_fake_party *next_ca, *next_ra; /* NULL: 404 to GetNextCACert */
	const struct scep_fake_party *next_signer;	 /* of that answer; NULL: ca */
	const struct scep_fake_party *issuer;		 /* of certificates; NULL: ca, or next_ca */
	bool renewal;					 /* a capability */
	const char *capabilities;      /* in place of SCEPStandard, AES and that; "": 404 */
	const char *capabilities_type; /* NULL: text/plain */
	int pending;		       /* so many answers are PENDING first */
	int away;		       /* behind the first so many are 503 */
	const char *refuse; /* FAILURE badRequest with this failInfoText, when nothing is pending */
	struct octets certificate; /* in SUCCESS, in place of a fresh one */
	struct octets crl;	   /* the answer to GetCRL */

	char url[64];
	char log[64]; /* a file with a line a message, see scep_fake_log() */
	pid_t pid;
};

void scep_fake_start(struct scep_fake *f);
void scep_fake_stop(struct scep_fake *f);

/*
 * What was asked, a line each: "MESSAGETYPE TRANSACTIONID SIGNER SUBJECT [CHALLENGE]", the signer self or a certificate's subject; for the
 * queries SUBJECT is the serial number in hexadecimal.
 */
const char *scep_fake_log(const struct scep_fake *f);
/* Fail the test unless the text is in it. */
void scep_fake_assert_log(const struct scep_fake *f, const char *text);
/*
 * How the messages came that were understood, a line each: "POST SHA-256 AES-128-CBC", or "GET escaped …" where message= is base64 in
 * which all but letters and digits is escaped, "GET bare …" otherwise.
 */
void scep_fake_assert_how(const struct scep_fake *f, const char *lines);
/* The transactionID in its line n, from 0. */
void scep_fake_transaction_id(const struct scep_fake *f, int n, char out[80]);

#endif
