/* seat_fixture.h: organizations, seats, enrolments and accounts for tests of the store, named by number. */
#ifndef UNIT_SEAT_FIXTURE_H
#define UNIT_SEAT_FIXTURE_H

#include "store/account_row.h"
#include "store/seat_row.h"
#include "store_fixture.h"

struct organization_row fixture_organization(unsigned number, const char *name, int64_t licenses);
/* seatId "seat-NUMBER". */
struct seat_row fixture_seat(unsigned number, const char *organization);
/* A code of the seat under the profile "demo", with one attribute; its hash is the challenge_id of fixture_enrolment(number). */
struct enrollment_row fixture_enrollment(unsigned number, unsigned seat, int64_t max_uses);
struct account_row fixture_account(unsigned number, const char *organization);

/* Likewise, put into the store; each has the row of its number where numbers begin with 1. */
void fixture_insert_organization(
    struct store_fixture *f, unsigned number, const char *name, int64_t licenses);
void fixture_insert_seat(struct store_fixture *f, unsigned number, const char *organization);
void fixture_insert_enrollment(
    struct store_fixture *f, unsigned number, unsigned seat, int64_t max_uses);
void fixture_insert_account(struct store_fixture *f, unsigned number, const char *organization);

/* How many seats of the organization are in use. */
int64_t fixture_in_use(struct store_fixture *f, const char *organization);

/* Commit enrolment x, and see that it has this conflict, or none. */
void fixture_commit(
    struct store_fixture *f, struct fixture_enrolment *x, enum enrolment_conflict want);
/* Enrolment number, without a challenge, for the seat of that row. */
void fixture_enrol_seat(
    struct store_fixture *f, unsigned number, int64_t seat_row, enum enrolment_conflict want);

#endif
