/* certificate.c: certificate list, show, revoke, unhold. */
#include <inttypes.h>
#include <stdio.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/records.h"
#include "fcgi-admin/manage/revocation.h"
#include "pki/authority.h"
#include "pki/crl.h"

#define LIMIT 100

static const char *
or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

/* Whom it is for, and whether it may leave: what is known of it. */
struct whom {
	const char *name, *label, *value;
};
#define WHOM 5

static void
whom_of(const struct certificate_row *c, struct whom out[WHOM])
{
	out[0] = (struct whom){"seatId", "seat", c->seat_id};
	out[1] = (struct whom){"account", "account", c->account};
	out[2] = (struct whom){"organization", "organization", c->organization};
	out[3] = (struct whom){"department", "department", c->department};
	out[4] = (struct whom){"delivery", "delivery", c->delivery};
}

static json_t *
certificate_json(const struct certificate_row *c)
{
	struct whom whom[WHOM];
	json_t *j = json_pack("{s:o,s:s,s:s,s:s,s:o,s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:I}",
	    "uuid", cli_json_text(c->uuid), "serialNumber", c->serial, "authorityId",
	    c->authority_id, "authority", c->authority, "profile", cli_json_text(c->profile),
	    "subject", cli_json_text(c->subject), "san", cli_json_text(c->san), "status", c->status,
	    "purpose", c->purpose, "notBefore", cli_json_time(c->not_before), "notAfter",
	    cli_json_time(c->not_after), "createdAt", cli_json_time(c->created_at), "revokedAt",
	    cli_json_time(c->revoked_at), "revocationReason",
	    c->revoked_at != 0 ? json_string(crl_reason_text(c->revocation_reason)) : json_null(),
	    "successors", (json_int_t)c->successors);

	whom_of(c, whom);
	for (int i = 0; j != NULL && i < WHOM; i++)
		if (whom[i].value[0] != '\0')
			json_object_set_new(j, whom[i].name, json_string(whom[i].value));
	return j;
}

static bool
certificate_row(void *ctx, const struct certificate_row *c)
{
	char time[ENCODING_TIME_SIZE];
	struct buffer line = {0};

	if (ctx != NULL)
		return json_array_append_new(ctx, certificate_json(c)) == 0;
	encoding_time(c->not_after, time);
	buffer_append_format(&line, "%-32s %-8s %-7s %-16s until %-20s %s", c->serial, c->status,
	    c->purpose, or_dash(c->profile), time, c->subject);
	cli_print_line(&line);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};
	struct errbuf why = {0};
	int64_t limit = LIMIT;
	json_t *all;
	int status;

	if (!arguments_number(a, "limit", 1, MANAGE_RECORDS_MAX, &limit, &why))
		return cli_usage(&why);
	all = cli->json ? json_array() : NULL;
	status = cli_result(
	    manage_certificate_each(&cli->manage, (int)limit, certificate_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

static void
print_whom(const struct certificate_row *c)
{
	struct buffer line = {0};
	struct whom whom[WHOM];

	whom_of(c, whom);
	for (int i = 0; i < WHOM; i++) {
		if (whom[i].value[0] == '\0')
			continue;
		buffer_append_format(&line, "%-11s %s", whom[i].label, whom[i].value);
		cli_print_line(&line);
	}
}

static void
print_certificate(const struct certificate_row *c, const char *predecessor)
{
	char from[ENCODING_TIME_SIZE], to[ENCODING_TIME_SIZE];
	struct buffer line = {0};

	encoding_time(c->not_before, from);
	encoding_time(c->not_after, to);
	printf("serial      %s\nuuid        %s\nstatus      %s\n", c->serial, or_dash(c->uuid),
	    c->status);
	printf("purpose     %s\nCA          %s\nprofile     %s\n", c->purpose, c->authority,
	    or_dash(c->profile));
	buffer_append_format(&line, "subject     %s", c->subject);
	cli_print_line(&line);
	buffer_append_format(&line, "san         %s", or_dash(c->san));
	cli_print_line(&line);
	printf("valid       %s to %s\n", from, to);
	print_whom(c);
	if (c->revoked_at != 0) {
		encoding_time(c->revoked_at, to);
		printf("revoked     %s, %s\n", to, crl_reason_text(c->revocation_reason));
	}
	if (predecessor[0] != '\0')
		printf("renews      %s\n", predecessor);
	printf("successors  %" PRId64 "\n", c->successors);
}

/* The serial of what it renews; "" where it renews nothing. */
static int
read_predecessor(struct cli *cli, const struct certificate_row *c, char serial[64])
{
	struct certificate_row before;
	struct manage_report r = {0};
	int status;

	serial[0] = '\0';
	if (c->predecessor_id == 0)
		return CLI_DONE;
	status = cli_result(
	    manage_certificate_get_row(&cli->manage, c->predecessor_id, &before, &r), &r);
	if (status == CLI_DONE)
		snprintf(serial, 64, "%s", before.serial);
	return status;
}

static int
show(struct cli *cli, const struct arguments *a)
{
	struct certificate_row c;
	struct buffer der = {0}, pem = {0};
	struct manage_report r = {0};
	char predecessor[64] = "";
	int status = cli_result(manage_certificate_get(&cli->manage, a->operands[0],
				    arguments_text(a, "ca"), &c, &der, &r),
	    &r);
	json_t *j;

	if (status == CLI_DONE)
		status = read_predecessor(cli, &c, predecessor);
	if (status == CLI_DONE)
		pem_write("CERTIFICATE", buffer_octets(&der), &pem);
	if (status == CLI_DONE && cli->json) {
		if ((j = certificate_json(&c)) != NULL) {
			json_object_set_new(j, "renewsSerialNumber", cli_json_text(predecessor));
			json_object_set_new(j, "pem", cli_json_text(buffer_string(&pem)));
		}
		status = cli_print_json(j);
	} else if (status == CLI_DONE && arguments_has(a, "pem")) {
		fputs(buffer_string(&pem), stdout);
	} else if (status == CLI_DONE) {
		print_certificate(&c, predecessor);
	}
	buffer_free(&der);
	buffer_free(&pem);
	return status;
}

/* What revoke and unhold print. */
static int
changed(const struct cli *cli, const struct certificate_row *c)
{
	struct buffer line = {0};

	if (cli->json)
		return cli_print_json(certificate_json(c));
	buffer_append_format(&line, "%s %s: %s", c->serial, c->status, c->subject);
	cli_print_line(&line);
	return CLI_DONE;
}

static int
revoke(struct cli *cli, const struct arguments *a)
{
	struct certificate_row c;
	struct manage_report r = {0};
	int status = cli_result(manage_certificate_revoke(&cli->manage, &cli->actor, a->operands[0],
				    arguments_text(a, "ca"), arguments_text(a, "reason"), &c, &r),
	    &r);

	return status == CLI_DONE ? changed(cli, &c) : status;
}

static int
unhold(struct cli *cli, const struct arguments *a)
{
	struct certificate_row c;
	struct manage_report r = {0};
	int status = cli_result(manage_certificate_unhold(&cli->manage, &cli->actor, a->operands[0],
				    arguments_text(a, "ca"), &c, &r),
	    &r);

	return status == CLI_DONE ? changed(cli, &c) : status;
}

#define CA_OPTION                                                                                  \
	{                                                                                          \
		"ca", "CA", "whose, where several CAs have the serial", false                      \
	}

static const struct option_spec list_options[] = {
    {"limit", "N", "rows, newest first (100)", false},
    {0},
};
static const struct option_spec show_options[] = {
    {"pem", NULL, "the certificate alone", false},
    CA_OPTION,
    {0},
};
static const struct option_spec revoke_options[] = {
    {"reason", "WORD",
	"unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, "
	"certificateHold, privilegeWithdrawn",
	false},
    CA_OPTION,
    {0},
};
static const struct option_spec unhold_options[] = {CA_OPTION, {0}};

const struct verb cli_certificate_verbs[] = {
    {"certificate", "list", "", "list certificates", NULL, list_options, list},
    {"certificate", "show", "UUID|SERIAL", "show a certificate", NULL, show_options, show},
    {"certificate", "revoke", "UUID|SERIAL", "revoke a certificate",
	"CRL and OCSP tell it from their next answer on; it renews no more.  With the reason\n"
	"certificateHold it can be taken back.",
	revoke_options, revoke},
    {"certificate", "unhold", "UUID|SERIAL", "take a certificateHold back", NULL, unhold_options,
	unhold},
    {0},
};
