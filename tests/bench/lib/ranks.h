/* ranks.h: how far two sets of times overlap: the probability that one of the first is below one of the second. */
#ifndef BENCH_RANKS_H
#define BENCH_RANKS_H

#include <stddef.h>

void ranks_sort(double *x, size_t count);
double ranks_median(const double *sorted, size_t count);

/* P(a < b) + P(a = b) / 2 of two sorted sets. */
double ranks_below(const double *a, size_t a_count, const double *b, size_t b_count);
/* Its standard error where both sets are of one kind (Mann and Whitney). */
double ranks_error(size_t a_count, size_t b_count);

#endif
