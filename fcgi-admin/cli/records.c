/* records.c: audit list. */
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/records.h"

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
	    {"organization", e->organization},
	    {"department", e->department},
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
	return cli_listed(cli, status, all);
}

static const struct option_spec audit_options[] = {
    {"failed", NULL, "refused and failed ones only", false},
    {"limit", "N", "rows, newest first (100)", false},
    {"profile", "NAME", "of this profile", false},
    {"transaction", "ID", "of this transactionID", false},
    {0},
};

const struct verb cli_records_verbs[] = {
    {"audit", "list", "", "list what happened", NULL, audit_options, audit_list},
    {0},
};
