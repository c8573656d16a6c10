#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

#ifdef SCEP_TEST_BUILD

/* What the file says: up to four words, "STEP WHAT [MS] [always]". */
static int
read_words(const char *path, char words[4][32])
{
	char text[128];
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%31s %31s %31s %31s", words[0], words[1], words[2], words[3]);
}

bool
fault_here(const char *step)
{
	const char *path = getenv("SCEP_TEST_FAULT_FILE");
	char words[4][32];
	int count;

	if (path == NULL || *path == '\0')
		return false;
	count = read_words(path, words);
	if (count < 2 || strcmp(words[0], step) != 0)
		return false;
	/* Whoever removes the file is the one process in which it fires. */
	if (strcmp(words[count - 1], "always") != 0 && unlink(path) != 0)
		return false;

	if (strcmp(words[1], "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(words[1], "sleep") == 0 && count > 2) {
		long ms = strtol(words[2], NULL, 10);
		struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

		while (nanosleep(&ts, &ts) != 0)
			continue;
	}
	return strcmp(words[1], "fail") == 0;
}

#endif
