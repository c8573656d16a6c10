/* dialect.h: the ways in which MDMs fetch a one-time challenge; the path picks the dialect. */
#ifndef DIALECT_DIALECT_H
#define DIALECT_DIALECT_H

#include "fcgi-admin/call.h"

/* GET and POST /scep/{profile}/challenge: the challenge alone as text, for scripts and for Jamf's SCEPChallenge webhook. */
void dialect_challenge(struct call *c);
/* The same for SCEP_DEFAULT_PROFILE: /scep/challenge. */
void dialect_default_challenge(struct call *c);

#endif
