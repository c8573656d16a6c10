/* records.c: audit list, certificate list, certificate show. */
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/records.h"
#include "pki/authority.h"

#define LIMIT 100

static const char *
or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}

static json_t *
event_json(int64_t id, const struct audit_event *e)
{
	json_t *j = json_object();
	const struct {
		const char *name;
		const char *value;
	} texts[] = {
	    {"actor", e->actor},
	    {"clientIp", e->address},
	    {"action", e->action},
	    {"resourceType", e->resource_type},
	    {"resourceId", e->resource_id},
	    {"profile", e->profile},
	    {"outcome", e->outcome},
	    {"transactionId", e->transaction_id},
	    {"messageType", e->message_type},
	    {"failInfo", e->fail_info},
	    {"reason", e->reason},
	    {"stage", e->stage},
	    {"serialNumber", e->serial},
	    {"subject", e->subject},
	    {"digest", e->digest},
	    {"cipher", e->cipher},
	    {"keyType", e->key_type},
	    {"transport", e->transport},
	    {"requestId", e->request_id},
	};

	json_object_set_new(j, "id", json_integer(id));
	json_object_set_new(j, "time", cli_json_time(e->time_ms / 1000));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value != NULL && texts[i].value[0] != '\0')
			json_object_set_new(j, texts[i].name, json_string(texts[i].value));
	json_object_set_new(j, "count", json_integer(e->count));
	return j;
}

static bool
audit_row(void *ctx, int64_t id, const struct audit_event *e)
{
	char time[ENCODING_TIME_SIZE], count[32] = "";
	struct buffer line = {0};

	if (ctx != NULL)
		return json_array_append_new(ctx, event_json(id, e)) == 0;
	encoding_time(e->time_ms / 1000, time);
	if (e->count > 1)
		snprintf(count, sizeof(count), " (%lld times)", (long long)e->count);
	buffer_append_format(&line, "%-20s %-8s %-20s %-16s %-15s %-20s %-15s %-10s %s%s", time,
	    or_dash(e->outcome), or_dash(e->action), or_dash(e->profile), or_dash(e->address),
	    or_dash(e->transaction_id), or_dash(e->fail_info), or_dash(e->stage),
	    or_dash(e->reason), count);
	cli_print_line(&line);
	return true;
}

static int
audit_list(struct cli *cli, const struct arguments *a)
{
	struct audit_filter f = {
	    .failed = arguments_has(a, "failed"),
	    .profile = arguments_text(a, "profile"),
	    .transaction_id = arguments_text(a, "transaction"),
	};
	json_t *all = NULL;
	struct manage_report r = {0};
	struct errbuf why = {0};
	int64_t limit = LIMIT;
	int status;

	if (!arguments_number(a, "limit", 1, MANAGE_RECORDS_MAX, &limit, &why))
		return cli_usage(&why);
	f.limit = (int)limit;
	if (cli->json)
		all = json_array();
	else
		printf("%-20s %-8s %-20s %-16s %-15s %-20s %-15s %-10s %s\n", "TIME", "OUTCOME",
		    "ACTION", "PROFILE", "ADDRESS", "TRANSACTION", "FAILINFO", "STAGE", "REASON");
	status = cli_result(manage_audit_each(&cli->manage, &f, audit_row, all, &r), &r);
	if (status == CLI_DONE && cli->json)
		return cli_print_json(all);
	json_decref(all);
	return status;
}

static json_t *
certificate_json(const struct certificate_row *c)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:s,s:s,s:o,s:o,s:o}", "uuid", c->uuid,
	    "serialNumber", c->serial, "authorityId", c->authority_id, "profile",
	    cli_json_text(c->profile), "subject", cli_json_text(c->subject), "san",
	    cli_json_text(c->san), "status", c->status, "purpose", c->purpose, "notBefore",
	    cli_json_time(c->not_before), "notAfter", cli_json_time(c->not_after), "createdAt",
	    cli_json_time(c->created_at));
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
certificate_list(struct cli *cli, const struct arguments *a)
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
	if (status == CLI_DONE && cli->json)
		return cli_print_json(all);
	json_decref(all);
	return status;
}

static void
print_certificate(const struct certificate_row *c)
{
	char from[ENCODING_TIME_SIZE], to[ENCODING_TIME_SIZE];
	struct buffer line = {0};

	encoding_time(c->not_before, from);
	encoding_time(c->not_after, to);
	printf("serial    %s\nuuid      %s\nstatus    %s\npurpose   %s\nprofile   %s\n", c->serial,
	    c->uuid, c->status, c->purpose, or_dash(c->profile));
	buffer_append_format(&line, "subject   %s", c->subject);
	cli_print_line(&line);
	buffer_append_format(&line, "san       %s", or_dash(c->san));
	cli_print_line(&line);
	printf("valid     %s to %s\n", from, to);
}

static int
certificate_show(struct cli *cli, const struct arguments *a)
{
	struct certificate_row c;
	struct buffer der = {0}, pem = {0};
	struct manage_report r = {0};
	int status =
	    cli_result(manage_certificate_get(&cli->manage, a->operands[0], &c, &der, &r), &r);
	json_t *j;

	if (status == CLI_DONE)
		pem_write("CERTIFICATE", buffer_octets(&der), &pem);
	if (status == CLI_DONE && cli->json) {
		if ((j = certificate_json(&c)) != NULL)
			json_object_set_new(j, "pem", cli_json_text(buffer_string(&pem)));
		status = cli_print_json(j);
	} else if (status == CLI_DONE && arguments_has(a, "pem")) {
		fputs(buffer_string(&pem), stdout);
	} else if (status == CLI_DONE) {
		print_certificate(&c);
	}
	buffer_free(&der);
	buffer_free(&pem);
	return status;
}

#define LIMIT_OPTION                                                                               \
	{                                                                                          \
		"limit", "N", "rows, newest first (100)", false                                    \
	}

static const struct option_spec audit_options[] = {
    {"failed", NULL, "refused and failed ones only", false},
    LIMIT_OPTION,
    {"profile", "NAME", "of this profile", false},
    {"transaction", "ID", "of this transactionID", false},
    {0},
};
static const struct option_spec list_options[] = {LIMIT_OPTION, {0}};
static const struct option_spec show_options[] = {
    {"pem", NULL, "the certificate alone", false}, {0}};

const struct verb cli_records_verbs[] = {
    {"audit", "list", "", "list what happened", NULL, audit_options, audit_list},
    {"certificate", "list", "", "list certificates", NULL, list_options, certificate_list},
    {"certificate", "show", "UUID|SERIAL", "show a certificate", NULL, show_options,
	certificate_show},
    {0},
};
