/* schema.h: does the database have the tables that this program needs, and putting them there.  Inside the store only. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "store/db.h"
#include "store/schema_files.h"

/* The number that a file's name begins with; 0 when it does not begin with four digits and '_'. */
int schema_file_number(const char *name);

/* Compare versions "1.2.3" by their numbers: < 0, 0, > 0.  What follows the numbers does not count. */
int schema_compare_versions(const char *a, const char *b);

/* Is the schema there, not older than the newest of files, and for programs of this version?  false: why names what to run. */
bool schema_check(struct db *db, const char *path, const struct store_schema_file *files,
    const char *program, struct errbuf *why);

/*
 * Apply what is missing, each file in a transaction of its own.  The caller has the writers' lock.  false: why names the file;
 * what came before it stays applied.  *from and *to are the numbers before and after.
 */
bool schema_migrate(struct db *db, const char *path, const struct store_schema_file *files,
    const char *program, int *from, int *to, struct errbuf *why);

#endif
