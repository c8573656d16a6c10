/* fields.h: a profile's rules for subject and subjectAltName applied to what a CSR asks for. */
#ifndef PKI_FIELDS_H
#define PKI_FIELDS_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/csr.h"

/* FIELD_MANUAL: the value that was given with the enrolment. */
enum field_source { FIELD_SCEP_REQUEST, FIELD_FIXED, FIELD_MANUAL };

struct field_value {
	char type[32];
	char value[256]; /* UTF-8 */
};

/*
 * type: subject.commonName .organization .organizationalUnit .locality .state .country .serialNumber .email .userId .domainComponent
 * .title .givenName .surname .unstructuredName; san.dns .ip .email .uri .upn .directoryName .registeredId
 */
struct field_rule {
	char type[32];
	enum field_source source;
	bool required;
	bool multiple;
	char value[256]; /* with FIXED */
};

struct field_rules {
	const struct field_rule *rules;
	int count;	   /* 0: every known subject attribute and SAN type passes as asked */
	bool refuse_extra; /* what no rule names: refused; otherwise dropped */
	/* CA:TRUE, keyCertSign, an EKU outside eku asked for: refused; otherwise dropped. */
	bool refuse_extensions;
	int key_usage; /* of the profile, to compare with; 0: no comparison */
	struct octets eku;
};

/* The first rule for a field with this source; NULL where there is none. */
const struct field_rule *field_rule_get0(
    const struct field_rules *r, const char *field, enum field_source source);

enum field_rc { FIELD_OK, FIELD_REFUSED, FIELD_FAULT };

/*
 * Append the Name to subject and the GeneralNames (or nothing) to san that the certificate gets.  The order of the RDNs is
 * kept as it came; fixed values come where their rule stands, behind.  Without any change the request's octets are used as they are.
 * Values of any string type must be well-formed, without NUL; IP 4 or 16 octets; DNS names and e-mail without control characters or spaces.
 * FIELD_REFUSED: why says all for the log; text (for failInfoText) names the field and what is wrong, no more.
 */
enum field_rc fields_apply(const struct field_rules *r, const struct csr *csr,
    struct buffer *subject, struct buffer *san, struct errbuf *why, struct errbuf *text);

/* The names known: to check a rule when it is set. */
bool field_type_is_known(const char *type);

/* Append the GeneralNames as "DNS:a, IP:1.2.3.4, URI:…": for logs, the audit and searches.  false when malformed. */
bool san_to_text(struct octets san, struct buffer *out);
/* The opposite, for scepctl: "dns:a,ip:1.2.3.4,email:b@c,uri:u,upn:x@y". */
bool san_from_text(const char *text, struct buffer *out, struct errbuf *why);

#endif
