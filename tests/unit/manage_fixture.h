/* manage_fixture.h: an installation of a test's own: a directory, settings that name it, and a context for the verbs. */
#ifndef TESTS_MANAGE_FIXTURE_H
#define TESTS_MANAGE_FIXTURE_H

#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/manage.h"
#include "fcgi-admin/manage/profile.h"

struct manage_fixture {
	char directory[64];
	struct settings settings;
	struct manage manage;
	struct manage_actor actor; /* "scepctl:test" */
	struct manage_report report;
};

/* For setup and teardown of cmocka: *state is a struct manage_fixture.  The bare one has a directory and no more; the other is initialised. */
int manage_fixture_bare(void **state);
int manage_fixture_setup(void **state);
int manage_fixture_teardown(void **state);

/* A report that holds nothing of the call before. */
struct manage_report *manage_fixture_report(struct manage_fixture *f);
/* Does the report name this field? */
bool manage_fixture_faults(const struct manage_fixture *f, const char *name);

/* A CA "test-ca" with an EC key. */
void manage_fixture_authority(struct manage_fixture *f);
/* A profile under it: dynamic, or with this static challenge. */
void manage_fixture_profile(struct manage_fixture *f, const char *name, const char *challenge);

/* Keys of CAs and RAs in the key directory: those of OCSP responders do not count. */
int manage_fixture_keys(const struct manage_fixture *f);
/* The newest audit row's action and reason, "ACTION: REASON". */
const char *manage_fixture_event(struct manage_fixture *f);
/* The same for the newest row of an action; "" where there is none. */
const char *manage_fixture_event_of(struct manage_fixture *f, const char *action);

#endif
