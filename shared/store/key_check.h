/* key_check.h: does the master key belong to this store?  Asked at start by every program that opens both. */
#ifndef STORE_KEY_CHECK_H
#define STORE_KEY_CHECK_H

#include <stdbool.h>

#include "base/master_key.h"
#include "store/store.h"

/*
 * Compare the proof of k (a MAC under a key derived for this alone) with the one in the store; with set, put it there where
 * none is yet (scepctl init).  STORE_OK: they belong together.  STORE_NONE: the store has no proof, "scepctl init" was not
 * run.  STORE_CONFLICT: the store belongs to another master key.  why names what to do.
 */
enum store_rc store_key_check(
    struct store *st, const struct master_key *k, bool set, struct errbuf *why);

#endif
