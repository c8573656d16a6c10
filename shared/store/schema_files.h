/* schema_files.h: the files of schema/, built into the programs (schema/embed.sh makes the table). */
#ifndef STORE_SCHEMA_FILES_H
#define STORE_SCHEMA_FILES_H

struct store_schema_file {
	const char *name; /* "0001_first.sql" */
	const char *sql;
};

/* In the order of their names; the last entry has a NULL name. */
extern const struct store_schema_file store_schema_files[];

#endif
