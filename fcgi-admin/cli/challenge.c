/* challenge.c: challenge new, count. */
#include <inttypes.h>
#include <stdio.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/challenge.h"
#include "fcgi-admin/manage/challenge_reopen.h"
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

static int
reopen(struct cli *cli, const struct arguments *a)
{
	struct manage_reopen_order o = {.id = a->operand_count > 0 ? a->operands[0] : NULL,
	    .serial = arguments_text(a, "serial")};
	char until[ENCODING_TIME_SIZE];
	struct manage_reopened n;
	struct manage_report r = {0};
	struct errbuf why = {0};
	int status;

	if ((o.id == NULL) == (o.serial == NULL)) {
		cli_error("the challenge's id, or --serial of its certificate: one of them");
		return CLI_USAGE;
	}
	if (!arguments_duration(a, "ttl", &o.expiry_s, &why))
		return cli_usage(&why);
	status = cli_result(manage_challenge_reopen(&cli->manage, &cli->actor, &o, &n, &r), &r);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(json_pack("{s:s,s:s,s:s,s:b,s:o}", "id", n.id, "profile",
		    n.profile, "revokedSerial", n.certificate.serial, "enrollmentCode", n.code,
		    "expiresAt", cli_json_time(n.expires_at)));
	encoding_time(n.expires_at, until);
	printf("%s is open again until %s; certificate %s is revoked\n", n.id, until,
	    n.certificate.serial);
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
static const struct option_spec reopen_options[] = {
    {"serial", "SERIAL", "the certificate that never arrived, in place of the id", false},
    {"ttl", "TIME", "the challenge's new life, 1m to 30d; the profile's without it", false},
    {0},
};
static const struct option_spec count_options[] = {PROFILE_OPTION, {0}};

const struct verb cli_challenge_verbs[] = {
    {"challenge", "new", "", "mint a one-time challenge and print it", NULL, new_options, new},
    {"challenge", "count", "", "how many one-time challenges are pending", NULL, count_options,
	count},
    {"challenge", "reopen", "[ID]",
	"for a device whose reply never arrived: revoke the certificate, open its challenge again",
	NULL, reopen_options, reopen},
    {0},
};
