#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#ifdef SCEP_TEST_BUILD

/*
 * The offset in seconds that the file named by SCEP_TEST_CLOCK holds now, 0 without one.  The file is written in place, so one
 * descriptor stays good; it is read at each call, so that all processes move at once.
 */
static int64_t
offset_s(void)
{
	static int fd = -1;
	static int unset = -1;
	const char *path;
	char text[32];
	ssize_t n;

	if (unset == 1)
		return 0;
	if (fd == -1) {
		path = getenv("SCEP_TEST_CLOCK");
		unset = path == NULL || *path == '\0';
		if (unset == 1 || (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
			return 0;
	}
	if ((n = pread(fd, text, sizeof(text) - 1, 0)) <= 0)
		return 0;
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

#else
#define offset_s() ((int64_t)0)
#endif

static int64_t
read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_now(void)
{
	return read_us(CLOCK_REALTIME) / 1000000 + offset_s();
}

int64_t
clock_now_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000 + offset_s() * 1000;
}

int64_t
clock_monotonic_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}
