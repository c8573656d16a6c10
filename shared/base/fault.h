/*
 * fault.h: in the test build, dying or failing at a named step, so that tests see what a crash there leaves behind.
 *
 * SCEP_TEST_FAULT_FILE names a file whose content is "STEP kill" (SIGKILL to itself), "STEP fail" (fault_here returns true) or
 * "STEP sleep MS"; the file is read at each step and removed when it fires ("STEP kill always" stays).  In any other build fault_here() is a constant false
 * and no code of it exists.  Steps in use: reserved, issued, committed, marked, told, delivered,
 * replied, crl.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

#ifdef SCEP_TEST_BUILD
bool fault_here(const char *step);
#else
#define fault_here(step) (false)
#endif

#endif
