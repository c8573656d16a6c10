/* errbuf.h: one line of why something failed, for the log and the audit, never for a client. */
#ifndef BASE_ERRBUF_H
#define BASE_ERRBUF_H

#define ERRBUF_SIZE 512

/* A caller keeps one on its stack (struct errbuf why = {0}) and passes its address down. */
struct errbuf {
	char line[ERRBUF_SIZE]; /* NUL-terminated; control characters already replaced by '?' */
};

/* Replace the line.  why may be NULL: then nothing is kept. */
void errbuf_set(struct errbuf *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "text: " before what is there already. */
void errbuf_prefix(struct errbuf *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As errbuf_set, then ": " and the newest reason in OpenSSL's error queue; the queue is emptied, also when why is NULL. */
void errbuf_ossl(struct errbuf *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As errbuf_set, then ": " and the text of errno as it was on entry. */
void errbuf_errno(struct errbuf *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
