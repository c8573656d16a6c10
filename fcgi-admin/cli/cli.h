/* cli.h: what the verbs of scepctl share: the verb table, how a result is told, and the exit status. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "fcgi-admin/cli/arguments.h"
#include "fcgi-admin/manage/manage.h"

/* Exit status. */
#define CLI_DONE    0
#define CLI_REFUSED 1 /* refused or failed */
#define CLI_USAGE   2
#define CLI_AWAY    3 /* store, Redis or network */
#define CLI_PENDING 4 /* a request waits for approval: no failure, no certificate */

struct cli {
	struct settings settings;
	struct manage manage;
	struct manage_actor actor; /* "scepctl:USER" */
	bool json;
};

struct verb {
	const char *family; /* "profile"; NULL ends a table */
	const char *name;   /* "create"; NULL: the family is the verb */
	const char
	    *operands;	     /* "NAME", "" for none; each word is one, those in [] may be missing */
	const char *summary; /* one line, for the list of verbs */
	const char *notes;   /* more, for --help; NULL: nothing */
	const struct option_spec *options;
	int (*run)(struct cli *cli, const struct arguments *a);
};

extern const struct verb cli_installation_verbs[];
extern const struct verb cli_ca_verbs[];
extern const struct verb cli_ca_server_verbs[];
extern const struct verb cli_rollover_verbs[];
extern const struct verb cli_ra_verbs[];
extern const struct verb cli_profile_verbs[];
extern const struct verb cli_field_verbs[];
extern const struct verb cli_anchor_verbs[];
extern const struct verb cli_organization_verbs[];
extern const struct verb cli_seat_verbs[];
extern const struct verb cli_seat_import_verbs[];
extern const struct verb cli_enrollment_verbs[];
extern const struct verb cli_account_verbs[];
extern const struct verb cli_intune_verbs[];
extern const struct verb cli_webhook_verbs[];
extern const struct verb cli_transaction_verbs[];
extern const struct verb cli_token_verbs[];
extern const struct verb cli_challenge_verbs[];
extern const struct verb cli_records_verbs[];
extern const struct verb cli_certificate_verbs[];
extern const struct verb cli_import_verbs[];
extern const struct verb cli_enrol_verbs[];
extern const struct verb cli_doctor_verbs[];

/* Tell on stderr what came of a call, warnings too; returns the exit status. */
int cli_result(enum manage_rc rc, const struct manage_report *r);
/* The same for a change that has nothing to print but, with --json, the name of what changed. */
int cli_changed(
    const struct cli *cli, enum manage_rc rc, const struct manage_report *r, const char *name);
/* "scepctl: LINE" on stderr. */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same with why, and the usage status. */
int cli_usage(const struct errbuf *why);

/* Print j on stdout and release it; CLI_REFUSED when it cannot be made (NULL) or written. */
int cli_print_json(json_t *j);
/* The end of a list: with --json all, where status is DONE, is printed; released in any case. */
int cli_listed(const struct cli *cli, int status, json_t *all);
/* --profile; NULL, and it is said, where it is missing. */
const char *cli_profile_of(const struct arguments *a);
/* Print what may hold a stranger's text as one line, its control characters as '?', and free it. */
void cli_print_line(struct buffer *line);
/* A line of "show", "name   value"; nothing for "" and for the time 0. */
void cli_print_field(const char *name, const char *value);
void cli_print_time(const char *name, int64_t seconds);
void cli_error_line(struct buffer *line); /* the same on stderr */
/* An ISO time, or null for 0. */
json_t *cli_json_time(int64_t seconds);
/* "2026-11-23T10:00:00Z" or "2026-11-23". */
bool cli_read_time(const char *text, int64_t *seconds);
/* A string; null for NULL and "". */
json_t *cli_json_text(const char *text);

/* A file of at most max octets, or stdin for "-", into out. */
bool cli_read_file(const char *path, size_t max, struct buffer *out, struct errbuf *why);
/* A new file of the mode; never overwrites. */
bool cli_write_file(const char *path, struct octets content, unsigned mode, struct errbuf *why);

#endif
