/* dialect.h: the ways in which MDMs fetch a one-time challenge; the path picks the dialect. */
#ifndef DIALECT_DIALECT_H
#define DIALECT_DIALECT_H

#include "fcgi-admin/call.h"

/* GET and POST /scep/{profile}/challenge: the challenge alone as text, for scripts and for Jamf's SCEPChallenge webhook. */
void dialect_challenge(struct call *c);
/* The same for SCEP_DEFAULT_PROFILE: /scep/challenge. */
void dialect_default_challenge(struct call *c);

/* GET and POST /scep/{profile}/mscep_admin[/]: the page of NDES, in UTF-16LE. */
void dialect_ndes(struct call *c);
/* The same for SCEP_DEFAULT_PROFILE: /scep/mscep_admin[/] and, where NDES itself has it, /certsrv/mscep_admin[/]. */
void dialect_default_ndes(struct call *c);

/* GET and POST /scep/{profile}/challenge.html: the same page in single octets. */
void dialect_page(struct call *c);
/* The same for SCEP_DEFAULT_PROFILE: /scep/challenge.html. */
void dialect_default_page(struct call *c);

#endif
