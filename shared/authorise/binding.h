/* binding.h: is a CSR by the device that a one-time challenge was made for? */
#ifndef AUTHORISE_BINDING_H
#define AUTHORISE_BINDING_H

#include "pki/csr.h"
#include "redis/challenge.h"

/*
 * CN: the subject has one, and each of its commonNames is it: readers differ in which of several they go by.  SAN: the CSR has every name that is
 * bound, and no other of the same types; DNS names are compared without regard to case.  Key type: its name ("RSA-2048", "EC P-256") or kind
 * ("RSA", "EC").  Device: a serialNumber, UID or CN of the subject, or a SAN, is it.
 *
 * false with why, which tells the difference, to the audit alone.
 */
bool binding_fits(const struct challenge_binding *b, const struct csr *csr, struct errbuf *why);

#endif
