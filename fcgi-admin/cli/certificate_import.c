/* certificate_import.c: certificate import. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/certificate_import.h"

struct tally {
	int imported;
	int there;
	int refused;
	json_t *all; /* NULL: lines for people */
};

static void
tell(struct tally *t, const struct manage_imported *c, const char *result, const char *why)
{
	struct buffer line = {0};

	if (t->all != NULL) {
		json_array_append_new(
		    t->all, json_pack("{s:o,s:o,s:o,s:s,s:o}", "serialNumber",
				cli_json_text(c->serial), "subject", cli_json_text(c->subject),
				"authority", cli_json_text(c->authority), "result", result,
				"reason", cli_json_text(why)));
		return;
	}
	buffer_append_format(&line, "%-8s %-40s %s%s%s", result,
	    c->serial[0] != '\0' ? c->serial : "-", c->subject, why[0] != '\0' ? ": " : "", why);
	cli_print_line(&line);
}

/* One of the file.  A store that is away ends the whole. */
static enum manage_rc
import_one(struct manage_import *import, struct octets der, struct tally *t)
{
	struct manage_imported c;
	struct manage_report r = {0};
	enum manage_rc rc = manage_import_certificate(import, der, &c, &r);

	switch (rc) {
	case MANAGE_OK:
		t->imported++;
		tell(t, &c, "imported", "");
		return MANAGE_OK;
	case MANAGE_CONFLICT:
		t->there++;
		tell(t, &c, "there", "");
		return MANAGE_OK;
	case MANAGE_INVALID:
		t->refused++;
		tell(t, &c, "refused", r.faults[0].message);
		return MANAGE_OK;
	default:
		cli_result(rc, &r);
		return rc;
	}
}

/* Every certificate of a PEM file, one by one; other objects are passed over. */
static int
import_file(struct manage_import *import, const char *path, struct tally *t)
{
	BIO *in = strcmp(path, "-") == 0 ? BIO_new_fp(stdin, BIO_NOCLOSE) : BIO_new_file(path, "r");
	enum manage_rc rc = MANAGE_OK;
	struct errbuf why = {0};
	char *label, *header;
	unsigned char *der;
	long len;

	if (in == NULL) {
		errbuf_ossl(&why, "%s: cannot open", path);
		cli_error("%s", why.line);
		return CLI_REFUSED;
	}
	while (rc == MANAGE_OK && PEM_read_bio(in, &label, &header, &der, &len) == 1) {
		if (strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0)
			rc = import_one(import, octets_of(der, (size_t)len), t);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len);
	}
	BIO_free(in);
	if (rc != MANAGE_OK)
		return rc == MANAGE_AWAY ? CLI_AWAY : CLI_REFUSED;
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		errbuf_ossl(&why, "%s: PEM malformed", path);
		cli_error("%s", why.line);
		return CLI_REFUSED;
	}
	ERR_clear_error();
	if (t->imported + t->there + t->refused == 0) {
		cli_error("%s: no certificate in it", path);
		return CLI_REFUSED;
	}
	return t->refused > 0 ? CLI_REFUSED : CLI_DONE;
}

static int
import(struct cli *cli, const struct arguments *a)
{
	struct manage_import_order o = {
	    .profile = arguments_text(a, "profile"),
	    .authority = arguments_text(a, "ca"),
	    .reason = arguments_text(a, "reason"),
	};
	const char *revoked = arguments_text(a, "revoked-at");
	struct manage_import *import = NULL;
	struct manage_report r = {0};
	struct tally t = {.imported = 0};
	int status;

	if (o.profile == NULL) {
		cli_error("--profile is missing: through which the certificates may be renewed");
		return CLI_USAGE;
	}
	if (revoked != NULL && !cli_read_time(revoked, &o.revoked_at)) {
		cli_error(
		    "--revoked-at: have \"%s\", want 2026-11-23T10:00:00Z or 2026-11-23", revoked);
		return CLI_USAGE;
	}
	status = cli_result(manage_import_open(&cli->manage, &cli->actor, &o, &import, &r), &r);
	if (status != CLI_DONE)
		return status;
	t.all = cli->json ? json_array() : NULL;
	status = import_file(import, a->operands[0], &t);
	manage_import_close(import);
	if (cli->json) {
		int printed = cli_print_json(json_pack("{s:i,s:i,s:i,s:o}", "imported", t.imported,
		    "there", t.there, "refused", t.refused, "certificates", t.all));

		return status != CLI_DONE ? status : printed;
	}
	printf("%d imported, %d there already, %d refused\n", t.imported, t.there, t.refused);
	return status;
}

static const struct option_spec import_options[] = {
    {"profile", "NAME", "through which they may be renewed", false},
    {"ca", "CA", "that issued them; without it, any generation of the profile's CA", false},
    {"revoked-at", "TIME", "they are revoked since: 2026-11-23T10:00:00Z or 2026-11-23", false},
    {"reason", "WORD", "why: keyCompromise, superseded, ...", false},
    {0},
};

const struct verb cli_import_verbs[] = {
    {"certificate", "import", "FILE.pem", "import certificates of another program",
	"They were issued under a CA that is here (scepctl ca import), and can be renewed, "
	"revoked\n"
	"and asked for as if they had been issued here.",
	import_options, import},
    {0},
};
