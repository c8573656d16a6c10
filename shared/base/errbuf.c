#include <openssl/err.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/errbuf.h"

/* One line of printable text: what a stranger wrote may be in it. */
static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

/* By way of a line of our own, since an argument may be the old why->line. */
static void
set(struct errbuf *why, const char *suffix, const char *fmt, va_list ap)
{
	char line[ERRBUF_SIZE];
	int n;

	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n < 0)
		n = 0;
	if (suffix != NULL && (size_t)n < sizeof(line))
		snprintf(line + n, sizeof(line) - (size_t)n, ": %s", suffix);
	make_printable(line);
	memcpy(why->line, line, sizeof(line));
}

void
errbuf_set(struct errbuf *why, const char *fmt, ...)
{
	va_list ap;

	if (why == NULL)
		return;
	va_start(ap, fmt);
	set(why, NULL, fmt, ap);
	va_end(ap);
}

void
errbuf_prefix(struct errbuf *why, const char *fmt, ...)
{
	char old[ERRBUF_SIZE];
	va_list ap;

	if (why == NULL)
		return;
	memcpy(old, why->line, sizeof(old));
	va_start(ap, fmt);
	set(why, old, fmt, ap);
	va_end(ap);
}

void
errbuf_ossl(struct errbuf *why, const char *fmt, ...)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = NULL;
	char number[32];
	va_list ap;

	if (e != 0) {
		reason =
		    ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);
		if (reason == NULL) {
			snprintf(number, sizeof(number), "OpenSSL error %08lx", e);
			reason = number;
		}
	}
	if (why != NULL) {
		va_start(ap, fmt);
		set(why, reason, fmt, ap);
		va_end(ap);
	}
	ERR_clear_error();
}

void
errbuf_errno(struct errbuf *why, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (why == NULL)
		return;
	va_start(ap, fmt);
	set(why, strerror(saved), fmt, ap);
	va_end(ap);
	errno = saved;
}
