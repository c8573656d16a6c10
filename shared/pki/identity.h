/* identity.h: whether a CSR asks for the names that a certificate has: what a renewal must not change. */
#ifndef PKI_IDENTITY_H
#define PKI_IDENTITY_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/fields.h"

#define IDENTITY_TEXT_MAX 128 /* octets of a value that why repeats */

/*
 * Both: a is the certificate's, b the CSR's (or what the rules made of it).  Octets that are the same are the same, whatever they are; any
 * others have to be well-formed.
 *
 * Left out on both sides is what a FIXED or MANUAL rule of except sets: every value of its type; or, where a SCEP_REQUEST rule is there for the
 * type too, the fixed value alone, as then the others are the device's.  except may be NULL.
 *
 * false: they differ, one is malformed, or there is no memory.  why says it for people: the field and what each has of it
 * (subject.commonName: the certificate has "x", the CSR "y", as text, cut to IDENTITY_TEXT_MAX octets): nothing secret.
 */

/*
 * Two Names: the same RDNs in the same order, each with the same attributes.  The string type of a value does not count: as UTF-8 it has
 * to be the same octet for octet.  That is stricter than RFC 5280 7.1, which ignores case and repeated spaces: the CSR's octets go into a
 * certificate that others may compare as strictly.
 */
bool identity_same_subject(
    struct octets a, struct octets b, const struct field_rules *except, struct errbuf *why);

/*
 * Two GeneralNames (or empty octets: none), as sets.  DNS names are compared without case, directoryNames as above, all else octet
 * for octet.
 */
bool identity_same_san(
    struct octets a, struct octets b, const struct field_rules *except, struct errbuf *why);

#endif
