/* profile_change.h: what may be set on a profile: checked, applied to its rows, and put in words for the audit. */
#ifndef MANAGE_PROFILE_CHANGE_H
#define MANAGE_PROFILE_CHANGE_H

#include "fcgi-admin/manage/profile.h"

/* All faults of c at once, with warnings for what is allowed but unwise.  p is the profile as it stands. */
enum manage_rc profile_change_check(
    const struct manage_profile_change *c, const struct manage_profile *p, struct manage_report *r);

/* Write c into p; scep and ra get "name: before -> after" for each row that changes.  Needs the master key for a challenge. */
enum manage_rc profile_change_apply(struct manage *m, const struct manage_profile_change *c,
    struct manage_profile *p, struct buffer *scep, struct buffer *ra, struct manage_report *r);

/* May this profile be enabled?  INVALID with the field that is missing. */
enum manage_rc profile_change_can_enable(const struct scep_profile_row *p, struct manage_report *r);

#endif
