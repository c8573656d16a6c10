/* profile.h: what the verbs of profiles share: their options, read, and a profile as it is told. */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/profile.h"

/* The options of create, set and clone, read; what points into it lives as long. */
struct profile_wanted {
	struct manage_profile_change change;
	struct buffer challenge;
	struct octets challenge_octets;
	struct field_row fields[PROFILE_FIELDS_MAX];
};
/* NULL with why: the usage is wrong. */
struct profile_wanted *profile_wanted_read(const struct arguments *a, struct errbuf *why);
void profile_wanted_free(struct profile_wanted *w);

/* Of these the options --field, --no-fields, --not-after, --microsoft-…, --duplicates, --duplicate-grace, --unique-keys. */
bool profile_rules_read(const struct arguments *a, struct profile_wanted *w, struct errbuf *why);
/*
 * TYPE[,required][,multiple][,source=manual|scepRequest][,min=N][,max=N][,pattern=RE | ,fixed=VALUE]; a fixed value is all that follows, a pattern all but for
 * options of the others at its end.
 */
bool field_rule_read(const char *text, struct field_row *out, struct errbuf *why);

/* What these show of a profile: members, and lines. */
void profile_rules_set_json(const struct manage_profile *p, json_t *scep, json_t *ra);
void profile_rules_print(const struct manage_profile *p);
json_t *field_rules_json(const struct ra_profile_row *p);

/* A profile of a listing, and one with all that belongs to it. */
json_t *profile_row_json(const struct scep_profile_row *p);
json_t *profile_json(const struct cli *cli, const struct manage_profile *p);
void profile_print(const struct cli *cli, const struct manage_profile *p);

#endif
