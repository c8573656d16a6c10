/* main.c: options, then prefork_run. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/settings.h"
#include "fcgi/prefork.h"
#include "worker.h"

static const char usage[] =
    "usage: fcgi-scep [--settings FILE] [--check]\n"
    "The SCEP responder (RFC 8894): a FastCGI server behind nginx.\n"
    "\n"
    "  --settings FILE  read SCEP_... settings from FILE; the environment wins over it\n"
    "  --check          check settings, store and keys, say what is wrong, and end\n"
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

int
main(int argc, char **argv)
{
	struct settings settings;
	struct errbuf why = {0};
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
			puts("fcgi-scep " SCEP_VERSION);
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
	if (!settings_load(&settings, file, &why)) {
		fprintf(stderr, "fcgi-scep: %s\n", why.line);
		return 2;
	}
	log_open("fcgi-scep", settings.log_json, settings.log_level);
	if (check) {
		if (!worker_check(&settings, &why)) {
			fprintf(stderr, "fcgi-scep: %s\n", why.line);
			return 1;
		}
		return 0;
	}
	const struct prefork_program program = {
	    .name = "fcgi-scep",
	    .listen_at = offsetof(struct settings, listen),
	    .workers_at = offsetof(struct settings, workers),
	    .worker_start = worker_start,
	    .serve = worker_serve,
	    .worker_stop = worker_stop,
	    .check = worker_check,
	};

	return prefork_run(&program, &settings, file);
}
