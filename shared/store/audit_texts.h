/* audit_texts.h: the texts of an audit event, in the order of the table's columns.  Inside the store only. */
#ifndef STORE_AUDIT_TEXTS_H
#define STORE_AUDIT_TEXTS_H

#include <stddef.h>

#include "store/audit_event.h"

#define AUDIT_TEXTS 22

struct audit_text {
	const char *name; /* of the member, the column and the JSON key */
	size_t offset;	  /* in struct audit_event */
};

extern const struct audit_text audit_texts[AUDIT_TEXTS];

/* The text of that member. */
const char **audit_text_of(struct audit_event *e, const struct audit_text *t);
const char *audit_text_get0(const struct audit_event *e, const struct audit_text *t);

#endif
