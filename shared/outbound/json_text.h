/* json_text.h: JSON that others answer, read within limits, and the little that is written to them, into buffers that are wiped. */
#ifndef OUTBOUND_JSON_TEXT_H
#define OUTBOUND_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define JSON_TEXT_DEPTH 16 /* of arrays and objects in each other */

/*
 * The object that all of text is; NULL with why where it is anything else, nested deeper, or names a member twice.  What is allocated on the
 * way is wiped before it is given back: answers have tokens in them.  Freed by json_text_free().
 */
json_t *json_text_read(struct octets text, struct errbuf *why);
void json_text_free(json_t *json);

/* A member's text, borrowed; NULL where it is missing or no string, or has a NUL in it. */
const char *json_text_member(const json_t *object, const char *name);

/* text, cut between characters to size, with '?' for control characters: fit for a log.  NULL is "". */
void json_text_copy(const char *text, char *out, size_t size);

/* Append text between quotes, escaped; U+FFFD stands for what is no UTF-8. */
void json_text_append(struct buffer *out, struct octets text);
/* Append "name":"text". */
void json_text_append_member(struct buffer *out, const char *name, const char *text);
/* Append "name":"base64 of the octets". */
void json_text_append_base64(struct buffer *out, const char *name, struct octets value);

#endif
