/* doctor.c: scepctl doctor: what would clients stumble on at this SCEP server? */
#include "fcgi-admin/cli/doctor.h"

#include <stdlib.h>

#include "base/clock.h"
#include "fcgi-admin/cli/cli.h"

#define TIMEOUT_S_DEFAULT 10
#define WARN_DAYS_DEFAULT 30

static int
examine(const struct cli *cli, const struct arguments *a, struct doctor *d,
    struct doctor_finding *findings)
{
	int64_t timeout_s = TIMEOUT_S_DEFAULT, days = WARN_DAYS_DEFAULT;
	struct errbuf why = {0};
	int count;

	if (!arguments_number(a, "timeout", 1, 120, &timeout_s, &why) ||
	    !arguments_number(a, "days", 0, 36500, &days, &why))
		return cli_usage(&why);
	d->url = a->operands[0];
	d->ca_file = arguments_text(a, "ca-file");
	d->timeout_ms = timeout_s * 1000;
	d->warn_days = (int)days;
	d->now = clock_now();
	if (!doctor_ask(d, &why))
		return cli_usage(&why);
	count = doctor_check(d, findings);
	return doctor_report(
	    cli, findings, count, arguments_has(a, "quiet"), arguments_has(a, "strict"));
}

static int
doctor(struct cli *cli, const struct arguments *a)
{
	struct doctor *d = calloc(1, sizeof(*d));
	struct doctor_finding *findings = calloc(DOCTOR_FINDINGS_MAX, sizeof(*findings));
	int status = CLI_REFUSED;

	if (d == NULL || findings == NULL)
		cli_error("out of memory");
	else
		status = examine(cli, a, d, findings);
	if (d != NULL)
		doctor_free(d);
	free(d);
	free(findings);
	return status;
}

static const struct option_spec doctor_options[] = {
    {"ca-file", "FILE", "trust these CAs for TLS, not the system's", false},
    {"timeout", "SECONDS", "of each call (10)", false},
    {"days", "N", "warn of a certificate that ends within N days (30)", false},
    {"quiet", NULL, "print warnings and failures alone", false},
    {"strict", NULL, "a warning is a failure to the exit status", false},
    {0},
};

const struct verb cli_doctor_verbs[] = {
    {"doctor", NULL, "URL", "examine a SCEP server, anybody's, as its clients would see it",
	"URL is what clients are given: http://host/scep/PROFILE, /certsrv/mscep/mscep.dll, ….  At "
	"most 16 small requests, one after the other; nothing is enrolled and no challenge is "
	"needed.\n"
	"Exit status: 0 no failure, 1 a failure (with --strict a warning too), 3 not reached.",
	doctor_options, doctor},
    {0},
};
