#include "fcgi/program.h"

#include <getopt.h>
#include <stdio.h>

#include "base/log.h"

static void
print_usage(const struct prefork_program *program, const char *summary, FILE *out)
{
	fprintf(out,
	    "usage: %s [--settings FILE] [--check]\n"
	    "%s"
	    "\n"
	    "  --settings FILE  read SCEP_... settings from FILE; the environment wins over it\n"
	    "  --check          check settings, store and keys, say what is wrong, and end\n"
	    "  --version        print the version and end\n"
	    "  --help           print this and end\n"
	    "\n"
	    "Signals: TERM ends after the requests in flight, HUP reads the settings again and\n"
	    "replaces the workers one generation by the next.  \"scepctl settings\" lists the "
	    "settings.\n",
	    program->name, summary);
}

static int
run(const struct prefork_program *program, const char *file, bool check)
{
	struct settings settings;
	struct errbuf why = {0};

	if (!settings_load(&settings, file, &why)) {
		fprintf(stderr, "%s: %s\n", program->name, why.line);
		return 2;
	}
	log_open(program->name, settings.log_json, settings.log_level);
	if (!check)
		return prefork_run(program, &settings, file);
	if (program->check == NULL || program->check(&settings, &why))
		return 0;
	fprintf(stderr, "%s: %s\n", program->name, why.line);
	return 1;
}

int
program_main(const struct prefork_program *program, const char *summary, int argc, char **argv)
{
	static const struct option options[] = {
	    {"settings", required_argument, NULL, 's'},
	    {"check", no_argument, NULL, 'c'},
	    {"version", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
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
			printf("%s %s\n", program->name, SCEP_VERSION);
			return 0;
		case 'h':
			print_usage(program, summary, stdout);
			return 0;
		default:
			print_usage(program, summary, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		print_usage(program, summary, stderr);
		return 2;
	}
	return run(program, file, check);
}
