/* token.c: token create, list, revoke. */
#include <stdio.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/credential.h"
#include "fcgi-admin/manage/token.h"

static json_t *
token_json(const struct token_row *t)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:b}", "id", t->id, "name", t->name, "role",
	    t->role, "profiles", cli_json_text(t->profiles), "createdAt",
	    cli_json_time(t->created_at), "expiresAt", cli_json_time(t->expires_at), "lastUsedAt",
	    cli_json_time(t->last_used_at), "revoked", t->revoked);
}

static int
show(struct cli *cli, const struct token_row *row, const char *token)
{
	json_t *j;

	if (!cli->json) {
		if (token[0] != '\0')
			puts(token);
		return CLI_DONE;
	}
	if ((j = token_json(row)) != NULL && token[0] != '\0')
		json_object_set_new(j, "token", json_string(token));
	return cli_print_json(j);
}

static int
create(struct cli *cli, const struct arguments *a)
{
	struct credential c = {0};
	const char *certificate = arguments_text(a, "client-certificate");
	char token[MANAGE_TOKEN_SIZE];
	struct manage_token_order o = {
	    .name = a->operands[0],
	    .role = arguments_text(a, "role"),
	    .profiles = arguments_text(a, "profiles"),
	};
	struct token_row row;
	struct manage_report r = {0};
	struct errbuf why = {0};
	int status = CLI_REFUSED;

	if (o.role == NULL) {
		cli_error("--role is missing: admin, operator, approver, auditor or challenge");
		return CLI_USAGE;
	}
	if (!arguments_duration(a, "ttl", &o.lifetime_s, &why))
		return cli_usage(&why);
	if (certificate != NULL && !credential_load_certificate(&c, certificate, &why)) {
		cli_error("%s", why.line);
	} else {
		o.certificate = buffer_octets(&c.der);
		status = cli_result(
		    manage_token_create(&cli->manage, &cli->actor, &o, token, &row, &r), &r);
	}
	credential_free(&c);
	if (status != CLI_DONE)
		return status;
	status = show(cli, &row, token);
	octets_wipe(token, sizeof(token));
	return status;
}

static bool
list_row(void *ctx, const struct token_row *t)
{
	char expires[ENCODING_TIME_SIZE] = "never", used[ENCODING_TIME_SIZE] = "never";

	if (ctx != NULL)
		return json_array_append_new(ctx, token_json(t)) == 0;
	if (t->expires_at != 0)
		encoding_time(t->expires_at, expires);
	if (t->last_used_at != 0)
		encoding_time(t->last_used_at, used);
	printf("%-24s %-9s expires %-20s used %-20s %s%s\n", t->name, t->role, expires, used,
	    t->revoked ? "revoked " : "", t->profiles);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status;

	(void)a;
	status = cli_result(manage_token_each(&cli->manage, list_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

static int
revoke(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli, manage_token_revoke(&cli->manage, &cli->actor, a->operands[0], &r),
	    &r, a->operands[0]);
}

static const struct option_spec create_options[] = {
    {"role", "ROLE", "admin, operator, approver, auditor or challenge", false},
    {"profiles", "A,B", "mints challenges for these alone; role challenge needs some", false},
    {"ttl", "TIME", "until it expires: 365d; without it never", false},
    {"client-certificate", "FILE", "a TLS client certificate (PEM) in place of a token", false},
    {0},
};

const struct verb cli_token_verbs[] = {
    {"token", "create", "NAME", "make an API token and print it, this once", NULL, create_options,
	create},
    {"token", "list", "", "list API tokens", NULL, NULL, list},
    {"token", "revoke", "NAME", "revoke an API token", NULL, NULL, revoke},
    {0},
};
