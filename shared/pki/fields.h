/* fields.h: a profile's rules for subject and subjectAltName applied to what a CSR asks for. */
#ifndef PKI_FIELDS_H
#define PKI_FIELDS_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/csr.h"
#include "pki/pattern.h"

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
	bool required; /* of what is asked for or given; a fixed value is always there */
	bool multiple;
	char value[256]; /* with FIXED */
	/* Of the text of each value asked for or given, an IP address in its usual form, a directoryName as name_from_text() reads it: */
	int64_t min_length;	       /* characters */
	int64_t max_length;	       /* 0: no limit but the type's */
	const struct pattern *pattern; /* borrowed; NULL: any */
};

struct field_rules {
	const struct field_rule *rules;
	int count;	   /* 0: every known subject attribute and SAN type passes as asked */
	bool refuse_extra; /* what no rule names: refused; otherwise dropped */
	/* CA:TRUE, keyCertSign, an EKU outside eku asked for: refused; otherwise dropped. */
	bool refuse_extensions;
	int key_usage; /* of the profile, to compare with; 0: no comparison */
	struct octets eku;
	bool microsoft_sid;	 /* the extension of a CSR is copied; see fields_extensions() */
	bool microsoft_template; /* likewise */
};

/* The first rule for a field with this source; NULL where there is none. */
const struct field_rule *field_rule_get0(
    const struct field_rules *r, const char *field, enum field_source source);

enum field_rc { FIELD_OK, FIELD_REFUSED, FIELD_FAULT };

/*
 * Append the Name to subject and the GeneralNames (or nothing) to san that the certificate gets.  The order of the RDNs is
 * kept as it came; fixed values, and those of manual (count of them; without a rule for them they are left out), come where their rule stands, behind, unless the
 * same value was asked for already.  Without any change the request's octets are used as they are.
 * Values of any string type must be well-formed, without NUL; IP 4 or 16 octets; DNS names and e-mail without control characters or spaces.
 * FIELD_REFUSED: why says all for the log; text (for failInfoText) names the field and what is wrong, no more.
 */
enum field_rc fields_apply(const struct field_rules *r, const struct csr *csr,
    const struct field_value *manual, int count, struct buffer *subject, struct buffer *san,
    struct errbuf *why, struct errbuf *text);

/*
 * Append the Extensions of the CSR that the profile has copied: Microsoft's SID (a well-formed S-1-…) and certificate templates (name, or
 * OID and versions), DER, never critical.  FIELD_REFUSED: one is malformed or too long, or, with refuse_extensions, not to be copied.
 */
enum field_rc fields_extensions(const struct field_rules *r, const struct csr *csr,
    struct buffer *extra, struct errbuf *why, struct errbuf *text);

/* Do the values that go with an enrolment fit the rules?  REFUSED with why: field and fault; one without a manual rule, too, and a required one that is missing. */
enum field_rc fields_check_manual(
    const struct field_rules *r, const struct field_value *manual, int count, struct errbuf *why);

/* Is there a rule whose source is manual? */
bool fields_have_manual(const struct field_rules *r);

/*
 * What a certificate with these names has of the fields whose source is manual: how many, at most max, are in out.  A renewal has them from its
 * predecessor.  0, too, where there is no such rule or the names are malformed.
 */
int fields_manual_of(const struct field_rules *r, struct octets subject, struct octets san,
    struct field_value *out, int max);

/* Is the text one that the rule's length and pattern allow?  NULL, or in a few words what is wrong. */
const char *field_rule_misfit(const struct field_rule *rule, struct octets utf8);
/* Can this text be a value of the field?  Appends it in its usual form to text; false with why. */
bool field_value_check(
    const char *field, const char *value, struct buffer *text, struct errbuf *why);

/* The names known: to check a rule when it is set. */
bool field_type_is_known(const char *type);

/* Append the GeneralNames as "DNS:a, IP:1.2.3.4, URI:…": for logs, the audit and searches.  false when malformed. */
bool san_to_text(struct octets san, struct buffer *out);
/* The opposite, for scepctl: "dns:a,ip:1.2.3.4,email:b@c,uri:u,upn:x@y". */
bool san_from_text(const char *text, struct buffer *out, struct errbuf *why);

#endif
