/* ra.c: ra list, rotate, switch, cancel. */
#include <stdio.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/ra_rotation.h"
#include "fcgi-admin/manage/rollover.h"

static json_t *
ra_json(const struct manage_ra *ra)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "profile", ra->profile, "role",
	    ra->role, "id", ra->id, "ca", ra->authority, "keyType", ra->key, "serialNumber",
	    ra->serial, "notAfter", cli_json_time(ra->not_after), "until",
	    cli_json_time(ra->until));
}

static bool
tell(void *ctx, const struct manage_ra *ra)
{
	char end[ENCODING_TIME_SIZE], until[ENCODING_TIME_SIZE] = "-";

	if (ctx != NULL)
		return json_array_append_new(ctx, ra_json(ra)) == 0;
	encoding_time(ra->not_after, end);
	if (ra->until != 0)
		encoding_time(ra->until, until);
	printf("%-24s %-8s %-16s %-8s %-20s %-20s %s\n", ra->profile, ra->role, ra->authority,
	    ra->key, end, until, ra->serial);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status;

	if (!cli->json)
		printf("%-24s %-8s %-16s %-8s %-20s %-20s %s\n", "PROFILE", "ROLE", "CA", "KEY",
		    "NOTAFTER", "DECRYPTS UNTIL", "SERIAL");
	status = cli_result(manage_ra_each(&cli->manage,
				a->operand_count > 0 ? a->operands[0] : NULL, tell, all, &r),
	    &r);
	return cli_listed(cli, status, all);
}

static int
rotate(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_ra_rotate(
		&cli->manage, &cli->actor, a->operands[0], arguments_text(a, "key"), &r),
	    &r, a->operands[0]);
}

static int
switch_to(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};
	struct errbuf why = {0};
	int64_t overlap_s = MANAGE_OVERLAP_S;

	if (!arguments_duration(a, "overlap", &overlap_s, &why))
		return cli_usage(&why);
	return cli_changed(cli,
	    manage_ra_switch(&cli->manage, &cli->actor, a->operands[0], overlap_s, &r), &r,
	    a->operands[0]);
}

static int
cancel(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli, manage_ra_cancel(&cli->manage, &cli->actor, a->operands[0], &r), &r,
	    a->operands[0]);
}

static const struct option_spec rotate_options[] = {
    {"key", "KIND", "rsa:2048, rsa:3072, rsa:4096 (as large as it is)", false},
    {0},
};
static const struct option_spec switch_options[] = {
    {"overlap", "TIME", "how long the old one decrypts: 14d (0s to 400d)", false},
    {0},
};

const struct verb cli_ra_verbs[] = {
    {"ra", "list", "[PROFILE]", "list RA certificates: current, next and previous ones", NULL, NULL,
	list},
    {"ra", "rotate", "PROFILE", "prepare the next RA certificate of a profile",
	"Devices fetch it by GetNextCACert until \"scepctl ra switch\".", rotate_options, rotate},
    {"ra", "switch", "PROFILE", "take the next RA certificate into use", NULL, switch_options,
	switch_to},
    {"ra", "cancel", "PROFILE", "take the next RA certificate back", NULL, NULL, cancel},
    {0},
};
