/* profile_change.h: what may be set on a profile: checked, applied to its rows, and put in words for the audit. */
#ifndef MANAGE_PROFILE_CHANGE_H
#define MANAGE_PROFILE_CHANGE_H

#include "fcgi-admin/manage/profile.h"

/* All faults of c at once, with warnings for what is allowed but unwise.  p is the profile as it stands. */
enum manage_rc profile_change_check(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r);

/* Write c into p; scep and ra get "name: before -> after" for each row that changes.  Needs the master key for a challenge. */
enum manage_rc profile_change_apply(struct manage *m, const struct manage_profile_change *c,
    struct manage_profile *p, struct buffer *scep, struct buffer *ra, struct manage_report *r);

/* What may be in the certificates, and who may have several: field rules, end, Microsoft's extensions, duplicates.  CONFLICT, AWAY. */
enum manage_rc profile_fields_check(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r);
void profile_fields_apply(const struct manage_profile_change *c, struct manage_profile *p,
    struct buffer *scep, struct buffer *ra);

/* Read the names of the profiles that p->scep.renew_from has by uuid. */
enum manage_rc profile_renew_from_read(
    struct manage *m, struct manage_profile *p, struct manage_report *r);
/* Put the profiles that text names in their place; p's own name, whose certificates renew anyway, is left out.  INVALID: renewFrom. */
enum manage_rc profile_renew_from_set(
    struct manage *m, const char *text, struct manage_profile *p, struct manage_report *r);
/* "a,b". */
#define PROFILE_RENEW_FROM_TEXT (PROFILE_RENEW_FROM_MAX * 65)
void profile_renew_from_text(const struct manage_profile *p, char out[PROFILE_RENEW_FROM_TEXT]);

/* Curves in their order, each once; false where a name is not one of P-256, P-384, P-521. */
#define PROFILE_CURVES 64
bool profile_curves_of_text(const char *text, char out[PROFILE_CURVES]);

/* May this profile be enabled?  INVALID with the field that is missing. */
enum manage_rc profile_change_can_enable(
    struct manage *m, const struct scep_profile_row *p, struct manage_report *r);

/* The faults of a number; MANAGE_KEEP has none. */
void profile_check_number(
    const char *name, int64_t value, int64_t least, int64_t most, struct manage_report *r);
/* Set one value, unless it is NULL or MANAGE_KEEP, and append "name: before -> after" where it differs. */
void profile_apply_text(
    const char *name, const char *value, char *target, size_t size, struct buffer *changes);
void profile_apply_number(const char *name, int64_t value, int64_t *target, struct buffer *changes);
void profile_apply_flag(const char *name, int value, bool *target, struct buffer *changes);

/* profile_mode.c: how a device proves itself, and how often it may. */
enum manage_rc profile_mode_check(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r);
/* Read the name of the connection that p->scep.intune_id is. */
enum manage_rc profile_intune_read(
    struct manage *m, struct manage_profile *p, struct manage_report *r);
enum manage_rc profile_mode_apply(struct manage *m, const struct manage_profile_change *c,
    struct manage_profile *p, struct buffer *changes, struct manage_report *r);

/* May a profile of this name be made?  INVALID, CONFLICT. */
enum manage_rc profile_new_check(
    struct manage *m, const char *name, const char *ra_key, struct manage_report *r);
/*
 * Give the new profile p an id, apply c, make its RA certificate under ca and write all of it; changes (the SCEP profile's, the RA profile's) say what
 * comes before in the audit.  What fails leaves no key file.
 */
enum manage_rc profile_new_write(struct manage *m, const struct manage_actor *by,
    const char *ra_key, const struct manage_profile_change *c, const struct authority_row *ca,
    struct manage_profile *p, struct buffer changes[2], struct manage_report *r);

#endif
