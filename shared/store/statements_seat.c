/* statements_seat.c: the statements about organizations, seats, and the enrolments that stand against seats. */
#include <stddef.h>

#include "store/statements.h"

#define ORGANIZATION_COLUMNS "o.uuid, o.name, o.license_count, o.seats_in_use, o.created_at"

#define SEAT_COLUMNS                                                                               \
	"x.id, x.uuid, x.seat_id, x.type, x.name, x.email, o.name, x.department, x.in_use, "       \
	"x.created_at"

#define SEAT_TABLES "seat x LEFT JOIN organization o ON o.id = x.organization_id"

/* Where a seat is, and whether the organization that it is to go to is there. */
#define SEAT_PLACE                                                                                 \
	"SELECT x.id, x.in_use, x.organization_id, o.id, x.uuid FROM seat x "                      \
	"LEFT JOIN organization o ON o.name = $1 WHERE "

/* A certificate that keeps its seat in use: what is on hold may come back. */
#define LIVE_OF(seat, time)                                                                        \
	"SELECT 1 FROM certificate c WHERE c.seat_id = " seat " AND c.not_after >= " time " "      \
	"AND (c.revoked_at IS NULL OR c.revocation_reason = 6)"

#define ENROLLMENT_COLUMNS                                                                         \
	"n.id, n.uuid, s.uuid, s.name, x.seat_id, n.code_hash, n.code_weak, n.email, n.status, "   \
	"n.max_uses, n.uses, n.bad_attempts, n.bad_window, n.bad_in_window, n.locked_until, "      \
	"n.created_by, n.created_at, n.expires_at, x.id, o.name, x.department"

#define ENROLLMENT_TABLES                                                                          \
	"enrollment n JOIN scep_profile s ON s.id = n.scep_profile_id "                            \
	"JOIN seat x ON x.id = n.seat_id LEFT JOIN organization o ON o.id = x.organization_id"

#define ENROLLMENT_FILTER "(CAST($2 AS TEXT) IS NULL OR s.uuid = $2)"

/* Open ones of a seat at a profile. */
#define OPEN_OF(seat, profile, now)                                                                \
	"seat_id = (SELECT x.id FROM seat x WHERE x.seat_id = " seat ") "                          \
	"AND scep_profile_id = (SELECT s.id FROM scep_profile s WHERE s.uuid = " profile ") "      \
	"AND status IN ('created', 'pending') AND expires_at > " now " AND locked_until <= " now

/* A window that is over, or began at a time that is still to come, begins anew. */
#define WINDOW_OVER(length, now) "(bad_window + " length " <= " now " OR bad_window > " now ")"

const char *const statements_seat[STATEMENT_COUNT] = {
    [STATEMENT_ORGANIZATION_INSERT] =
	"INSERT INTO organization (uuid, name, license_count, created_at) VALUES ($1, $2, $3, $4)",
    [STATEMENT_ORGANIZATION_UPDATE] =
	"UPDATE organization SET name = $1, license_count = $2 WHERE uuid = $3",
    [STATEMENT_ORGANIZATION_DELETE] =
	"DELETE FROM organization WHERE id = (SELECT o.id FROM organization o WHERE o.uuid = $1 "
	"OR o.name = $1 ORDER BY (o.uuid = $1) DESC LIMIT 1)",
    [STATEMENT_ORGANIZATION_GET] =
	"SELECT " ORGANIZATION_COLUMNS " FROM organization o WHERE o.uuid = $1 OR o.name = $1 "
	"ORDER BY (o.uuid = $1) DESC LIMIT 1",
    [STATEMENT_ORGANIZATION_LIST] =
	"SELECT " ORGANIZATION_COLUMNS " FROM organization o ORDER BY o.name",
    [STATEMENT_ORGANIZATION_TAKE] =
	"UPDATE organization SET seats_in_use = seats_in_use + 1 WHERE id = $1 "
	"AND (license_count = 0 OR seats_in_use < license_count)",
    [STATEMENT_ORGANIZATION_GIVE_BACK] = "UPDATE organization SET seats_in_use = seats_in_use - 1 "
					 "WHERE id = $1 AND seats_in_use > 0",

    [STATEMENT_SEAT_INSERT] =
	"INSERT INTO seat (uuid, seat_id, type, name, email, department, created_at, "
	"organization_id) SELECT $1, $2, $3, $4, $5, $6, $7, o.id FROM (SELECT 1) one "
	"LEFT JOIN organization o ON o.name = $8 WHERE $8 = '' OR o.id IS NOT NULL",
    [STATEMENT_SEAT_PLACE] = SEAT_PLACE "x.uuid = $2",
    [STATEMENT_SEAT_PLACE_BY_SEAT_ID] = SEAT_PLACE "x.seat_id = $2",
    [STATEMENT_SEAT_UPDATE] =
	"UPDATE seat SET seat_id = $1, type = $2, name = $3, email = $4, department = $5, "
	"organization_id = nullif($6, 0) WHERE id = $7",
    [STATEMENT_SEAT_DELETE] = "DELETE FROM seat WHERE id = $1",
    [STATEMENT_SEAT_GET] =
	"SELECT " SEAT_COLUMNS ", x.organization_id FROM " SEAT_TABLES
	" WHERE x.uuid = $1 OR x.seat_id = $1 ORDER BY (x.uuid = $1) DESC LIMIT 1",
    [STATEMENT_SEAT_LIST] =
	"SELECT " SEAT_COLUMNS " FROM " SEAT_TABLES " WHERE x.id > $1 ORDER BY x.id LIMIT $2",
    [STATEMENT_SEAT_LIST_OF] =
	"SELECT " SEAT_COLUMNS " FROM " SEAT_TABLES " WHERE x.id > $1 AND x.organization_id = "
	"(SELECT f.id FROM organization f WHERE f.name = $2) ORDER BY x.id LIMIT $3",
    [STATEMENT_SEAT_TAKE] =
	"UPDATE seat SET in_use = 1 WHERE id = $1 AND in_use = 0 RETURNING organization_id",
    [STATEMENT_SEAT_FREE] =
	"UPDATE seat SET in_use = 0 WHERE id = $1 AND in_use = 1 AND NOT EXISTS (" LIVE_OF(
	    "seat.id", "$2") ") RETURNING organization_id",
    [STATEMENT_SEAT_FREE_OF] =
	"UPDATE seat SET in_use = 0 WHERE id = (SELECT l.seat_id FROM certificate l "
	"WHERE l.id = $1) AND in_use = 1 AND NOT EXISTS (" LIVE_OF(
	    "seat.id", "$2") ") RETURNING organization_id",
    [STATEMENT_SEAT_SWEEP] = "SELECT x.id, CASE WHEN EXISTS (" LIVE_OF(
	"x.id", "$1") ") THEN 1 ELSE 0 END "
		      "FROM seat x WHERE x.id > $2 AND x.in_use = 1 ORDER BY x.id LIMIT $3",

    [STATEMENT_ENROLLMENT_INSERT] =
	"INSERT INTO enrollment (uuid, code_hash, code_weak, email, status, max_uses, created_by, "
	"created_at, expires_at, scep_profile_id, seat_id) "
	"SELECT $1, $2, $3, $4, 'created', $5, $6, $7, $8, s.id, x.id "
	"FROM scep_profile s CROSS JOIN seat x WHERE s.uuid = $9 AND x.seat_id = $10 RETURNING id",
    [STATEMENT_ENROLLMENT_ATTRIBUTE_INSERT] =
	"INSERT INTO enrollment_attribute (enrollment_id, position, type, value) "
	"VALUES ($1, $2, $3, $4)",
    [STATEMENT_ENROLLMENT_ATTRIBUTE_LIST] =
	"SELECT type, value FROM enrollment_attribute WHERE enrollment_id = $1 ORDER BY position",
    [STATEMENT_ENROLLMENT_GET] =
	"SELECT " ENROLLMENT_COLUMNS " FROM " ENROLLMENT_TABLES " WHERE n.uuid = $1",
    [STATEMENT_ENROLLMENT_BY_HASH] =
	"SELECT " ENROLLMENT_COLUMNS " FROM " ENROLLMENT_TABLES " WHERE n.code_hash = $1",
    [STATEMENT_ENROLLMENT_LIST] =
	"SELECT " ENROLLMENT_COLUMNS " FROM " ENROLLMENT_TABLES
	" WHERE n.id < $1 AND " ENROLLMENT_FILTER " ORDER BY n.id DESC LIMIT $3",
    [STATEMENT_ENROLLMENT_LIST_OF] =
	"SELECT " ENROLLMENT_COLUMNS " FROM " ENROLLMENT_TABLES
	" WHERE n.id < $1 AND " ENROLLMENT_FILTER
	" AND n.seat_id = (SELECT f.id FROM seat f WHERE f.seat_id = $3) "
	"ORDER BY n.id DESC LIMIT $4",
    [STATEMENT_ENROLLMENT_REISSUE] =
	"UPDATE enrollment SET code_hash = $1, code_weak = $2, expires_at = $3, uses = 0, "
	"bad_attempts = 0, bad_window = 0, bad_in_window = 0, locked_until = 0, "
	"status = 'created' WHERE uuid = $4",
    [STATEMENT_ENROLLMENT_REJECT] =
	"UPDATE enrollment SET status = 'rejected' WHERE uuid = $1 AND status <> 'redeemed'",
    [STATEMENT_ENROLLMENT_THERE] = "SELECT 1 FROM enrollment WHERE uuid = $1",
    [STATEMENT_ENROLLMENT_DELETE] = "DELETE FROM enrollment WHERE uuid = $1",
    [STATEMENT_ENROLLMENT_STATUS] =
	"UPDATE enrollment SET status = $1 WHERE id = $2 AND status = $3",
    [STATEMENT_ENROLLMENT_STANDING] =
	"SELECT bad_window, bad_in_window FROM enrollment WHERE " OPEN_OF("$1", "$2", "$3"),
    [STATEMENT_ENROLLMENT_COUNTABLE] = "SELECT 1 FROM enrollment WHERE " OPEN_OF(
	"$1", "$2", "$3") " AND (" WINDOW_OVER("$4", "$3") " OR bad_in_window < $5) LIMIT 1",
    /*
     * Each so many in all lock: not each one beyond so many, or one try a lock would lock for good.  Weak codes alone: nobody guesses a strong one, and
     * its lock would serve those who want to keep the device out.
     */
    [STATEMENT_ENROLLMENT_WRONG] =
	"UPDATE enrollment SET bad_attempts = bad_attempts + 1, "
	"bad_in_window = CASE WHEN " WINDOW_OVER(
	    "$1", "$2") " THEN 1 ELSE bad_in_window + 1 END, "
			"bad_window = CASE WHEN " WINDOW_OVER(
			    "$1", "$2") " THEN $2 ELSE bad_window END, "
					"locked_until = CASE WHEN code_weak = 1 AND (bad_attempts "
					"+ 1) % nullif($3, "
					"0) = 0 THEN $2 + $4 "
					"ELSE locked_until END WHERE " OPEN_OF(
					    "$5", "$6", "$2") " AND (" WINDOW_OVER("$1",
					    "$2") " OR bad_in_window < $7) RETURNING locked_until",
};
