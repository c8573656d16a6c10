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

/* A profile of a listing, and one with all that belongs to it. */
json_t *profile_row_json(const struct scep_profile_row *p);
json_t *profile_json(const struct cli *cli, const struct manage_profile *p);
void profile_print(const struct cli *cli, const struct manage_profile *p);

#endif
