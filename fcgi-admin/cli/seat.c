/* seat.c: seat create, set, list, show, delete. */
#include <stdio.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/seat.h"

#define PAGE 500

static json_t *
seat_json(const struct seat_row *s)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:b,s:o}", "id", s->id, "seatId", s->seat_id,
	    "type", s->type, "name", cli_json_text(s->name), "email", cli_json_text(s->email),
	    "organization", cli_json_text(s->organization), "department",
	    cli_json_text(s->department), "inUse", s->in_use, "createdAt",
	    cli_json_time(s->created_at));
}

static void
print_seat(const struct seat_row *s)
{
	cli_print_field("seat id", s->seat_id);
	cli_print_field("id", s->id);
	cli_print_field("type", s->type);
	cli_print_field("name", s->name);
	cli_print_field("e-mail", s->email);
	cli_print_field("organization", s->organization);
	cli_print_field("department", s->department);
	cli_print_field("in use", s->in_use ? "yes" : "no");
	cli_print_time("created", s->created_at);
}

static struct manage_seat_change
read_change(const struct arguments *a)
{
	return (struct manage_seat_change){
	    .type = arguments_text(a, "type"),
	    .name = arguments_text(a, "name"),
	    .email = arguments_text(a, "email"),
	    .organization = arguments_text(a, "organization"),
	    .department = arguments_text(a, "department"),
	};
}

static int
create(struct cli *cli, const struct arguments *a)
{
	struct manage_seat_change c = read_change(a);
	struct manage_report r = {0};
	struct seat_row row;
	int status;

	if (c.type == NULL) {
		cli_error("--type is missing: user, device or server");
		return CLI_USAGE;
	}
	status = cli_result(
	    manage_seat_create(&cli->manage, &cli->actor, a->operands[0], &c, &row, &r), &r);
	return status == CLI_DONE && cli->json ? cli_print_json(seat_json(&row)) : status;
}

static int
set(struct cli *cli, const struct arguments *a)
{
	struct manage_seat_change c = read_change(a);
	struct manage_report r = {0};
	struct seat_row row;
	int status = cli_result(
	    manage_seat_set(&cli->manage, &cli->actor, a->operands[0], &c, &row, &r), &r);

	return status == CLI_DONE && cli->json ? cli_print_json(seat_json(&row)) : status;
}

static int
show(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};
	struct seat_row row;
	int status = cli_result(manage_seat_get(&cli->manage, a->operands[0], &row, &r), &r);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(seat_json(&row));
	print_seat(&row);
	return status;
}

struct listing {
	json_t *all;   /* NULL: printed at once */
	int64_t after; /* row of the last */
	int64_t left;  /* how many may still be told */
	int count;     /* of this page */
};

static bool
list_row(void *ctx, const struct seat_row *s)
{
	struct listing *l = ctx;
	struct buffer line = {0};

	l->after = s->row;
	l->count++;
	l->left--;
	if (l->all != NULL)
		return json_array_append_new(l->all, seat_json(s)) == 0;
	buffer_append_format(&line, "%-32s %-7s %-7s %-24s %s", s->seat_id, s->type,
	    s->in_use ? "in use" : "free", s->organization[0] != '\0' ? s->organization : "-",
	    s->name);
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
		status = cli_result(
		    manage_seat_list(&cli->manage, l.after, l.left < PAGE ? (int)l.left : PAGE,
			arguments_text(a, "organization"), list_row, &l, &r),
		    &r);
	} while (status == CLI_DONE && l.count == PAGE && l.left > 0);
	return cli_listed(cli, status, l.all);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli, manage_seat_delete(&cli->manage, &cli->actor, a->operands[0], &r),
	    &r, a->operands[0]);
}

#define SEAT_OPTIONS                                                                               \
	{"type", "TYPE", "user, device or server", false}, {"name", "NAME", "whose it is", false}, \
	    {"email", "ADDRESS", "of the user", false},                                            \
	    {"organization", "NAME", "whose licence it takes; \"\" for none", false},              \
	{                                                                                          \
		"department", "NAME", "goes onto certificates and the audit", false                \
	}

static const struct option_spec seat_options[] = {SEAT_OPTIONS, {0}};
static const struct option_spec list_options[] = {
    {"organization", "NAME", "of this one alone", false},
    {"limit", "N", "at most so many", false},
    {0},
};

const struct verb cli_seat_verbs[] = {
    {"seat", "create", "SEATID", "make a seat, against which enrolment codes stand",
	"SEATID is what a device's CSR has in the field that the profile names (profile set\n"
	"--seat-field): a host name, a serial number, an e-mail address.",
	seat_options, create},
    {"seat", "set", "SEATID", "change a seat; what is not given stays", NULL, seat_options, set},
    {"seat", "list", "", "list seats", NULL, list_options, list},
    {"seat", "show", "SEATID", "show a seat", NULL, NULL, show},
    {"seat", "delete", "SEATID", "delete a seat with its enrolments; its certificates stay", NULL,
	NULL, delete},
    {0},
};
