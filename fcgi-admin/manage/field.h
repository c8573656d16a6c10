/* field.h: the field rules of a profile one by one: what of a request may go into its certificates. */
#ifndef MANAGE_FIELD_H
#define MANAGE_FIELD_H

#include "fcgi-admin/manage/profile.h"

/*
 * All of these change the profile as manage_profile_set() does, with its events, and give it back in out.  which names a rule: its number from 1 in the order of
 * the profile's fields, its type where one rule alone has that ("san.dns"), or type and source ("san.dns/fixed").  NOT_FOUND: there is no such
 * rule; CONFLICT: several are, or the rule was saved as required and the profile has certificates.
 */

/* Behind the others, in one step. */
enum manage_rc manage_field_add(struct manage *m, const struct manage_actor *by,
    const char *profile, const struct field_row *fields, int count, struct manage_profile *out,
    struct manage_report *r);
/* Another rule in its place, for the same field. */
enum manage_rc manage_field_set(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *which, const struct field_row *field,
    struct manage_profile *out, struct manage_report *r);
enum manage_rc manage_field_delete(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *which, struct manage_profile *out, struct manage_report *r);

#endif
