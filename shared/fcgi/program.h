/* program.h: the command line that every program of this kind has: --settings, --check, --version, --help; then prefork_run. */
#ifndef FCGI_PROGRAM_H
#define FCGI_PROGRAM_H

#include "fcgi/prefork.h"

/* summary: one line, with its newline, for --help: what the program is.  Returns the exit status: 2 for wrong words or settings. */
int program_main(const struct prefork_program *program, const char *summary, int argc, char **argv);

#endif
