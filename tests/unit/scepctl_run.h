/* scepctl_run.h: a verb of scepctl's client run inside a unit test, in a directory of its own: exit status, and what it said. */
#ifndef UNIT_SCEPCTL_RUN_H
#define UNIT_SCEPCTL_RUN_H

#include <stdbool.h>

/* Before and after all tests of a file; the directory's path is scepctl_directory. */
extern char scepctl_directory[64];
void scepctl_open(void);
void scepctl_close(void);

/* "DIRECTORY/NAME", in one of 16 places that are used in turn. */
const char *scepctl_path(const char *name);
bool scepctl_is_there(const char *name);
void scepctl_remove(const char *name);

/*
 * Run a verb of cli_enrol_verbs for a URL with words, separated by single spaces, in which @NAME stands for scepctl_path(NAME).  Returns its exit status; what it
 * said on stdout and stderr is in scepctl_said.
 */
extern char scepctl_said[65536];
int scepctl_run(const char *verb, const char *url, const char *words);
/* The same with --json. */
int scepctl_run_json(const char *verb, const char *url, const char *words);

/* Fail the test unless scepctl_said has the text in it. */
void scepctl_assert_said(const char *text);

#endif
