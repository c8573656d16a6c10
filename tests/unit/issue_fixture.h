/* issue_fixture.h: an installation that issues by its profile's rules, and a clock that moves: each test program its own. */
#ifndef UNIT_ISSUE_FIXTURE_H
#define UNIT_ISSUE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi-admin/manage/records.h"
#include "fcgi-admin/manage/replaced.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

#define DAY   86400
#define GRACE 3600

static struct rooms rooms;
static uint8_t next_request = 1;
static struct issue_result result;
static struct field_value manual[2];
static int manual_count;
static int64_t predecessor_id;

/* Seconds that the clock is ahead; the file is opened at the first look at the clock. */
static inline void
clock_move(long seconds)
{
	static char path[64];
	FILE *f;

	if (path[0] == '\0') {
		int fd;

		snprintf(path, sizeof(path), "/tmp/scep-clock-XXXXXX");
		fd = mkstemp(path);
		assert_true(fd >= 0);
		close(fd);
		setenv("SCEP_TEST_CLOCK", path, 1);
	}
	assert_non_null(f = fopen(path, "w"));
	fprintf(f, "%ld\n", seconds);
	fclose(f);
}

static inline int
setup(void **state)
{
	clock_move(0);
	(void)state;
	rooms_open(&rooms, false);
	manual_count = 0;
	predecessor_id = 0;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	issue_result_free(&result);
	memset(&result, 0, sizeof(result));
	rooms_close(&rooms);
	return 0;
}

/* Issue for a CSR, which is freed. */
static inline enum issue_rc
issue_csr(struct csr csr)
{
	uint8_t repeat_key[32];
	struct issue_order order =
	    rooms_order(&rooms, &csr, next_request++, repeat_key, clock_now());
	enum issue_rc rc;

	order.manual = manual;
	order.manual_count = manual_count;
	order.predecessor_id = predecessor_id;
	issue_result_free(&result);
	memset(&rooms.why, 0, sizeof(rooms.why));
	rc = issue_certificate(rooms.manage.store, &order, &result, &rooms.why);
	csr_free(&csr);
	return rc;
}

static inline enum issue_rc
issue_for(EVP_PKEY *key, const char *subject)
{
	return issue_csr(rooms_csr(key, subject, ROOMS_CHALLENGE));
}

static inline void
must_issue(EVP_PKEY *key, const char *subject)
{
	if (issue_for(key, subject) != ISSUE_DONE)
		fail_msg("%s: %s", subject, rooms.why.line);
}

static inline void
must_refuse(EVP_PKEY *key, const char *subject, const char *text)
{
	assert_int_equal(issue_for(key, subject), ISSUE_REFUSED);
	assert_int_equal(result.fail_info, SCEP_BAD_REQUEST);
	assert_string_equal(result.text.line, text);
	assert_int_equal(result.certificate.len > 0 && result.text.line[0] == '\0', 0);
}

static inline int64_t
row_of(const char *serial, struct certificate_row *row)
{
	struct manage_report r = {0};
	struct certificate_row found;

	assert_int_equal(
	    manage_certificate_get(&rooms.manage, serial, NULL, &found, NULL, &r), MANAGE_OK);
	if (row != NULL)
		*row = found;
	return found.id;
}

static inline bool
is_revoked(const char *serial)
{
	struct certificate_row row;

	row_of(serial, &row);
	return strcmp(row.status, "revoked") == 0;
}

static inline void
set_policy(const char *duplicates, int unique_keys)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	c.duplicates = duplicates;
	c.duplicate_grace_s = GRACE;
	c.unique_keys = unique_keys;
	rooms_set(&rooms, &c);
}

static inline int
sweep(void)
{
	struct manage_report r = {0};
	int ended;

	assert_int_equal(manage_replaced_sweep(&rooms.manage, &ended, &r), MANAGE_OK);
	return ended;
}

#endif
