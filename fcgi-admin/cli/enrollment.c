/* enrollment.c: enrollment create, import, list, show, reissue, reject, delete. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/import.h"
#include "fcgi-admin/manage/enrollment_import.h"

#define PAGE 500

/* --- telling --- */

static json_t *
attributes_json(const struct enrollment_row *n)
{
	json_t *all = json_array();

	for (int i = 0; i < n->attribute_count; i++)
		json_array_append_new(all, json_pack("{s:s,s:s}", "type", n->attributes[i].type,
					       "value", n->attributes[i].value));
	return all;
}

/* code NULL: it was shown before, or given. */
static json_t *
enrollment_json(const struct enrollment_row *n, const char *code)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:s,s:I,s:s,s:o,s:b,s:I,s:I,s:o,s:o,s:o,s:o,s:o}",
	    "id", n->id, "seatId", n->seat_id, "enrollmentCode", cli_json_text(code), "createdAt",
	    cli_json_time(n->created_at), "expiresAt", cli_json_time(n->expires_at), "status",
	    n->status, "badAttempts", (json_int_t)n->bad_attempts, "profile", n->profile, "email",
	    cli_json_text(n->email), "weakCode", n->code_weak, "maxUses", (json_int_t)n->max_uses,
	    "uses", (json_int_t)n->uses, "lockedUntil", cli_json_time(n->locked_until), "createdBy",
	    cli_json_text(n->created_by), "organization", cli_json_text(n->organization),
	    "department", cli_json_text(n->department), "attributes", attributes_json(n));
}

static void
print_enrollment(const struct enrollment_row *n)
{
	cli_print_field("id", n->id);
	cli_print_field("profile", n->profile);
	cli_print_field("seat id", n->seat_id);
	cli_print_field("status", n->status);
	if (n->code_weak)
		cli_print_field("code", "weak");
	printf("%-14s %" PRId64 " of %" PRId64 "\n", "uses", n->uses, n->max_uses);
	printf("%-14s %" PRId64 "\n", "wrong tries", n->bad_attempts);
	cli_print_time("locked until", n->locked_until);
	cli_print_field("e-mail", n->email);
	cli_print_field("organization", n->organization);
	cli_print_field("department", n->department);
	for (int i = 0; i < n->attribute_count; i++) {
		struct buffer line = {0};

		buffer_append_format(&line, "%-14s %s=%s", "attribute", n->attributes[i].type,
		    n->attributes[i].value);
		cli_print_line(&line);
	}
	cli_print_time("created", n->created_at);
	cli_print_field("by", n->created_by);
	cli_print_time("expires", n->expires_at);
}

/* The code alone where it was drawn, since nobody else knows it; the id where it was given. */
static int
tell_new(const struct cli *cli, const struct enrollment_row *n, const char *drawn)
{
	if (cli->json)
		return cli_print_json(enrollment_json(n, drawn));
	puts(drawn[0] != '\0' ? drawn : n->id);
	return CLI_DONE;
}

/* --- reading --- */

/* --ttl or --expires, as a time; 0 where neither is given. */
static bool
read_expiry(const struct arguments *a, int64_t *expires_at, struct errbuf *why)
{
	const char *date = arguments_text(a, "expires");
	int64_t ttl = 0;

	*expires_at = 0;
	if (date != NULL && arguments_has(a, "ttl")) {
		errbuf_set(why, "--ttl and --expires: one of them");
		return false;
	}
	if (!arguments_duration(a, "ttl", &ttl, why))
		return false;
	if (arguments_has(a, "ttl"))
		*expires_at = clock_now() + ttl;
	if (date != NULL && !cli_read_time(date, expires_at)) {
		errbuf_set(
		    why, "--expires: have \"%s\", want 2026-11-23 or 2026-11-23T10:00:00Z", date);
		return false;
	}
	return true;
}

/* --code or --code-file, into out; *given tells whether there was one. */
static bool
read_code(const struct arguments *a, struct buffer *out, bool *given, struct errbuf *why)
{
	const char *value = arguments_text(a, "code"), *file = arguments_text(a, "code-file");

	*given = value != NULL || file != NULL;
	if (value != NULL && file != NULL) {
		errbuf_set(why, "--code and --code-file: one of them");
		return false;
	}
	if (value != NULL)
		buffer_append_string(out, value);
	else if (file != NULL && !cli_read_file(file, 4096, out, why))
		return false;
	if (file != NULL && out->len > 0 && out->data[out->len - 1] == '\n')
		out->len--;
	return true;
}

static bool
read_attributes(
    const struct arguments *a, struct enrollment_attribute *out, int *count, struct errbuf *why)
{
	const char *text;

	for (*count = 0; (text = arguments_nth(a, "attribute", *count)) != NULL; ++*count) {
		size_t len = strcspn(text, "=");
		struct enrollment_attribute *to = &out[*count];

		if (*count == ENROLLMENT_ATTRIBUTES_MAX) {
			errbuf_set(why, "--attribute: at most %d", ENROLLMENT_ATTRIBUTES_MAX);
			return false;
		}
		if (text[len] != '=' || len == 0 || len >= sizeof(to->type) ||
		    strlen(text + len + 1) >= sizeof(to->value)) {
			errbuf_set(why,
			    "--attribute: want TYPE=VALUE, a value of at most %zu octets",
			    sizeof(to->value) - 1);
			return false;
		}
		memset(to, 0, sizeof(*to));
		memcpy(to->type, text, len);
		snprintf(to->value, sizeof(to->value), "%s", text + len + 1);
	}
	return true;
}

/* --- the verbs --- */

static int
create(struct cli *cli, const struct arguments *a)
{
	struct enrollment_attribute attributes[ENROLLMENT_ATTRIBUTES_MAX];
	struct manage_enrollment_order o = {
	    .profile = arguments_text(a, "profile"),
	    .seat = arguments_text(a, "seat"),
	    .email = arguments_text(a, "email"),
	    .attributes = attributes,
	};
	struct manage_report r = {0};
	struct enrollment_row row;
	struct buffer code = {0};
	struct errbuf why = {0};
	char drawn[MANAGE_CODE_SIZE];
	struct octets octets;
	bool given;
	int status;

	if (o.profile == NULL || o.seat == NULL) {
		cli_error("--profile and --seat are needed");
		return CLI_USAGE;
	}
	if (!read_expiry(a, &o.expires_at, &why) ||
	    !arguments_number(a, "uses", 1, INT32_MAX, &o.max_uses, &why) ||
	    !read_attributes(a, attributes, &o.attribute_count, &why) ||
	    !read_code(a, &code, &given, &why)) {
		buffer_free(&code);
		return cli_usage(&why);
	}
	octets = buffer_octets(&code);
	o.code = given ? &octets : NULL;
	status = cli_result(
	    manage_enrollment_create(&cli->manage, &cli->actor, &o, drawn, &row, &r), &r);
	buffer_free(&code);
	if (status == CLI_DONE)
		status = tell_new(cli, &row, drawn);
	octets_wipe(drawn, sizeof(drawn));
	return status;
}

/* With --json ctx is the array that they go out in. */
static bool
imported(void *ctx, const struct enrollment_row *n, const char *drawn)
{
	struct buffer line = {0};
	bool quoted = strpbrk(n->seat_id, ",\"") != NULL;

	if (ctx != NULL)
		return json_array_append_new(ctx, enrollment_json(n, drawn)) == 0;
	buffer_append_string(&line, quoted ? "\"" : "");
	for (const char *c = n->seat_id; *c != '\0'; c++)
		buffer_append_format(&line, "%s%c", *c == '"' ? "\"" : "", *c);
	buffer_append_format(&line, "%s,%s,%s", quoted ? "\"" : "", drawn, n->id);
	cli_print_line(&line);
	return fflush(stdout) == 0;
}

static int
import_file(struct cli *cli, const struct arguments *a, struct octets csv,
    struct manage_enrollment_import *o)
{
	struct manage_report r = {0};
	enum manage_rc rc;
	int status;

	if (cli->json)
		o->ctx = json_array();
	else if (!o->dry_run)
		puts("seatId,enrollmentCode,id");
	rc = manage_enrollment_import(&cli->manage, &cli->actor, csv, o, &r);
	import_tell_faults(a->operands[0], o->faults, o->fault_count);
	status = cli_result(rc, &r);
	if (rc == MANAGE_INVALID && r.fault_count == 0)
		cli_error("%s", r.why.line);
	if (cli->json) {
		int printed = cli_print_json(json_pack("{s:b,s:i,s:o,s:i,s:o}", "dryRun",
		    o->dry_run, "lines", o->lines, "made", o->ctx, "faultCount", o->fault_count,
		    "faults", import_faults_json(o->faults, o->fault_count)));

		return status != CLI_DONE ? status : printed;
	}
	if (status == CLI_DONE && o->dry_run)
		printf("%d enrolments could be made\n", o->lines);
	return status;
}

static int
import(struct cli *cli, const struct arguments *a)
{
	struct manage_enrollment_import *o = calloc(1, sizeof(*o));
	struct buffer csv = {0};
	struct errbuf why = {0};
	int status;

	if (o == NULL) {
		cli_error("out of memory");
		return CLI_REFUSED;
	}
	o->profile = cli_profile_of(a);
	o->dry_run = arguments_has(a, "dry-run");
	o->made = imported;
	if (o->profile == NULL)
		status = CLI_USAGE;
	else if (!read_expiry(a, &o->expires_at, &why) ||
		 !arguments_number(a, "uses", 1, INT32_MAX, &o->max_uses, &why) ||
		 !cli_read_file(a->operands[0], MANAGE_IMPORT_OCTETS_MAX, &csv, &why))
		status = cli_usage(&why);
	else
		status = import_file(cli, a, buffer_octets(&csv), o);
	buffer_free(&csv);
	free(o);
	return status;
}

static int
reissue(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};
	struct enrollment_row row;
	struct buffer code = {0};
	struct errbuf why = {0};
	char drawn[MANAGE_CODE_SIZE];
	struct octets octets;
	int64_t expires_at;
	bool given;
	int status;

	if (!read_expiry(a, &expires_at, &why) || !read_code(a, &code, &given, &why)) {
		buffer_free(&code);
		return cli_usage(&why);
	}
	octets = buffer_octets(&code);
	status = cli_result(manage_enrollment_reissue(&cli->manage, &cli->actor, a->operands[0],
				given ? &octets : NULL, expires_at, drawn, &row, &r),
	    &r);
	buffer_free(&code);
	if (status == CLI_DONE)
		status = tell_new(cli, &row, drawn);
	octets_wipe(drawn, sizeof(drawn));
	return status;
}

static int
show(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};
	struct enrollment_row row;
	int status = cli_result(manage_enrollment_get(&cli->manage, a->operands[0], &row, &r), &r);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(enrollment_json(&row, NULL));
	print_enrollment(&row);
	return status;
}

struct listing {
	json_t *all;	/* NULL: printed at once */
	int64_t before; /* row of the last */
	int64_t left;	/* how many may still be told */
	int count;	/* of this page */
};

static bool
list_row(void *ctx, const struct enrollment_row *n)
{
	struct listing *l = ctx;
	struct buffer line = {0};
	char expires[ENCODING_TIME_SIZE];

	l->before = n->row;
	l->count++;
	l->left--;
	if (l->all != NULL)
		return json_array_append_new(l->all, enrollment_json(n, NULL)) == 0;
	encoding_time(n->expires_at, expires);
	buffer_append_format(&line, "%s %-8s %-16s expires %s %s", n->id, n->status, n->profile,
	    expires, n->seat_id);
	cli_print_line(&line);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	struct listing l = {.all = cli->json ? json_array() : NULL, .left = INT64_MAX};
	struct manage_report r = {0};
	struct errbuf why = {0};
	int status = CLI_DONE;

	if (!arguments_number(a, "limit", 1, INT64_MAX, &l.left, &why)) {
		json_decref(l.all);
		return cli_usage(&why);
	}
	do {
		l.count = 0;
		status =
		    cli_result(manage_enrollment_list(&cli->manage, l.before,
				   l.left < PAGE ? (int)l.left : PAGE, arguments_text(a, "seat"),
				   arguments_text(a, "profile"), list_row, &l, &r),
			&r);
	} while (status == CLI_DONE && l.count == PAGE && l.left > 0);
	return cli_listed(cli, status, l.all);
}

static int
reject(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_enrollment_reject(&cli->manage, &cli->actor, a->operands[0], &r), &r,
	    a->operands[0]);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_enrollment_delete(&cli->manage, &cli->actor, a->operands[0], &r), &r,
	    a->operands[0]);
}

#define CODE_OPTIONS                                                                               \
	{"code", "VALUE", "the code; without one it is drawn; --code-file keeps it out of ps",     \
	    false},                                                                                \
	    {"code-file", "FILE", "read it from FILE, or - for stdin", false}, EXPIRY_OPTIONS
#define EXPIRY_OPTIONS                                                                             \
	{"ttl", "TIME", "until it expires: 10d (1m to 3660d)", false},                             \
	{                                                                                          \
		"expires", "DATE", "the same as a date: 2026-11-23, 2026-11-23T10:00:00Z", false   \
	}

static const struct option_spec create_options[] = {
    {"profile", "PROFILE", "a profile of mode enrollmentCode", false},
    {"seat", "SEATID", "the seat that it is for", false},
    CODE_OPTIONS,
    {"uses", "N", "certificates that it is good for (1)", false},
    {"email", "ADDRESS", "whom to tell; without it the seat's", false},
    {"attribute", "TYPE=VALUE", "of a field whose source is manual; repeatable", true},
    {0},
};
static const struct option_spec import_options[] = {
    {"profile", "PROFILE", "a profile of mode enrollmentCode", false},
    EXPIRY_OPTIONS,
    {"uses", "N", "certificates that each is good for, where the file does not say (1)", false},
    {"dry-run", NULL, "check the file, and write nothing", false},
    {0},
};
static const struct option_spec reissue_options[] = {CODE_OPTIONS, {0}};
static const struct option_spec list_options[] = {
    {"profile", "PROFILE", "under this one alone", false},
    {"seat", "SEATID", "of this one alone", false},
    {"limit", "N", "at most so many", false},
    {0},
};

const struct verb cli_enrollment_verbs[] = {
    {"enrollment", "create", "", "register a code against a seat, and print it, this once",
	"The device gives the code as its challengePassword, and has the seat's id in its CSR.\n"
	"A code that is drawn has 28 characters of 0-9 and A-Z without I, L, O and U (140 bits) "
	"in\n"
	"four groups, and the hyphens belong to it.  With a code of your own the enrolment's id "
	"is\n"
	"printed.",
	create_options, create},
    {"enrollment", "import", "FILE",
	"register codes for many seats by a file of comma-separated values",
	"FILE (- for stdin) is UTF-8 with a header line: seatId, and where they are wanted\n"
	"enrollmentCode, email, uses, and fields whose source is manual (subject.title), in any\n"
	"order (RFC 4180).  Every line is checked first.  Printed is seatId,enrollmentCode,id: "
	"codes\n"
	"that were drawn, this once.  Each is printed when it is written, so after an error the "
	"rest\n"
	"of the file can be given again.",
	import_options, import},
    {"enrollment", "list", "", "list enrolments, newest first", NULL, list_options, list},
    {"enrollment", "show", "ID", "show an enrolment", NULL, NULL, show},
    {"enrollment", "reissue", "ID", "give it a new code and expiry, and print the code, this once",
	NULL, reissue_options, reissue},
    {"enrollment", "reject", "ID", "let its code be worth nothing", NULL, NULL, reject},
    {"enrollment", "delete", "ID", "delete an enrolment", NULL, NULL, delete},
    {0},
};
