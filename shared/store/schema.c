#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/schema.h"

#define BEGIN_WAIT_MS 5000

int
schema_file_number(const char *name)
{
	if (strspn(name, "0123456789") != 4 || name[4] != '_')
		return 0;
	return (int)strtol(name, NULL, 10);
}

int
schema_compare_versions(const char *a, const char *b)
{
	char *end_a, *end_b;
	long x, y;
	int i;

	for (i = 0; i < 3; i++) {
		x = strtol(a, &end_a, 10);
		y = strtol(b, &end_b, 10);
		if (x != y)
			return x < y ? -1 : 1;
		a = *end_a == '.' ? end_a + 1 : "0";
		b = *end_b == '.' ? end_b + 1 : "0";
	}
	return 0;
}

static int
newest(const struct store_schema_file *files)
{
	int number = 0;

	for (; files->name != NULL; files++)
		number = schema_file_number(files->name);
	return number;
}

/* The number that the database has, 0 where there is no schema, and the oldest program that may use it. */
static bool
read_schema(struct db *db, const char *path, int *number, char oldest[32], struct errbuf *why)
{
	struct query *q;
	const char *text;
	enum db_rc rc;
	bool there;

	*number = 0;
	oldest[0] = '\0';
	if (!db_has_table(db, "schema", &there, why))
		return false;
	if (!there)
		return true;
	q = db_query(db, STATEMENT_SCHEMA);
	if ((rc = db_step(q, why)) == DB_ROW) {
		*number = (int)db_integer(q, 0);
		if ((text = db_text(q, 1)) != NULL)
			snprintf(oldest, 32, "%s", text);
	}
	db_reset(q);
	if (rc == DB_ROW && *number > 0 && oldest[0] != '\0')
		return true;
	if (rc != DB_AWAY)
		errbuf_set(why, "database %s: its table \"schema\" is not one of ours", path);
	return false;
}

/* A newer schema is fine where it says that this program may use it. */
static bool
check_program(
    const char *path, int number, const char *oldest, const char *program, struct errbuf *why)
{
	if (schema_compare_versions(program, oldest) >= 0)
		return true;
	errbuf_set(why,
	    "database %s: its schema %d is for programs from version %s on, this is %s: "
	    "install a newer fcgi-scep",
	    path, number, oldest, program);
	return false;
}

bool
schema_check(struct db *db, const char *path, const struct store_schema_file *files,
    const char *program, struct errbuf *why)
{
	int number, want = newest(files);
	char oldest[32];

	if (!read_schema(db, path, &number, oldest, why))
		return false;
	if (number == 0) {
		errbuf_set(why, "database %s: has no schema yet: run \"scepctl migrate\"", path);
		return false;
	}
	if (number < want) {
		errbuf_set(why, "database %s: has schema %d, want %d: run \"scepctl migrate\"",
		    path, number, want);
		return false;
	}
	return check_program(path, number, oldest, program, why);
}

static bool
apply(struct db *db, const char *path, const struct store_schema_file *file, const char *program,
    struct errbuf *why)
{
	int number, want = schema_file_number(file->name);
	char oldest[32];
	bool ok;

	if (!db_begin(db, BEGIN_WAIT_MS, why))
		return false;
	ok = db_script(db, file->sql, why) && read_schema(db, path, &number, oldest, why);
	if (ok && number != want) {
		errbuf_set(why, "leaves schema %d, want %d", number, want);
		ok = false;
	}
	ok = ok && check_program(path, number, oldest, program, why);
	if (!ok)
		db_rollback(db);
	ok = ok && db_commit(db, why);
	if (!ok)
		errbuf_prefix(why, "schema file %s", file->name);
	return ok;
}

bool
schema_migrate(struct db *db, const char *path, const struct store_schema_file *files,
    const char *program, int *from, int *to, struct errbuf *why)
{
	char oldest[32];

	if (!read_schema(db, path, from, oldest, why))
		return false;
	*to = *from;
	if (*from > 0 && !check_program(path, *from, oldest, program, why))
		return false;
	for (; files->name != NULL; files++) {
		if (schema_file_number(files->name) <= *to)
			continue;
		if (!apply(db, path, files, program, why))
			return false;
		*to = schema_file_number(files->name);
	}
	return true;
}
