/* scep.h: the words of RFC 8894 that all files of this room share: message types, statuses, failInfo. */
#ifndef SCEP_SCEP_H
#define SCEP_SCEP_H

/* messageType, RFC 8894 3.2.1.2. */
enum scep_message_type {
	SCEP_CERT_REP = 3,
	SCEP_RENEWAL_REQ = 17,
	SCEP_PKCS_REQ = 19,
	SCEP_CERT_POLL = 20,
	SCEP_GET_CERT = 21,
	SCEP_GET_CRL = 22
};

/* pkiStatus, 3.2.1.3. */
enum scep_pki_status { SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };

/* failInfo, 3.2.1.4. */
enum scep_fail_info {
	SCEP_BAD_ALG = 0,
	SCEP_BAD_MESSAGE_CHECK = 1,
	SCEP_BAD_REQUEST = 2,
	SCEP_BAD_TIME = 3,
	SCEP_BAD_CERT_ID = 4,
	SCEP_NO_FAIL_INFO = -1
};

/* The RFC's names, for logs and the audit; "unknown" for a number that is none of these, "none" for no failInfo. */
const char *scep_message_type_name(int type);
const char *scep_pki_status_name(enum scep_pki_status s);
const char *scep_fail_info_name(enum scep_fail_info f);

/* What a step of reading came to. */
enum scep_rc {
	SCEP_OK = 0,
	SCEP_REFUSED,	   /* answer FAILURE with the failInfo beside it */
	SCEP_UNANSWERABLE, /* no transactionID, no signer key to answer to: HTTP 400 */
	SCEP_FAULT	   /* ours, not theirs: HTTP 503 */
};

#endif
