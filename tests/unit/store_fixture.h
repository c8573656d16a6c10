/* store_fixture.h: a database of its own for a test, with an authority, an RA profile and a SCEP profile in it. */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

#include "base/settings.h"
#include "store/certificate_row.h"
#include "store/profile_row.h"
#include "store/store.h"

#define FIXTURE_AUTHORITY      "0a0a0a0a-0000-4000-8000-000000000001"
#define FIXTURE_RA_PROFILE     "0b0b0b0b-0000-4000-8000-000000000001"
#define FIXTURE_RA_CERTIFICATE "0c0c0c0c-0000-4000-8000-000000000001"
#define FIXTURE_SCEP_PROFILE   "0d0d0d0d-0000-4000-8000-000000000001"

#define FIXTURE_NOW	       1800000000

struct store_fixture {
	char directory[64];
	struct settings settings; /* database and store_timeout_ms alone */
	struct store *store;
	struct errbuf why;
};

/* An empty directory and settings that name a database in it. */
void store_fixture_directory(struct store_fixture *f, const char *parent);
/* The same, migrated and opened, with the rows above; the profile "demo" is enabled. */
void store_fixture_open(struct store_fixture *f);
/* For setup and teardown of cmocka: *state is a struct store_fixture. */
int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);
/* Close and remove everything. */
void store_fixture_close(struct store_fixture *f);

/* The rows that are there. */
struct authority_row fixture_authority(void);
struct ra_profile_row fixture_ra_profile(void);
struct ra_certificate_row fixture_ra_certificate(void);
struct scep_profile_row fixture_scep_profile(void);
extern const struct audit_event fixture_event;
/* An event with every text set, each to something else, with all that JSON must escape. */
struct audit_event fixture_full_event(void);
void fixture_same_event(const struct audit_event *a, const struct audit_event *b);

/* An enrolment with octets made from number: serial, repeat key and (with challenge) a one-time challenge; NULL-free. */
struct fixture_enrolment {
	uint8_t serial[16];
	uint8_t repeat_key[32];
	uint8_t challenge_id[32];
	uint8_t der[1000];
	struct enrolment e;
};
void fixture_enrolment(struct fixture_enrolment *out, unsigned number, bool challenge);

/* Change the database behind the store's back. */
void store_fixture_script(struct store_fixture *f, const char *sql);
/* The first column of the first row of a query, as an integer. */
int64_t store_fixture_integer(struct store_fixture *f, const char *sql);

#endif
