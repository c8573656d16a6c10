/* field.c: field list, add, set, delete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi-admin/cli/profile.h"
#include "fcgi-admin/manage/field.h"

/* The rules as they are now. */
static int
tell(const struct cli *cli, int status, const struct manage_profile *p)
{
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(field_rules_json(&p->ra));
	for (int i = 0; i < p->ra.field_count; i++) {
		struct buffer line = {0};

		buffer_append_format(&line, "%2d  ", i + 1);
		manage_field_text(&p->ra.fields[i], &line);
		cli_print_line(&line);
	}
	return status;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	int status = cli_result(manage_profile_get(&cli->manage, a->operands[0], &p, &r), &r);

	return tell(cli, status, &p);
}

static int
add(struct cli *cli, const struct arguments *a)
{
	struct field_row *fields = calloc(PROFILE_FIELDS_MAX, sizeof(*fields));
	struct manage_profile p;
	struct manage_report r = {0};
	struct errbuf why = {0};
	const char *text;
	int count = 0, status = CLI_DONE;

	if (fields == NULL) {
		cli_error("out of memory");
		return CLI_REFUSED;
	}
	while (status == CLI_DONE && (text = arguments_nth(a, "field", count)) != NULL) {
		if (count == PROFILE_FIELDS_MAX)
			errbuf_set(&why, "--field: at most %d", PROFILE_FIELDS_MAX);
		else if (field_rule_read(text, &fields[count], &why))
			count++;
		if (why.line[0] != '\0')
			status = cli_usage(&why);
	}
	if (status == CLI_DONE && count == 0) {
		cli_error("--field is missing: the rule to add");
		status = CLI_USAGE;
	}
	if (status == CLI_DONE)
		status = tell(cli,
		    cli_result(manage_field_add(&cli->manage, &cli->actor, a->operands[0], fields,
				   count, &p, &r),
			&r),
		    &p);
	free(fields);
	return status;
}

static int
set(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	struct errbuf why = {0};
	struct field_row field;

	if (!field_rule_read(a->operands[2], &field, &why))
		return cli_usage(&why);
	return tell(cli,
	    cli_result(manage_field_set(&cli->manage, &cli->actor, a->operands[0], a->operands[1],
			   &field, &p, &r),
		&r),
	    &p);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};

	return tell(cli,
	    cli_result(manage_field_delete(
			   &cli->manage, &cli->actor, a->operands[0], a->operands[1], &p, &r),
		&r),
	    &p);
}

static const struct option_spec add_options[] = {
    {"field", "RULE", "a rule to add; repeatable: all of them in one step", true},
    {0},
};

#define RULES                                                                                      \
	"RULE: TYPE[,required][,multiple][,source=manual][,min=N][,max=N][,pattern=RE], or\n"      \
	"TYPE,fixed=VALUE.  TYPE: subject.commonName .organization .organizationalUnit\n"          \
	".locality .state .country .serialNumber .email .userId .domainComponent .title\n"         \
	".givenName .surname .unstructuredName; san.dns .ip .email .uri .upn\n"                    \
	".directoryName .registeredId"
#define WHICH                                                                                      \
	"WHICH: the rule's number in the list, its TYPE where one rule alone has that, or\n"       \
	"TYPE/SOURCE: san.dns/fixed."

const struct verb cli_field_verbs[] = {
    {"field", "list", "PROFILE", "list the field rules of a profile", NULL, NULL, list},
    {"field", "add", "PROFILE", "add field rules to a profile", RULES, add_options, add},
    {"field", "set", "PROFILE WHICH RULE", "change a field rule", WHICH "\n" RULES, NULL, set},
    {"field", "delete", "PROFILE WHICH", "delete a field rule",
	WHICH "\nOne saved as required stays once the profile has certificates: clone the profile.",
	NULL, delete},
    {0},
};
