#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/filesystem.h"
#include "store/schema.h"
#include "store/statements.h"
#include "store_fixture.h"

#define NEWEST 3 /* file of the schema */

static int
setup(void **state)
{
	struct store_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	store_fixture_directory(f, "/tmp");
	*state = f;
	return 0;
}

static enum store_rc
migrate(struct store_fixture *f, int want_from, int want_to)
{
	int from = -1, to = -1;
	enum store_rc rc = store_migrate(&f->settings, &from, &to, &f->why);

	assert_int_equal(from, want_from);
	assert_int_equal(to, want_to);
	return rc;
}

static void
assert_refused(struct store_fixture *f, const char *text)
{
	struct store *st = (struct store *)f;

	assert_int_equal(store_open(&f->settings, &st, &f->why), STORE_AWAY);
	assert_null(st);
	if (strstr(f->why.line, text) == NULL)
		fail_msg("have \"%s\", want \"%s\"", f->why.line, text);
}

static void
assert_opens(struct store_fixture *f)
{
	struct store *st;

	if (store_open(&f->settings, &st, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
	store_close(st);
}

/* ---- migrating and opening ---- */

static void
migrating_twice_changes_nothing_the_second_time(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
	assert_int_equal(migrate(f, NEWEST, NEWEST), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM schema"), 1);
	assert_opens(f);
}

static void
a_missing_database_is_refused_and_named_with_the_command(void **state)
{
	struct store_fixture *f = *state;

	assert_refused(f, "scepctl init");
	assert_refused(f, f->settings.database);
	assert_int_not_equal(access(f->settings.database, F_OK), 0);
}

static void
a_missing_directory_is_refused(void **state)
{
	struct store_fixture *f = *state;

	strcpy(f->settings.database, "/nonexistent/scep.db");
	assert_refused(f, "/nonexistent/scep.db");
	assert_int_equal(migrate(f, 0, 0), STORE_AWAY);
	assert_non_null(strstr(f->why.line, "/nonexistent"));
}

static void
an_empty_database_is_refused_with_the_command(void **state)
{
	struct store_fixture *f = *state;

	fclose(fopen(f->settings.database, "we"));
	assert_refused(f, "has no schema yet: run \"scepctl migrate\"");
	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
	assert_opens(f);
}

static void
a_file_that_is_no_database_is_refused_and_left_as_it_was(void **state)
{
	struct store_fixture *f = *state;
	char text[64] = {0};
	FILE *file = fopen(f->settings.database, "we");

	assert_non_null(file);
	fputs("this is a letter to the reader, and no database at all", file);
	fclose(file);
	assert_refused(f, "damaged");
	assert_int_equal(migrate(f, 0, 0), STORE_AWAY);
	file = fopen(f->settings.database, "re");
	assert_non_null(file);
	assert_int_equal(fread(text, 1, 16, file), 16);
	fclose(file);
	assert_string_equal(text, "this is a letter");
}

static void
a_newer_schema_is_accepted_where_it_says_so_and_refused_otherwise(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
	store_fixture_script(
	    f, "UPDATE schema SET number = 99, oldest_program = '" SCEP_VERSION "'");
	assert_opens(f);
	assert_int_equal(migrate(f, 99, 99), STORE_OK);
	store_fixture_script(f, "UPDATE schema SET oldest_program = '99.0.0'");
	assert_refused(f, "install a newer fcgi-scep");
	assert_refused(f, "99.0.0");
	assert_refused(f, "this is " SCEP_VERSION);
	assert_int_equal(migrate(f, 99, 99), STORE_AWAY);
}

static void
a_schema_table_that_is_not_ours_is_refused(void **state)
{
	struct store_fixture *f = *state;

	store_fixture_script(f, "CREATE TABLE schema (number INTEGER, oldest_program TEXT)");
	assert_refused(f, "not one of ours");
	assert_int_equal(migrate(f, 0, 0), STORE_AWAY);
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
new_files_are_not_for_everybody_whatever_the_umask(void **state)
{
	struct store_fixture *f = *state;
	char path[SETTINGS_TEXT + 16];
	struct store *st;
	int64_t version;
	mode_t old = umask(0);

	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
	assert_int_equal(store_open(&f->settings, &st, &f->why), STORE_OK);
	assert_int_equal(store_config_version(st, &version, &f->why), STORE_OK);
	umask(old);
	assert_int_equal(mode_of(f->settings.database), 0640);
	snprintf(path, sizeof(path), "%s-wal", f->settings.database);
	assert_int_equal(mode_of(path), 0640);
	snprintf(path, sizeof(path), "%s-shm", f->settings.database);
	assert_int_equal(mode_of(path), 0640);
	snprintf(path, sizeof(path), "%s.lock", f->settings.database);
	assert_int_equal(mode_of(path), 0660);
	store_close(st);
}

static void
a_narrower_umask_is_kept(void **state)
{
	struct store_fixture *f = *state;
	mode_t old = umask(077);

	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
	umask(old);
	assert_int_equal(mode_of(f->settings.database), 0600);
}

static void
files_that_root_makes_belong_to_the_owner_of_the_directory(void **state)
{
	struct store_fixture *f = *state;
	char path[SETTINGS_TEXT + 16];
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(f->directory, 65534, 65534), 0);
	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
	assert_int_equal(stat(f->settings.database, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, 65534);
	snprintf(path, sizeof(path), "%s.lock", f->settings.database);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 65534);
}

static void
a_symbolic_link_in_place_of_the_lock_file_is_not_followed(void **state)
{
	struct store_fixture *f = *state;
	char path[SETTINGS_TEXT + 16], target[SETTINGS_TEXT + 16];

	snprintf(path, sizeof(path), "%s.lock", f->settings.database);
	snprintf(target, sizeof(target), "%s.target", f->settings.database);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(migrate(f, 0, 0), STORE_AWAY);
	assert_int_not_equal(access(target, F_OK), 0);
	unlink(path);
	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
}

/* ---- files of the schema ---- */

#define MADE "CREATE TABLE schema (number INTEGER, oldest_program TEXT);"

static bool
apply(struct store_fixture *f, const struct store_schema_file *files, int *from, int *to)
{
	struct db *db;
	bool ok;

	fclose(fopen(f->settings.database, "ae"));
	if (!db_open(f->settings.database, &db, &f->why))
		fail_msg("%s", f->why.line);
	ok = schema_migrate(db, f->settings.database, files, "1.2.3", from, to, &f->why);
	if (ok)
		assert_true(schema_check(db, f->settings.database, files, "1.2.3", &f->why));
	db_close(db);
	return ok;
}

static void
files_are_applied_in_order_and_a_schema_that_is_too_old_is_refused(void **state)
{
	static const struct store_schema_file two[] = {
	    {"0001_a.sql", MADE "INSERT INTO schema VALUES (1, '1.0.0'); CREATE TABLE a (x)"},
	    {"0002_b.sql", "ALTER TABLE a ADD COLUMN y; UPDATE schema SET number = 2"},
	    {NULL, NULL}};
	static const struct store_schema_file three[] = {
	    {"0001_a.sql", "not SQL: not applied again"}, {"0002_b.sql", "nor this"},
	    {"0003_c.sql", "ALTER TABLE a ADD COLUMN z; UPDATE schema SET number = 3, "
			   "oldest_program = '1.2.0'"},
	    {NULL, NULL}};
	struct store_fixture *f = *state;
	struct db *db;
	int from, to;

	assert_true(apply(f, two, &from, &to));
	assert_int_equal(from, 0);
	assert_int_equal(to, 2);
	assert_true(db_open(f->settings.database, &db, &f->why));
	assert_false(schema_check(db, f->settings.database, three, "1.2.3", &f->why));
	assert_non_null(strstr(f->why.line, "has schema 2, want 3: run \"scepctl migrate\""));
	db_close(db);
	assert_true(apply(f, three, &from, &to));
	assert_int_equal(from, 2);
	assert_int_equal(to, 3);
	assert_int_equal(store_fixture_integer(f, "SELECT count(x || y || z) FROM a"), 0);
}

static void
a_file_that_fails_leaves_the_database_before_it(void **state)
{
	static const struct store_schema_file bad[] = {
	    {"0001_a.sql", MADE "INSERT INTO schema VALUES (1, '1.0.0')"},
	    {"0002_b.sql", "CREATE TABLE half (x); UPDATE schema SET number = 2; CREATE TABL z"},
	    {NULL, NULL}};
	static const struct store_schema_file forgotten[] = {
	    {"0001_a.sql", ""}, {"0002_b.sql", "CREATE TABLE half (x)"}, {NULL, NULL}};
	static const struct store_schema_file too_new[] = {{"0001_a.sql", ""},
	    {"0002_b.sql", "UPDATE schema SET number = 2, oldest_program = '1.2.4'"}, {NULL, NULL}};
	struct store_fixture *f = *state;
	int from, to;

	assert_false(apply(f, bad, &from, &to));
	assert_int_equal(to, 1);
	assert_non_null(strstr(f->why.line, "0002_b.sql"));
	assert_int_equal(store_fixture_integer(f, "SELECT number FROM schema"), 1);
	assert_false(apply(f, forgotten, &from, &to));
	assert_non_null(strstr(f->why.line, "leaves schema 1, want 2"));
	assert_false(apply(f, too_new, &from, &to));
	assert_int_equal(store_fixture_integer(f, "SELECT number FROM schema"), 1);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
}

static void
numbers_are_read_from_the_names_of_files(void **state)
{
	(void)state;
	assert_int_equal(schema_file_number("0001_core.sql"), 1);
	assert_int_equal(schema_file_number("0123_x.sql"), 123);
	assert_int_equal(schema_file_number("123_x.sql"), 0);
	assert_int_equal(schema_file_number("00001_x.sql"), 0);
	assert_int_equal(schema_file_number("0001-x.sql"), 0);
	assert_int_equal(schema_file_number("x0001_.sql"), 0);
	assert_int_equal(schema_file_number(""), 0);
}

static void
the_embedded_files_are_numbered_from_one_without_gaps(void **state)
{
	int i;

	(void)state;
	for (i = 0; store_schema_files[i].name != NULL; i++)
		assert_int_equal(schema_file_number(store_schema_files[i].name), i + 1);
	assert_true(i > 0);
}

static void
versions_are_compared_by_their_numbers(void **state)
{
	(void)state;
	assert_int_equal(schema_compare_versions("0.1.0", "0.1.0"), 0);
	assert_int_equal(schema_compare_versions("0.1", "0.1.0"), 0);
	assert_int_equal(schema_compare_versions("0.1.0-rc1", "0.1.0"), 0);
	assert_true(schema_compare_versions("0.9.0", "0.10.0") < 0);
	assert_true(schema_compare_versions("0.10.0", "0.9.9") > 0);
	assert_true(schema_compare_versions("1.0.0", "0.99.99") > 0);
	assert_true(schema_compare_versions("0.1.1", "0.1.2") < 0);
	assert_true(schema_compare_versions("0.1", "0.1.1") < 0);
}

/* ---- statements ---- */

static void
parameters_stand_in_the_order_of_their_first_use(void **state)
{
	const char *at;
	int s, number, next;

	(void)state;
	for (s = 0; s < STATEMENT_COUNT; s++) {
		at = statement_sql((enum statement)s);
		assert_non_null(at);
		for (next = 1; (at = strchr(at, '$')) != NULL; at++) {
			number = atoi(at + 1);
			if (number > next || number < 1 || !isdigit((unsigned char)at[1]))
				fail_msg("%s", statement_sql((enum statement)s));
			next += number == next;
		}
	}
}

static void
every_statement_can_be_prepared(void **state)
{
	struct store_fixture *f = *state;
	struct errbuf why;
	struct query *q;
	struct db *db;
	int s;

	assert_int_equal(migrate(f, 0, NEWEST), STORE_OK);
	assert_true(db_open(f->settings.database, &db, &f->why));
	for (s = 0; s < STATEMENT_COUNT; s++) {
		/* With every parameter NULL, what fails must be the values: never the text. */
		why.line[0] = '\0';
		q = db_query(db, (enum statement)s);
		if (db_step(q, &why) == DB_AWAY && strstr(why.line, "constraint failed") == NULL &&
		    strstr(why.line, "datatype mismatch") == NULL)
			fail_msg("%s\n%s", why.line, statement_sql((enum statement)s));
		db_reset(q);
	}
	db_close(db);
}

/* ---- file systems ---- */

static void
network_file_systems_are_known_by_their_numbers(void **state)
{
	static const uint32_t network[] = {
	    0x6969, 0xff534d42, 0xfe534d42, 0x517b, 0x01021997, 0x00c36400};
	/* ext4, xfs, btrfs, tmpfs, overlay, zfs */
	static const uint32_t local[] = {
	    0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		assert_non_null(filesystem_network_name(network[i], NULL));
	for (i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_null(filesystem_network_name(local[i], NULL));
}

static void
fuse_is_local_where_mountinfo_says_so(void **state)
{
	const uint32_t fuse = 0x65735546;

	(void)state;
	assert_string_equal(filesystem_network_name(fuse, "fuse.sshfs"), "fuse.sshfs");
	assert_string_equal(filesystem_network_name(fuse, NULL), "FUSE");
	assert_null(filesystem_network_name(fuse, "fuseblk"));
	assert_null(filesystem_network_name(fuse, "fuse.fuse-overlayfs"));
}

static void
a_local_directory_is_local_and_a_missing_one_is_refused(void **state)
{
	struct store_fixture *f = *state;

	assert_true(filesystem_is_local(f->settings.database, &f->why));
	assert_true(filesystem_is_local("scep.db", &f->why));
	assert_true(filesystem_is_local("/scep.db", &f->why));
	assert_false(filesystem_is_local("/nonexistent/x/scep.db", &f->why));
	assert_non_null(strstr(f->why.line, "/nonexistent/x"));
}

#define FILES(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FILES(migrating_twice_changes_nothing_the_second_time),
	    FILES(a_missing_database_is_refused_and_named_with_the_command),
	    FILES(a_missing_directory_is_refused),
	    FILES(an_empty_database_is_refused_with_the_command),
	    FILES(a_file_that_is_no_database_is_refused_and_left_as_it_was),
	    FILES(a_newer_schema_is_accepted_where_it_says_so_and_refused_otherwise),
	    FILES(a_schema_table_that_is_not_ours_is_refused),
	    FILES(new_files_are_not_for_everybody_whatever_the_umask),
	    FILES(a_narrower_umask_is_kept),
	    FILES(files_that_root_makes_belong_to_the_owner_of_the_directory),
	    FILES(a_symbolic_link_in_place_of_the_lock_file_is_not_followed),
	    FILES(files_are_applied_in_order_and_a_schema_that_is_too_old_is_refused),
	    FILES(a_file_that_fails_leaves_the_database_before_it),
	    FILES(numbers_are_read_from_the_names_of_files),
	    FILES(the_embedded_files_are_numbered_from_one_without_gaps),
	    FILES(versions_are_compared_by_their_numbers),
	    FILES(parameters_stand_in_the_order_of_their_first_use),
	    FILES(every_statement_can_be_prepared),
	    FILES(network_file_systems_are_known_by_their_numbers),
	    FILES(fuse_is_local_where_mountinfo_says_so),
	    FILES(a_local_directory_is_local_and_a_missing_one_is_refused),
	};

	return cmocka_run_group_tests_name("store_schema", tests, NULL, NULL);
}
