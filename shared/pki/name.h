/* name.h: distinguished names as octets and as text (RFC 4514). */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"

/* Append "CN=x,O=y" in RFC 4514 order (last RDN first) and escaping; unknown types in dotted form with #hex.  false if not a Name. */
bool name_to_text(struct octets name, struct buffer *out);

/*
 * Append the DER Name that text says: comma-separated TYPE=value in the order to be encoded (openssl's -subj order: the most
 * significant first), backslash escapes; types CN O OU L ST C serialNumber emailAddress UID DC title GN SN unstructuredName.
 */
bool name_from_text(const char *text, struct buffer *out, struct errbuf *why);

/*
 * One attribute after the other, in the order of the encoding.  Call with *at = 0 first; false at the end.  oid and value
 * (content octets, of string type tag) are borrowed from name; rdn counts the RDN.
 */
struct name_attribute {
	struct octets oid;
	struct octets value;
	int tag;
	int rdn;
};
struct name_view;
bool name_parse(struct octets name, struct name_view **out, struct errbuf *why); /* caller frees */
int name_count(const struct name_view *v);
const struct name_attribute *name_get0(const struct name_view *v, int i);
void name_free(struct name_view *v);

/* The value as UTF-8, whatever its string type; false when it is malformed, has a NUL, or is no string type. */
bool name_value_utf8(struct octets value, int tag, struct buffer *out);

/* Append the first commonName as UTF-8; false where there is none. */
bool name_common_name(struct octets name, struct buffer *out);

#endif
