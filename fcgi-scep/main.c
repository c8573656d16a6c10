/* main.c: what fcgi-scep is, then prefork_run. */
#include <stddef.h>

#include "fcgi-scep/worker.h"
#include "fcgi/program.h"

int
main(int argc, char **argv)
{
	static const struct prefork_program program = {
	    .name = "fcgi-scep",
	    .listen_at = offsetof(struct settings, listen),
	    .workers_at = offsetof(struct settings, workers),
	    .worker_start = worker_start,
	    .serve = worker_serve,
	    .served = worker_served,
	    .worker_stop = worker_stop,
	    .check = worker_check,
	};

	return program_main(&program,
	    "The SCEP responder (RFC 8894): a FastCGI server behind nginx.\n", argc, argv);
}
