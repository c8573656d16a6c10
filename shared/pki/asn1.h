/*
 * asn1.h: decoding by OpenSSL's ASN.1 templates (asn1t.h), exactly one object at a time, and the check that octets which are
 * to be spliced into something of ours are DER in form.
 */
#ifndef PKI_ASN1_H
#define PKI_ASN1_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/asn1.h>

#include "base/octets.h"

/*
 * Decode one object, with nothing behind it, by the template it.  The caller frees it by ASN1_item_free; NULL when it does not
 * fit, with the reason in OpenSSL's error queue (errbuf_ossl or ERR_clear_error empties that).  BER passes.
 */
void *asn1_decode(const ASN1_ITEM *it, struct octets der);

/*
 * One TLV with first octet tag and nothing behind it, in the form that X.690 section 10 wants: definite, shortest lengths, strings
 * in one piece, elements that fill what they are in; at most 24 levels.  What the elements mean is not looked at.
 */
bool asn1_is_der(struct octets der, uint8_t tag);

/* The OID that text says in dotted form, and only in its one usual spelling; NULL for anything else.  The caller frees it. */
ASN1_OBJECT *asn1_oid_from_text(const char *text);

/* Seconds since 1970 of a UTCTime or GeneralizedTime; false when it is malformed. */
bool asn1_time_seconds(const ASN1_TIME *t, int64_t *out);

/* Borrowed contents; empty for NULL. */
struct octets asn1_string_octets(const ASN1_STRING *s);
struct octets asn1_oid_octets(const ASN1_OBJECT *o);
struct octets asn1_type_octets(
    const ASN1_TYPE *any); /* empty, too, for what has none: BOOLEAN, NULL, OBJECT */

#endif
