/* main.c: options, then prefork_run. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

#include "base/log.h"
#include "fcgi-admin/admin.h"
#include "fcgi-admin/background/background.h"

static const char usage[] =
    "usage: fcgi-admin [--settings FILE] [--check]\n"
    "The management API and the challenges for MDMs: a FastCGI server behind nginx.\n"
    "\n"
    "  --settings FILE  read SCEP_... settings from FILE; the environment wins over it\n"
    "  --check          check settings, store and master key, say what is wrong, and end\n"
    "  --version        print the version and end\n"
    "  --help           print this and end\n"
    "\n"
    "Signals: TERM ends after the requests in flight, HUP reads the settings again and\n"
    "replaces the workers one generation by the next.  \"scepctl settings\" lists the settings.\n";

static const struct option options[] = {
    {"settings", required_argument, NULL, 's'},
    {"check", no_argument, NULL, 'c'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
run(struct settings *settings, const char *file, bool check)
{
	static const struct prefork_program program = {
	    .name = "fcgi-admin",
	    .listen_at = offsetof(struct settings, admin_listen),
	    .workers_at = offsetof(struct settings, admin_workers),
	    .worker_start = admin_start,
	    .serve = admin_serve,
	    .worker_stop = admin_stop,
	    .background = background_run,
	    .check = admin_check,
	};
	struct errbuf why = {0};

	if (!settings_load(settings, file, &why)) {
		fprintf(stderr, "fcgi-admin: %s\n", why.line);
		return 2;
	}
	log_open("fcgi-admin", settings->log_json, settings->log_level);
	if (!check)
		return prefork_run(&program, settings, file);
	if (admin_check(settings, &why))
		return 0;
	fprintf(stderr, "fcgi-admin: %s\n", why.line);
	return 1;
}

int
main(int argc, char **argv)
{
	struct settings settings;
	const char *file = NULL;
	bool check = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			file = optarg;
			break;
		case 'c':
			check = true;
			break;
		case 'v':
			puts("fcgi-admin " SCEP_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	return run(&settings, file, check);
}
