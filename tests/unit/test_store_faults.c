#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/transaction.h"
#include "store_fixture.h"

static enum enrolment_conflict what;

static enum store_rc
commit_number(struct store_fixture *f, unsigned number)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, true);
	return store_commit_enrolment(f->store, &x.e, &what, &f->why);
}

static void
assert_commits(struct store_fixture *f, unsigned number)
{
	if (commit_number(f, number) != STORE_OK)
		fail_msg("%s", f->why.line);
}

static void
assert_why(struct store_fixture *f, const char *text)
{
	if (strstr(f->why.line, text) == NULL)
		fail_msg("have \"%s\", want \"%s\"", f->why.line, text);
}

/* Whole, and certificates, uses and events in step. */
static void
assert_intact(struct store_fixture *f, int64_t certificates)
{
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM pragma_integrity_check "
						  "WHERE integrity_check = 'ok'"),
	    1);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate"), certificates);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM challenge_use"), certificates);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM audit_event"), certificates);
}

static void
reopen(struct store_fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	if (store_open(&f->settings, &f->store, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
}

/* ---- locked ---- */

static void
a_writer_that_waits_too_long_for_the_lock_is_away_and_commits_later(void **state)
{
	struct store_fixture *f = *state;
	char path[SETTINGS_TEXT + 16];
	int64_t start;
	int fd;

	f->settings.store_timeout_ms = 200;
	reopen(f);
	snprintf(path, sizeof(path), "%s.lock", f->settings.database);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	start = clock_monotonic_ms();
	assert_int_equal(commit_number(f, 1), STORE_AWAY);
	assert_in_range(clock_monotonic_ms() - start, 199, 1500);
	assert_why(f, "scep.db.lock");
	assert_int_equal(store_health(f->store, &f->why), STORE_AWAY);
	close(fd);
	assert_commits(f, 1);
	assert_int_equal(store_health(f->store, &f->why), STORE_OK);
	assert_intact(f, 1);
}

static void
a_program_that_locks_the_database_itself_makes_writers_wait_and_readers_not(void **state)
{
	struct store_fixture *f = *state;
	int64_t start, version;
	struct db *other;

	f->settings.store_timeout_ms = 200;
	reopen(f);
	assert_true(db_open(f->settings.database, &other, &f->why));
	assert_true(db_begin(other, 0, &f->why));
	start = clock_monotonic_ms();
	assert_int_equal(commit_number(f, 1), STORE_AWAY);
	assert_in_range(clock_monotonic_ms() - start, 150, 1500);
	assert_why(f, "locked by another program");
	assert_int_equal(store_config_version(f->store, &version, &f->why), STORE_OK);
	db_rollback(other);
	assert_commits(f, 1);
	db_close(other);
}

static void
a_store_from_before_the_fork_is_refused(void **state)
{
	struct store_fixture *f = *state;
	int status;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(commit_number(f, 1) == STORE_AWAY &&
			      strstr(f->why.line, "before the fork") != NULL
			  ? 0
			  : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_commits(f, 1);
}

/* ---- killed ---- */

static void
a_process_killed_in_a_transaction_leaves_the_store_whole_and_free(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	int ready[2], status;
	int64_t start;
	char c;
	pid_t pid;

	assert_commits(f, 1);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		if (store_open(&f->settings, &f->store, &f->why) != STORE_OK ||
		    store_write_begin(f->store, &f->why) != STORE_OK ||
		    store_run(db_query(f->store->db, STATEMENT_CONFIG_RAISE), &f->why) !=
			STORE_OK ||
		    store_audit_insert(f->store, &fixture_event, &f->why) != STORE_OK ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	reopen(f);
	kill(pid, SIGKILL);
	start = clock_monotonic_ms();
	fixture_enrolment(&x, 2, true);
	assert_commits(f, 2);
	assert_in_range(clock_monotonic_ms() - start, 0, 2000);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_intact(f, 2);
	assert_int_equal(store_fixture_integer(f, "SELECT version FROM config_version"), 4);
	close(ready[0]);
	close(ready[1]);
}

/* Commit without end; *done counts what was told to be durable. */
static void
commit_until_killed(struct store_fixture *f, unsigned round, volatile unsigned *done)
{
	unsigned i;

	if (store_open(&f->settings, &f->store, &f->why) != STORE_OK)
		_exit(1);
	for (i = 0;; i++) {
		if (commit_number(f, round * 1000000 + i) != STORE_OK)
			_exit(1);
		(*done)++;
	}
}

static void
processes_killed_at_any_moment_lose_nothing_that_was_committed(void **state)
{
	struct store_fixture *f = *state;
	unsigned *done =
	    mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t rows, told;
	int round, status;
	pid_t pid;

	assert_ptr_not_equal(done, MAP_FAILED);
	store_close(f->store);
	f->store = NULL;
	for (round = 1; round <= 20; round++) {
		if ((pid = fork()) == 0)
			commit_until_killed(f, (unsigned)round, done);
		usleep((useconds_t)(20000 + 1777 * round));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	told = *done;
	rows = store_fixture_integer(f, "SELECT count(*) FROM certificate");
	/* A commit may have become durable in the moment before it could be told. */
	assert_in_range(rows, told, told + 20);
	assert_true(told > 20);
	assert_intact(f, rows);
	reopen(f);
	assert_commits(f, 1);
	munmap(done, sizeof(*done));
}

/* ---- the disk ---- */

/* A small file system of its own, in a mount namespace that ends with this program.  false: not root. */
static bool
small_disk(struct store_fixture *f)
{
	memset(f, 0, sizeof(*f));
	store_fixture_directory(f, "/tmp");
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", f->directory, "tmpfs", 0, "size=8m") == 0;
}

static void
small_disk_close(struct store_fixture *f)
{
	char directory[sizeof(f->directory)];

	strcpy(directory, f->directory);
	store_fixture_close(f);
	umount(directory);
	rmdir(directory);
}

static void
fill(struct store_fixture *f, int64_t leave)
{
	static const char zeros[4096];
	char path[SETTINGS_TEXT];
	int fd;

	snprintf(path, sizeof(path), "%s/filler", f->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (store_disk_free(f->store) > leave && write(fd, zeros, sizeof(zeros)) > 0)
		;
	close(fd);
}

static void
empty(struct store_fixture *f)
{
	char path[SETTINGS_TEXT];

	snprintf(path, sizeof(path), "%s/filler", f->directory);
	unlink(path);
}

static void
a_full_disk_makes_the_store_away_until_there_is_space_again(void **state)
{
	struct store_fixture f;
	int away = 0, committed = 0;
	unsigned i;

	(void)state;
	if (!small_disk(&f)) {
		rmdir(f.directory);
		skip();
	}
	store_fixture_open(&f);
	/* With a little more left each time, so that it fails at every step and at last does not. */
	for (i = 0; i < 40; i++) {
		fill(&f, (int64_t)i * 2048);
		if (commit_number(&f, 2 * i) == STORE_OK) {
			committed++;
		} else {
			away++;
			assert_why(&f, "the disk is full: free space");
			assert_why(&f, f.settings.database);
			assert_int_equal(store_health(f.store, &f.why), STORE_AWAY);
		}
		empty(&f);
		assert_commits(&f, 2 * i + 1);
		assert_int_equal(store_health(f.store, &f.why), STORE_OK);
		committed++;
	}
	assert_true(away >= 5);
	assert_intact(&f, committed);
	small_disk_close(&f);
}

static void
a_full_disk_lets_a_checkpoint_fail_and_lose_nothing(void **state)
{
	struct store_fixture f;
	unsigned i;

	(void)state;
	if (!small_disk(&f)) {
		rmdir(f.directory);
		skip();
	}
	store_fixture_open(&f);
	for (i = 0; i < 50; i++)
		assert_commits(&f, i);
	fill(&f, 0);
	assert_int_equal(store_checkpoint(f.store, &f.why), STORE_AWAY);
	assert_why(&f, "free space");
	empty(&f);
	assert_int_equal(store_checkpoint(f.store, &f.why), STORE_OK);
	assert_commits(&f, i);
	assert_intact(&f, 51);
	small_disk_close(&f);
}

static void
a_disk_that_is_read_only_is_refused_until_it_is_not(void **state)
{
	struct store_fixture f;

	(void)state;
	if (!small_disk(&f)) {
		rmdir(f.directory);
		skip();
	}
	store_fixture_open(&f);
	assert_commits(&f, 1);
	store_close(f.store);
	assert_int_equal(mount("tmpfs", f.directory, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(store_open(&f.settings, &f.store, &f.why), STORE_AWAY);
	assert_why(&f, f.settings.database);
	assert_int_equal(mount("tmpfs", f.directory, "tmpfs", MS_REMOUNT, NULL), 0);
	assert_int_equal(store_open(&f.settings, &f.store, &f.why), STORE_OK);
	assert_commits(&f, 2);
	small_disk_close(&f);
}

static bool
no_row(void *ctx, int64_t id, const struct audit_event *e)
{
	(void)ctx;
	(void)id;
	(void)e;
	return true;
}

/* One page overwritten on the disk, as a bad sector might. */
static void
a_damaged_page_is_told_and_a_repaired_one_read_by_the_same_connection(void **state)
{
	struct audit_filter filter = {.limit = 10};
	struct store_fixture *f = *state;
	char page[4096], garbage[4096];
	off_t offset;
	int fd;

	assert_commits(f, 1);
	offset = 4096 * (store_fixture_integer(
			     f, "SELECT rootpage FROM sqlite_schema WHERE name = 'audit_event'") -
			    1);
	/* The last to close copies everything into the file; the new connection has read nothing of it yet. */
	reopen(f);
	memset(garbage, 0xee, sizeof(garbage));
	fd = open(f->settings.database, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, page, sizeof(page), offset), sizeof(page));
	assert_int_equal(pwrite(fd, garbage, sizeof(garbage), offset), sizeof(page));
	assert_int_equal(store_audit_list(f->store, &filter, no_row, NULL, &f->why), STORE_AWAY);
	assert_why(f, "damaged");
	assert_int_equal(commit_number(f, 2), STORE_AWAY);
	assert_why(f, "restore a backup");
	assert_int_equal(pwrite(fd, page, sizeof(page), offset), sizeof(page));
	assert_int_equal(store_audit_list(f->store, &filter, no_row, NULL, &f->why), STORE_OK);
	assert_commits(f, 2);
	close(fd);
	assert_intact(f, 2);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_writer_that_waits_too_long_for_the_lock_is_away_and_commits_later),
	    ROWS(a_program_that_locks_the_database_itself_makes_writers_wait_and_readers_not),
	    ROWS(a_store_from_before_the_fork_is_refused),
	    ROWS(a_process_killed_in_a_transaction_leaves_the_store_whole_and_free),
	    ROWS(processes_killed_at_any_moment_lose_nothing_that_was_committed),
	    cmocka_unit_test(a_full_disk_makes_the_store_away_until_there_is_space_again),
	    cmocka_unit_test(a_full_disk_lets_a_checkpoint_fail_and_lose_nothing),
	    cmocka_unit_test(a_disk_that_is_read_only_is_refused_until_it_is_not),
	    ROWS(a_damaged_page_is_told_and_a_repaired_one_read_by_the_same_connection),
	};

	return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
