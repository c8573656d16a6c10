/* text.h: texts as the store keeps them: valid UTF-8 of a bounded length.  Inside the store only. */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include <stdbool.h>

#define TEXT_MAX 1024 /* octets */

/*
 * text itself where it is fine; otherwise room with what of it fits, each octet that is no UTF-8 replaced by U+FFFD, cut at a
 * character's border.  NULL stays NULL.
 */
const char *text_bounded(const char *text, char room[TEXT_MAX + 1]);

#endif
