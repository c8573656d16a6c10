/* ranks.c: the statistic of Mann and Whitney. */
#include "ranks.h"

#include <math.h>
#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
ranks_sort(double *x, size_t count)
{
	qsort(x, count, sizeof(*x), compare);
}

double
ranks_median(const double *sorted, size_t count)
{
	if (count == 0)
		return 0;
	return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

double
ranks_below(const double *a, size_t a_count, const double *b, size_t b_count)
{
	double pairs = 0;
	size_t below = 0, upto = 0; /* of a: less than, and not more than, the b at hand */

	for (size_t i = 0; i < b_count; i++) {
		while (below < a_count && a[below] < b[i])
			below++;
		while (upto < a_count && a[upto] <= b[i])
			upto++;
		pairs += (double)below + (double)(upto - below) / 2;
	}
	return pairs / ((double)a_count * (double)b_count);
}

double
ranks_error(size_t a_count, size_t b_count)
{
	double a = (double)a_count, b = (double)b_count;

	return sqrt((a + b + 1) / (12 * a * b));
}
