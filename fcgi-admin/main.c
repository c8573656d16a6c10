/* main.c: what fcgi-admin is, then prefork_run. */
#include <stddef.h>

#include "fcgi-admin/admin.h"
#include "fcgi-admin/background/background.h"
#include "fcgi/program.h"

int
main(int argc, char **argv)
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

	return program_main(&program,
	    "The management API and the challenges for MDMs: a FastCGI server behind nginx.\n",
	    argc, argv);
}
