/* log.h: one line an event on stderr, key=value or JSON, written by one write(2). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/octets.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* For the whole process, once at start: program must outlive it.  Before it, lines go out as key=value at level info. */
void log_open(const char *program, bool json, enum log_level least);

/* The id that every line of the request at hand carries ("" for none); at most 63 characters are kept. */
void log_set_request(const char *request_id);

/*
 * One line.  log_begin() starts it, each log_… call adds a field, log_end() writes it: time, level, program, pid, request and
 * event come by themselves.  Values are quoted and escaped where needed; a line is cut at 4 KiB.  Never give it a secret.
 *
 *	struct log_line l;
 *	log_begin(&l, LOG_LEVEL_INFO, "enrolled");
 *	log_text(&l, "profile", name);
 *	log_end(&l);
 */
struct log_line {
	enum log_level level;
	bool open;
	size_t len;
	char text[4096];
};

void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_text(struct log_line *l, const char *key, const char *value); /* NULL: no such field */
void log_octets(struct log_line *l, const char *key, struct octets value);
void log_number(struct log_line *l, const char *key, int64_t value);
void log_end(struct log_line *l);

/* The plain case: an event with one field, msg. */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
