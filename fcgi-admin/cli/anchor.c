/* anchor.c: anchor add, list, remove. */
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/anchor.h"
#include "pki/authority.h"

#define ANCHORS_MAX 64 /* in one file */

static json_t *
anchor_json(const struct manage_anchor *a)
{
	struct buffer pem = {0};
	json_t *j;

	pem_write("CERTIFICATE", a->certificate, &pem);
	j = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "fingerprint", a->fingerprint, "subject",
	    cli_json_text(a->subject), "notBefore", cli_json_time(a->not_before), "notAfter",
	    cli_json_time(a->not_after), "createdAt", cli_json_time(a->created_at), "pem",
	    cli_json_text(buffer_string(&pem)));
	buffer_free(&pem);
	return j;
}

static bool
tell(void *ctx, const struct manage_anchor *a)
{
	char until[ENCODING_TIME_SIZE];
	struct buffer line = {0};

	if (ctx != NULL)
		return json_array_append_new(ctx, anchor_json(a)) == 0;
	encoding_time(a->not_after, until);
	buffer_append_format(&line, "%s  until %s  %s", a->fingerprint, until, a->subject);
	cli_print_line(&line);
	return true;
}

static int
add(struct cli *cli, const struct arguments *a)
{
	struct buffer *certificates = calloc(ANCHORS_MAX, sizeof(*certificates));
	json_t *all = cli->json ? json_array() : NULL;
	struct errbuf why = {0};
	int count = -1, status = CLI_REFUSED;

	if (certificates != NULL)
		count = pem_read_certificates(a->operands[1], certificates, ANCHORS_MAX, &why);
	if (count < 0)
		cli_error("%s", certificates != NULL ? why.line : "out of memory");
	for (int i = 0; i < count; i++) {
		struct manage_report r = {0};
		struct manage_anchor anchor;

		status = cli_result(manage_anchor_add(&cli->manage, &cli->actor, a->operands[0],
					buffer_octets(&certificates[i]), &anchor, &r),
		    &r);
		if (status != CLI_DONE)
			break;
		(void)tell(all, &anchor);
	}
	for (int i = 0; certificates != NULL && i < ANCHORS_MAX; i++)
		buffer_free(&certificates[i]);
	free(certificates);
	return cli_listed(cli, status, all);
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status =
	    cli_result(manage_anchor_each(&cli->manage, a->operands[0], tell, all, &r), &r);

	return cli_listed(cli, status, all);
}

static int
remove_anchor(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_anchor_remove(&cli->manage, &cli->actor, a->operands[0], a->operands[1], &r), &r,
	    a->operands[0]);
}

const struct verb cli_anchor_verbs[] = {
    {"anchor", "add", "PROFILE FILE", "let a manufacturer's certificates authorise enrolments",
	"FILE has the PEM certificate of the CA that issued them.  Every device with a "
	"certificate\n"
	"below it may then enrol under the profile, without a challenge.",
	NULL, add},
    {"anchor", "list", "PROFILE", "list a profile's anchors", NULL, NULL, list},
    {"anchor", "remove", "PROFILE FINGERPRINT", "remove an anchor", NULL, NULL, remove_anchor},
    {0},
};
