/* clock.h: the only reader of time.  The test build adds an offset in seconds, read from the file that SCEP_TEST_CLOCK names. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now(void);	  /* seconds since 1970, UTC */
int64_t clock_now_ms(void);	  /* milliseconds since 1970, UTC */
int64_t clock_monotonic_ms(void); /* for durations and time-outs: no offset, never steps */
int64_t clock_monotonic_us(void);

#endif
