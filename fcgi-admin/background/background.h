/* background.h: the one process of an installation that does what no request should wait for, under a lease in the store. */
#ifndef BACKGROUND_BACKGROUND_H
#define BACKGROUND_BACKGROUND_H

#include "fcgi/prefork.h"

/*
 * Runs until *stop; as prefork.h wants it.  Every half second: audit rows that wait in Redis go to the store in batches.  Every five: the ends of
 * transactions that nobody decided in time are recorded, and certificates that newer ones replace are revoked.  Every ten, or when it is large: the write-ahead log is checkpointed;
 * and certificates that Intune should have been told of an hour ago are revoked.  Every minute: audit
 * rows past their retention, and decided transactions of no more use, are deleted.
 * Every SCEP_INTUNE_REVOCATION_MINUTES: the revocations that Intune asks for.  Every hour: RA certificates whose overlap is over are forgotten.
 * Once a day: the ends of CAs and RA certificates are looked at.  A store or Redis that is away is waited for, and logged once.
 */
int background_run(
    const struct settings *s, struct prefork_shared *shared, const volatile bool *stop);

#endif
