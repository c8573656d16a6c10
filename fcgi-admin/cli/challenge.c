/* challenge.c: challenge new, count. */
#include <inttypes.h>
#include <stdio.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/challenge.h"
#include "fcgi-admin/manage/profile.h"

/* The profile that --profile names; CLI_DONE, or the status to end with. */
static int
get_profile(struct cli *cli, const struct arguments *a, struct manage_profile *p)
{
	struct manage_report r = {0};
	const char *name = arguments_text(a, "profile");

	if (name == NULL) {
		cli_error("--profile is missing: scepctl profile list");
		return CLI_USAGE;
	}
	return cli_result(manage_profile_get(&cli->manage, name, p, &r), &r);
}

static int new (struct cli *cli, const struct arguments *a)
{
	struct manage_challenge c;
	struct manage_profile p;
	struct manage_report r = {0};
	struct errbuf why = {0};
	struct manage_challenge_order o = {.profile = &p.scep,
	    .bind_cn = arguments_text(a, "bind-cn"),
	    .bind_san = arguments_text(a, "bind-san"),
	    .bind_key = arguments_text(a, "bind-key"),
	    .bind_device = arguments_text(a, "bind-device")};
	int status;

	if (!arguments_duration(a, "ttl", &o.expiry_s, &why))
		return cli_usage(&why);
	if ((status = get_profile(cli, a, &p)) != CLI_DONE)
		return status;
	status = cli_result(manage_challenge_mint(&cli->manage, &cli->actor, &o, &c, &r), &r);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		status = cli_print_json(json_pack("{s:s,s:s,s:o,s:s}", "id", c.id, "challenge",
		    c.value, "expiresAt", cli_json_time(c.expires_at), "profile", p.scep.name));
	else
		puts(c.value);
	octets_wipe(&c, sizeof(c));
	return status;
}

static int
count(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	int64_t pending = 0;
	int status;

	if ((status = get_profile(cli, a, &p)) != CLI_DONE)
		return status;
	status = cli_result(manage_challenge_count(&cli->manage, &p.scep, &pending, &r), &r);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(json_pack("{s:s,s:I,s:I}", "profile", p.scep.name, "pending",
		    (json_int_t)pending, "maxPending", (json_int_t)p.scep.max_pending));
	printf("%" PRId64 "\n", pending);
	return CLI_DONE;
}

#define PROFILE_OPTION                                                                             \
	{                                                                                          \
		"profile", "NAME", "the profile", false                                            \
	}

static const struct option_spec new_options[] = {
    PROFILE_OPTION,
    {"ttl", "TIME", "its life, 1m to 30d; the profile's without it", false},
    {"bind-cn", "CN", "the common name that the device must ask for", false},
    {"bind-san", "LIST", "the SAN that it must ask for: dns:a.example,ip:192.0.2.1", false},
    {"bind-key", "TYPE", "the key it must have: RSA, RSA-2048, EC, \"EC P-256\"", false},
    {"bind-device", "ID", "its serialNumber, UID or CN, or one name of its SAN", false},
    {0},
};
static const struct option_spec count_options[] = {PROFILE_OPTION, {0}};

const struct verb cli_challenge_verbs[] = {
    {"challenge", "new", "", "mint a one-time challenge and print it", NULL, new_options, new},
    {"challenge", "count", "", "how many one-time challenges are pending", NULL, count_options,
	count},
    {0},
};
