/* webhook.c: webhook create, set, list, show, delete, test. */
#include <inttypes.h>
#include <stdio.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/secret_file.h"
#include "fcgi-admin/manage/webhook.h"

static json_t *
webhook_json(const struct webhook_row *w)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:o,s:b,s:I,s:b,s:o}", "id", w->id, "name",
	    w->name, "kind", w->kind, "url", w->url, "authentication", w->authentication,
	    "credentialSet", w->sealed_credential.len > 0, "caFile", cli_json_text(w->ca_file),
	    "allowPrivate", w->allow_private, "timeoutMs", (json_int_t)w->timeout_ms, "enabled",
	    w->enabled, "createdAt", cli_json_time(w->created_at));
}

/* The options of create and set, read; what points into it lives as long. */
struct wanted {
	struct manage_webhook_change change;
	struct buffer credential, base64, secret;
	struct octets credential_octets, base64_octets, secret_octets;
};

static void
wanted_free(struct wanted *w)
{
	buffer_free(&w->credential);
	buffer_free(&w->base64);
	buffer_free(&w->secret);
}

/* The HMAC's key comes in base64, as it is shown. */
static bool
read_secret(const struct arguments *a, struct wanted *w, struct errbuf *why)
{
	const struct octets *given;

	if (!secret_file_read(a, "secret-file", &w->base64, &w->base64_octets, &given, why))
		return false;
	if (given == NULL)
		return true;
	if (w->change.new_secret) {
		errbuf_set(why, "--secret-file and --new-secret: one of them");
		return false;
	}
	if (!encoding_unbase64(*given, &w->secret) || w->secret.failed) {
		errbuf_set(why, "--secret-file: want base64");
		return false;
	}
	w->secret_octets = buffer_octets(&w->secret);
	w->change.secret = &w->secret_octets;
	return true;
}

static bool
read_wanted(const struct arguments *a, struct wanted *w, struct errbuf *why)
{
	static const struct manage_webhook_change keep = MANAGE_WEBHOOK_KEEP;
	struct manage_webhook_change *c = &w->change;
	int64_t timeout_s = -1;

	*w = (struct wanted){.change = keep};
	c->url = arguments_text(a, "url");
	c->authentication = arguments_text(a, "auth");
	c->ca_file = arguments_text(a, "ca-file");
	c->new_secret = arguments_has(a, "new-secret");
	if (arguments_has(a, "enable") && arguments_has(a, "disable")) {
		errbuf_set(why, "--enable and --disable: one of them");
		return false;
	}
	if (arguments_has(a, "enable") || arguments_has(a, "disable"))
		c->enabled = arguments_has(a, "enable");
	if (!arguments_duration(a, "timeout", &timeout_s, why) ||
	    !arguments_yes_no(a, "allow-private", &c->allow_private, why) ||
	    !read_secret(a, w, why) ||
	    !secret_file_read(
		a, "credential-file", &w->credential, &w->credential_octets, &c->credential, why))
		return false;
	c->timeout_ms = timeout_s == -1 ? -1 : timeout_s * 1000;
	return true;
}

/* The secret that was drawn, this once. */
static int
tell(const struct cli *cli, const struct webhook_row *row, struct buffer *drawn)
{
	json_t *j;

	if (cli->json) {
		if ((j = webhook_json(row)) != NULL && drawn->len > 0)
			json_object_set_new(j, "secret", json_string(buffer_string(drawn)));
		return cli_print_json(j);
	}
	if (drawn->len > 0)
		puts(buffer_string(drawn));
	return CLI_DONE;
}

static int
create(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a), *kind = arguments_text(a, "kind");
	struct webhook_row row = {0};
	struct manage_report r = {0};
	struct buffer drawn = {0};
	struct errbuf why = {0};
	struct wanted w = {0};
	int status = CLI_USAGE;

	if (profile == NULL)
		return status;
	if (kind == NULL)
		cli_error("--kind is missing: validate (asked before issuing) or notify (told "
			  "afterwards)");
	else if (!read_wanted(a, &w, &why))
		(void)cli_usage(&why);
	else
		status = cli_result(manage_webhook_create(&cli->manage, &cli->actor, profile,
					a->operands[0], kind, &w.change, &drawn, &row, &r),
		    &r);
	if (status == CLI_DONE)
		status = tell(cli, &row, &drawn);
	wanted_free(&w);
	buffer_free(&drawn);
	webhook_row_free(&row);
	return status;
}

static int
set(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	struct webhook_row row = {0};
	struct manage_report r = {0};
	struct buffer drawn = {0};
	struct errbuf why = {0};
	struct wanted w = {0};
	int status = CLI_USAGE;

	if (profile == NULL)
		return status;
	if (!read_wanted(a, &w, &why))
		(void)cli_usage(&why);
	else
		status = cli_result(manage_webhook_set(&cli->manage, &cli->actor, profile,
					a->operands[0], &w.change, &drawn, &row, &r),
		    &r);
	if (status == CLI_DONE)
		status = tell(cli, &row, &drawn);
	wanted_free(&w);
	buffer_free(&drawn);
	webhook_row_free(&row);
	return status;
}

static bool
list_row(void *ctx, const struct webhook_row *w)
{
	struct buffer line = {0};

	if (ctx != NULL)
		return json_array_append_new(ctx, webhook_json(w)) == 0;
	buffer_append_format(&line, "%-24s %-8s %-8s %-6s %s", w->name, w->kind,
	    w->enabled ? "enabled" : "disabled", w->authentication, w->url);
	cli_print_line(&line);
	return true;
}

static int
show(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	struct webhook_row row = {0};
	struct manage_report r = {0};
	int status;

	if (profile == NULL)
		return CLI_USAGE;
	status =
	    cli_result(manage_webhook_get(&cli->manage, profile, a->operands[0], &row, &r), &r);
	if (status == CLI_DONE && cli->json) {
		status = cli_print_json(webhook_json(&row));
	} else if (status == CLI_DONE) {
		(void)list_row(NULL, &row);
		printf("id %s, within %" PRId64 " ms, %s addresses, CAs %s\n", row.id,
		    row.timeout_ms, row.allow_private ? "any" : "public",
		    row.ca_file[0] != '\0' ? row.ca_file : "of the system");
	}
	webhook_row_free(&row);
	return status;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status = CLI_USAGE;

	if (profile != NULL)
		status =
		    cli_result(manage_webhook_each(&cli->manage, profile, list_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	struct manage_report r = {0};

	if (profile == NULL)
		return CLI_USAGE;
	return cli_changed(cli,
	    manage_webhook_delete(&cli->manage, &cli->actor, profile, a->operands[0], &r), &r,
	    a->operands[0]);
}

static int
test(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a), *challenge = arguments_text(a, "challenge");
	struct manage_webhook_answer answer;
	struct manage_report r = {0};
	struct buffer line = {0};
	int status;

	if (profile == NULL)
		return CLI_USAGE;
	status = cli_result(
	    manage_webhook_test(&cli->manage, profile, a->operands[0],
		octets_of_string(challenge != NULL ? challenge : "webhook-test"), &answer, &r),
	    &r);
	if (status != CLI_DONE)
		return status;
	if (cli->json) {
		status = cli_print_json(json_pack("{s:b,s:o}", "allowed", answer.allowed, "message",
		    cli_json_text(answer.message)));
	} else {
		buffer_append_format(&line, "%s%s%s", answer.allowed ? "allowed" : "denied",
		    answer.message[0] != '\0' ? ": " : "", answer.message);
		cli_print_line(&line);
	}
	return status == CLI_DONE && !answer.allowed ? CLI_REFUSED : status;
}

#define PROFILE_OPTION                                                                             \
	{                                                                                          \
		"profile", "PROFILE", "the profile that it is of", false                           \
	}
#define WEBHOOK_OPTIONS                                                                            \
	PROFILE_OPTION, {"url", "URL", "https://HOST/…; redirects are not followed", false},       \
	    {"auth", "HOW", "none, bearer, basic or mtls (none)", false},                          \
	    {"credential-file", "FILE", "the token, USER:PASSWORD, or PEM of certificate and key", \
		false},                                                                            \
	    {"secret-file", "FILE", "what signs the calls (HMAC-SHA-256), in base64", false},      \
	    {"ca-file", "FILE", "PEM of the CAs to check it by; \"\" for the system's", false},    \
	    {"allow-private", "yes|no", "private and link-local addresses may be called (no)",     \
		false},                                                                            \
	{                                                                                          \
		"timeout", "TIME", "of a call and its retry: 5s (up to 60s)", false                \
	}

static const struct option_spec create_options[] = {
    {"kind", "KIND", "validate: asked before issuing; notify: told afterwards", false},
    WEBHOOK_OPTIONS,
    {"disable", NULL, "do not call it yet", false},
    {0},
};
static const struct option_spec set_options[] = {
    WEBHOOK_OPTIONS,
    {"new-secret", NULL, "draw another secret, and print it, this once", false},
    {"enable", NULL, "call it", false},
    {"disable", NULL, "call it no more", false},
    {0},
};
static const struct option_spec profile_options[] = {PROFILE_OPTION, {0}};
static const struct option_spec test_options[] = {
    PROFILE_OPTION,
    {"challenge", "VALUE", "the challenge that it is asked about (webhook-test)", false},
    {0},
};

const struct verb cli_webhook_verbs[] = {
    {"webhook", "create", "NAME", "let a profile ask, or tell, a service of your own",
	"Without --secret-file a secret is drawn and printed, in base64, this once.  A profile of\n"
	"mode webhook leaves the decision to its webhooks of kind validate; with other modes they\n"
	"are asked beside.  - as FILE is stdin.",
	create_options, create},
    {"webhook", "set", "NAME", "change a webhook; what is not given stays", NULL, set_options, set},
    {"webhook", "list", "", "list the webhooks of a profile", NULL, profile_options, list},
    {"webhook", "show", "NAME", "show a webhook", NULL, profile_options, show},
    {"webhook", "test", "NAME", "call it once, with a CSR made for it",
	"Exit status 0 where it allows, or takes the news; 1 otherwise.", test_options, test},
    {"webhook", "delete", "NAME", "delete a webhook", NULL, profile_options, delete},
    {0},
};
