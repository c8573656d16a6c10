/* transaction.c: transaction list, show, approve, reject. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/transaction.h"
#include "pki/authority.h"
#include "scep/scep.h"

static void
set_text(json_t *j, const char *name, const char *text)
{
	json_object_set_new(j, name, cli_json_text(text));
}

static json_t *
transaction_json(const struct manage_transaction *t)
{
	const struct transaction_row *row = &t->row;
	json_t *j = json_object();

	if (j == NULL)
		return NULL;
	set_text(j, "id", row->id);
	set_text(j, "transactionId", row->transaction_id);
	set_text(j, "profile", row->profile);
	set_text(j, "status", manage_transaction_state_name(t));
	set_text(j, "subject", row->subject);
	set_text(j, "keyType", row->key_type);
	set_text(j, "messageType", scep_message_type_name(row->message_type));
	set_text(j, "method", row->method);
	set_text(j, "clientIp", row->address);
	json_object_set_new(j, "createdAt", cli_json_time(row->created_at));
	json_object_set_new(j, "expiresAt", cli_json_time(row->expires_at));
	json_object_set_new(j, "decidedAt", cli_json_time(row->decided_at));
	set_text(j, "decidedBy", row->decided_by);
	set_text(j, "reason", row->reason);
	set_text(j, "certificateSerialNumber", row->certificate_serial);
	json_object_set_new(j, "polls", t->polls < 0 ? json_null() : json_integer(t->polls));
	return j;
}

/* The same with what its CSR says. */
static json_t *
whole_json(const struct manage_transaction *t, const struct manage_transaction_content *c)
{
	struct buffer pem = {0};
	json_t *j = transaction_json(t);

	if (j == NULL)
		return NULL;
	pem_write("CERTIFICATE REQUEST", buffer_octets(&t->row.csr), &pem);
	set_text(j, "san", c->san);
	set_text(j, "keyFingerprint", c->fingerprint);
	set_text(j, "renewsSerialNumber", c->renews_serial);
	set_text(j, "renewsSubject", c->renews_subject);
	json_object_set_new(j, "renewsNotAfter", cli_json_time(c->renews_not_after));
	set_text(j, "csr", buffer_string(&pem));
	buffer_free(&pem);
	return j;
}

static void
print_whole(const struct manage_transaction *t, const struct manage_transaction_content *c)
{
	const struct transaction_row *row = &t->row;

	cli_print_field("id", row->id);
	cli_print_field("transactionID", row->transaction_id);
	cli_print_field("profile", row->profile);
	cli_print_field("status", manage_transaction_state_name(t));
	cli_print_field("subject", c->subject[0] != '\0' ? c->subject : "(empty)");
	cli_print_field("san", c->san);
	cli_print_field("key", c->key);
	cli_print_field("fingerprint", c->fingerprint);
	cli_print_field("message", scep_message_type_name(row->message_type));
	cli_print_field("authorised by", row->method);
	cli_print_field("renews", c->renews_serial);
	cli_print_field("", c->renews_subject);
	cli_print_time("which ends", c->renews_not_after);
	cli_print_field("from", row->address);
	cli_print_time("since", row->created_at);
	cli_print_time("until", row->expires_at);
	if (t->polls >= 0)
		printf("%-14s %" PRId64 "\n", "polls", t->polls);
	cli_print_time("decided", row->decided_at);
	cli_print_field("by", row->decided_by);
	cli_print_field("reason", row->reason);
	cli_print_field("certificate", row->certificate_serial);
}

static bool
list_row(void *ctx, const struct manage_transaction *t)
{
	char time[ENCODING_TIME_SIZE], polls[24] = "-";
	struct buffer line = {0};

	if (ctx != NULL)
		return json_array_append_new(ctx, transaction_json(t)) == 0;
	if (t->polls >= 0)
		snprintf(polls, sizeof(polls), "%" PRId64, t->polls);
	encoding_time(t->row.created_at, time);
	buffer_append_format(&line, "%-36s %-8s %-16s %-20s %5s %-15s %-9s %s", t->row.id,
	    manage_transaction_state_name(t), t->row.profile, time, polls,
	    t->row.address[0] != '\0' ? t->row.address : "-", t->row.key_type, t->row.subject);
	cli_print_line(&line);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status;

	if (!cli->json)
		printf("%-36s %-8s %-16s %-20s %5s %-15s %-9s %s\n", "ID", "STATUS", "PROFILE",
		    "SINCE", "POLLS", "ADDRESS", "KEY", "SUBJECT");
	status = cli_result(manage_transaction_each(&cli->manage, arguments_text(a, "profile"),
				arguments_has(a, "all"), list_row, all, &r),
	    &r);
	return cli_listed(cli, status, all);
}

static int
show(struct cli *cli, const struct arguments *a)
{
	struct manage_transaction t;
	struct manage_transaction_content content;
	struct manage_report r = {0};
	struct buffer pem = {0};
	int status;

	status = cli_result(manage_transaction_get(&cli->manage, a->operands[0], &t, &r), &r);
	if (status != CLI_DONE)
		return status;
	status = cli_result(manage_transaction_read(&cli->manage, &t, &content, &r), &r);
	if (status == CLI_DONE && cli->json) {
		status = cli_print_json(whole_json(&t, &content));
	} else if (status == CLI_DONE && arguments_has(a, "pem")) {
		pem_write("CERTIFICATE REQUEST", buffer_octets(&t.row.csr), &pem);
		fputs(buffer_string(&pem), stdout);
	} else if (status == CLI_DONE) {
		print_whole(&t, &content);
	}
	buffer_free(&pem);
	manage_transaction_free(&t);
	return status;
}

static int
decide(struct cli *cli, const struct arguments *a, bool approve)
{
	struct manage_transaction t;
	struct manage_report r = {0};
	struct buffer line = {0};
	int status;

	status = cli_result(manage_transaction_decide(&cli->manage, &cli->actor, a->operands[0],
				approve, arguments_text(a, "reason"), &t, &r),
	    &r);
	if (status != CLI_DONE)
		return status;
	if (cli->json) {
		status = cli_print_json(transaction_json(&t));
	} else {
		buffer_append_format(
		    &line, "%s %s: %s", t.row.id, manage_transaction_state_name(&t), t.row.subject);
		cli_print_line(&line);
	}
	manage_transaction_free(&t);
	return status;
}

static int
approve(struct cli *cli, const struct arguments *a)
{
	return decide(cli, a, true);
}

static int
reject(struct cli *cli, const struct arguments *a)
{
	return decide(cli, a, false);
}

#define ID_NOTES                                                                                   \
	"ID is the id that the list shows, 8 characters or more of its beginning, or the\n"        \
	"transactionID where only one waits with it."

static const struct option_spec list_options[] = {
    {"all", NULL, "decided ones too", false},
    {"profile", "NAME", "of this profile", false},
    {0},
};
static const struct option_spec show_options[] = {
    {"pem", NULL, "its CSR alone", false},
    {0},
};
static const struct option_spec decide_options[] = {
    {"reason", "TEXT", "why, for the audit", false},
    {0},
};

const struct verb cli_transaction_verbs[] = {
    {"transaction", "list", "", "list the requests that wait for approval", NULL, list_options,
	list},
    {"transaction", "show", "ID", "show one", ID_NOTES, show_options, show},
    {"transaction", "approve", "ID", "let its next poll get a certificate", ID_NOTES,
	decide_options, approve},
    {"transaction", "reject", "ID", "let its next poll fail", ID_NOTES, decide_options, reject},
    {0},
};
