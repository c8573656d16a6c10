/* scepctl.c: the verbs of management from a shell: finds the verb, reads its options, opens the settings and runs it. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fcgi-admin/cli/cli.h"

static const struct verb *const tables[] = {
    cli_installation_verbs,
    cli_ca_verbs,
    cli_ca_server_verbs,
    cli_rollover_verbs,
    cli_ra_verbs,
    cli_profile_verbs,
    cli_field_verbs,
    cli_anchor_verbs,
    cli_organization_verbs,
    cli_seat_verbs,
    cli_seat_import_verbs,
    cli_enrollment_verbs,
    cli_account_verbs,
    cli_intune_verbs,
    cli_webhook_verbs,
    cli_transaction_verbs,
    cli_token_verbs,
    cli_challenge_verbs,
    cli_records_verbs,
    cli_certificate_verbs,
    cli_import_verbs,
    cli_enrol_verbs,
    cli_doctor_verbs,
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* What every verb understands. */
static const struct option_spec common[] = {
    {"settings", "FILE", "read settings from FILE; the environment (SCEP_...) wins", false},
    {"json", NULL, "print the result as JSON", false},
    {"help", NULL, "print this", false},
};
#define COMMON	    (sizeof(common) / sizeof(common[0]))
#define OPTIONS_MAX 96

/* Those of one family; NULL: all of them. */
static void
print_verbs(FILE *out, const char *family)
{
	fputs("usage: scepctl [--settings FILE] [--json] VERB ...\n\n", out);
	for (size_t t = 0; t < TABLES; t++)
		for (const struct verb *v = tables[t]; v->family != NULL; v++) {
			char line[128];

			if (family != NULL && strcmp(v->family, family) != 0)
				continue;
			snprintf(line, sizeof(line), "%s%s%s%s%s", v->family,
			    v->name != NULL ? " " : "", v->name != NULL ? v->name : "",
			    v->operands[0] != '\0' ? " " : "", v->operands);
			fprintf(out, "  %-32s %s\n", line, v->summary);
		}
	fputs("\nscepctl VERB --help tells its options, scepctl seat --help lists the verbs of "
	      "seat alone.\n"
	      "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 store, Redis or network "
	      "away,\n4 the request waits for approval.\n",
	    out);
}

static void
print_options(const struct option_spec *specs)
{
	for (; specs->name != NULL; specs++) {
		char left[80];

		snprintf(left, sizeof(left), "--%s%s%s", specs->name,
		    specs->metavar != NULL ? " " : "",
		    specs->metavar != NULL ? specs->metavar : "");
		if (strlen(left) > 28)
			printf("  %s\n  %-28s %s\n", left, "", specs->help);
		else
			printf("  %-28s %s\n", left, specs->help);
	}
}

static void
print_verb(const struct verb *v, const struct option_spec *specs)
{
	printf("usage: scepctl %s%s%s%s%s [option ...]\n\n%s.\n", v->family,
	    v->name != NULL ? " " : "", v->name != NULL ? v->name : "",
	    v->operands[0] != '\0' ? " " : "", v->operands, v->summary);
	if (v->notes != NULL)
		printf("\n%s\n", v->notes);
	puts("\noptions:");
	print_options(specs);
}

/* The verb that words name; *used says how many of them.  NULL: none; family tells whether the first is a family at all. */
static const struct verb *
find_verb(int count, const char *const *words, int *used, bool *family)
{
	*family = false;
	for (size_t t = 0; t < TABLES; t++)
		for (const struct verb *v = tables[t]; v->family != NULL; v++) {
			if (count < 1 || strcmp(v->family, words[0]) != 0)
				continue;
			*family = true;
			*used = v->name != NULL ? 2 : 1;
			if (v->name == NULL || (count > 1 && strcmp(v->name, words[1]) == 0))
				return v;
		}
	return NULL;
}

/* How many operands a verb wants at least and at most. */
static void
count_operands(const char *operands, int *least, int *most)
{
	*least = *most = 0;
	while (*operands != '\0') {
		(*most)++;
		if (*operands != '[')
			(*least)++;
		operands += strcspn(operands, " ");
		operands += strspn(operands, " ");
	}
}

/* The options of the verb and the common ones; specs has room for OPTIONS_MAX. */
static void
join_options(const struct verb *v, struct option_spec *specs)
{
	size_t n = 0;

	for (const struct option_spec *s = v->options; s != NULL && s->name != NULL; s++)
		if (n < OPTIONS_MAX - COMMON - 1)
			specs[n++] = *s;
	memcpy(specs + n, common, sizeof(common));
	specs[n + COMMON] = (struct option_spec){0};
}

/*
 * The verb's words stand first but for common options before them.  argv is reordered so that what is behind the words
 * follows the common options: *rest counts it.  Returns how many words were found (at most 2).
 */
static int
split_words(int argc, char **argv, const char *words[2], char **rest, int *rest_count)
{
	int count = 0;

	*rest_count = 0;
	for (int i = 1; i < argc; i++) {
		bool option = argv[i][0] == '-' && argv[i][1] != '\0';

		if (!option && count < 2) {
			const char *seen[2] = {count > 0 ? words[0] : argv[i], argv[i]};
			const struct verb *v;
			bool family;
			int used;

			v = find_verb(count + 1, seen, &used, &family);
			if (count == 0 || (v != NULL && used == 2)) {
				words[count++] = argv[i];
				continue;
			}
		}
		rest[(*rest_count)++] = argv[i];
		if (option && strcmp(argv[i], "--settings") == 0 && i + 1 < argc)
			rest[(*rest_count)++] = argv[++i];
	}
	return count;
}

static const char *
user_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw != NULL ? pw->pw_name : "unknown";
}

static int
run(const struct verb *v, const struct arguments *a)
{
	struct cli *cli;
	struct errbuf why = {0};
	char who[80];
	int status;

	if ((cli = calloc(1, sizeof(*cli))) == NULL) {
		cli_error("out of memory");
		return CLI_REFUSED;
	}
	if (!settings_load(&cli->settings, arguments_text(a, "settings"), &why)) {
		cli_error("%s", why.line);
		free(cli);
		return CLI_REFUSED;
	}
	log_open("scepctl", cli->settings.log_json, cli->settings.log_level);
	snprintf(who, sizeof(who), "scepctl:%.64s", user_name());
	cli->actor.who = who;
	cli->json = arguments_has(a, "json");
	manage_open(&cli->manage, &cli->settings);
	status = v->run(cli, a);
	manage_close(&cli->manage);
	free(cli);
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		cli_error("stdout cannot be written");
		return status == CLI_DONE ? CLI_REFUSED : status;
	}
	return status;
}

/* No verb was found: what there is, of the family where that was named.  Asked for by --help it is no fault. */
static int
explain(const char *word, bool family, char *const *rest, int rest_count)
{
	const char *unknown = NULL;

	for (int i = 0; i < rest_count; i++) {
		if (strcmp(rest[i], "--help") == 0 && (word == NULL || family)) {
			print_verbs(stdout, word);
			return CLI_DONE;
		}
		if (strcmp(rest[i], "--settings") == 0)
			i++;
		else if (rest[i][0] != '-' && unknown == NULL)
			unknown = rest[i];
	}
	if (word != NULL && !family) {
		cli_error("there is no verb %s: scepctl --help lists them", word);
		return CLI_USAGE;
	}
	print_verbs(stderr, word);
	if (unknown != NULL)
		cli_error("there is no verb %s %s", word, unknown);
	return CLI_USAGE;
}

static int
find_and_run(int argc, char **argv, char **rest)
{
	struct option_spec specs[OPTIONS_MAX];
	struct arguments arguments;
	struct errbuf why = {0};
	const char *words[2] = {NULL, NULL};
	int rest_count, used, least, most;
	int count = split_words(argc, argv, words, rest, &rest_count);
	bool family = false;
	const struct verb *v = find_verb(count, words, &used, &family);

	if (v == NULL)
		return explain(words[0], family, rest, rest_count);
	join_options(v, specs);
	count_operands(v->operands, &least, &most);
	if (!arguments_parse(specs, most, rest_count, rest, &arguments, &why))
		return cli_usage(&why);
	if (arguments_has(&arguments, "help")) {
		print_verb(v, specs);
		return CLI_DONE;
	}
	if (arguments.operand_count < least) {
		cli_error("%s%s%s wants %s: see --help", v->family, v->name != NULL ? " " : "",
		    v->name != NULL ? v->name : "", v->operands);
		return CLI_USAGE;
	}
	return run(v, &arguments);
}

int
main(int argc, char **argv)
{
	char **rest = calloc((size_t)argc + 1, sizeof(*rest));
	int status;

	if (rest == NULL)
		return CLI_REFUSED;
	status = find_and_run(argc, argv, rest);
	free(rest);
	return status;
}
