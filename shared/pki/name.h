/* name.h: distinguished names as octets and as text (RFC 4514). */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"

#define NAME_ATTRIBUTES_MAX 64
#define NAME_VALUE_MAX	    2048 /* octets of UTF-8 in one value that a certificate may get */

/* Append "CN=x,O=y" in RFC 4514 order (last RDN first) and escaping; unknown types in dotted form with #hex.  false if not a Name. */
bool name_to_text(struct octets name, struct buffer *out);

/*
 * Append the DER Name that text says: comma-separated TYPE=value in the order to be encoded (openssl's -subj order: the most
 * significant first), backslash escapes; types CN O OU L ST C serialNumber emailAddress UID DC title GN SN unstructuredName.  Each is
 * an RDN of its own.  An empty text is the empty Name.
 */
bool name_from_text(const char *text, struct buffer *out, struct errbuf *why);

/* Append the text that name_from_text() makes this Name of again; false where there is none: an RDN of several attributes, an unknown type. */
bool name_to_typed(struct octets name, struct buffer *out);

/*
 * One attribute after the other, in the order of the encoding.  The slices live as long as the view.  value has the content
 * octets where tag (V_ASN1_…) is a string type; rdn counts the RDNs from 0: attributes of one RDN have the same.
 */
struct name_attribute {
	struct octets oid;
	struct octets value;
	int tag;
	int rdn;
};
struct name_view;
/* Exactly one Name (BER passes) of at most NAME_ATTRIBUTES_MAX attributes, not looking at the values.  The caller frees *out. */
bool name_parse(struct octets name, struct name_view **out, struct errbuf *why);
int name_count(const struct name_view *v);
const struct name_attribute *name_get0(const struct name_view *v, int i);
void name_free(struct name_view *v);

/* Append the DER of a Name with these attributes; neighbours with the same rdn are one RDN.  false where a value is no string. */
bool name_encode(const struct name_attribute *attributes, int count, struct buffer *out);

/* The value as UTF-8, whatever its string type; false when it is malformed, has a NUL, or is no string type. */
bool name_value_utf8(struct octets value, int tag, struct buffer *out);

/*
 * Whether a value, as UTF-8, may go into a certificate: NULL, or in a few words what is wrong: empty, over NAME_VALUE_MAX, not
 * well-formed, a NUL or a control character.  name_check() asks it of each value of a whole Name.
 */
const char *name_check_utf8(struct octets utf8);
const char *name_check(struct octets name);

/* Whether each character is one of PrintableString's (X.680 41.4). */
bool name_is_printable(struct octets value);

/* Append the first commonName as UTF-8; false where there is none. */
bool name_common_name(struct octets name, struct buffer *out);

/* The types that have a keyword in text and a field in profiles ("CN", "subject.commonName"); NULL for any other. */
struct name_type {
	const char *keyword;
	const char *field;
	struct octets oid;
	int tag; /* the string type that values are written in */
};
const struct name_type *name_type_of_oid(struct octets oid);
const struct name_type *name_type_of_keyword(const char *keyword, size_t len); /* any case */
const struct name_type *name_type_of_field(const char *field);

/* The field of a type ("subject.commonName"), or, in room, "subject." and the OID in dotted form where it has none. */
#define NAME_FIELD_TEXT (8 + PKI_OID_TEXT)
const char *name_field(struct octets oid, char room[NAME_FIELD_TEXT]);

/* The string type (V_ASN1_…) for a value of this type given as UTF-8; -1 with why when the value does not fit the type. */
int name_type_tag(const struct name_type *type, struct octets utf8, struct errbuf *why);

#endif
