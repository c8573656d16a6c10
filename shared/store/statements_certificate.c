/* statements_certificate.c: the statements about certificates: read, renewed, revoked, imported. */
#include <stddef.h>

#include "store/statements.h"

/* What a CRL says of a certificate, and where to go on from it. */
#define REVOKED_COLUMNS "c.id, c.not_after, c.serial, c.revoked_at, c.revocation_reason"

#define REVOKED_OF                                                                                 \
	"c.authority_id = (SELECT a.id FROM authority a WHERE a.uuid = $1) "                       \
	"AND c.revoked_at IS NOT NULL"

#define CERTIFICATE_COLUMNS                                                                        \
	"c.id, c.serial, a.uuid, a.name, s.name, c.status, c.purpose, c.not_before, "              \
	"c.not_after, c.created_at, c.subject, c.san, c.revoked_at, c.revocation_reason, "         \
	"c.predecessor_id, c.successors, w.seat_id, y.name, c.organization, c.department, d.state"

#define CERTIFICATE_TABLES                                                                         \
	"certificate c JOIN authority a ON a.id = c.authority_id "                                 \
	"LEFT JOIN scep_profile s ON s.id = c.scep_profile_id "                                    \
	"LEFT JOIN seat w ON w.id = c.seat_id LEFT JOIN account y ON y.id = c.account_id "         \
	"LEFT JOIN certificate_delivery d ON d.certificate_id = c.id"

/* One step for the certificate and what must still be true of its profile; the joins are written in the order to go. */
#define CERTIFICATE_ENROL(authority)                                                               \
	"INSERT INTO certificate (serial, repeat_key, purpose, status, not_before, not_after, "    \
	"created_at, subject, san, der, predecessor_id, seat_id, account_id, organization, "       \
	"department, authority_id, scep_profile_id, ra_profile_id) "                               \
	"SELECT $1, $2, $3, 'valid', $4, $5, $6, $7, $8, $9, nullif($10, 0), nullif($11, 0), "     \
	"nullif($12, 0), $13, $14, a.id, s.id, r.id "                                              \
	"FROM scep_profile s CROSS JOIN ra_profile r CROSS JOIN authority a "                      \
	"WHERE s.uuid = $15 AND s.enabled = 1 AND ($16 = 0 OR s.challenge_version = $16) "         \
	"AND r.id = s.ra_profile_id AND r.uuid = $17 AND " authority " AND a.uuid = $18 "          \
	"ON CONFLICT DO NOTHING RETURNING id"

/* Does the holder of a repeat key still answer for it? */
#define REPEAT_HOLDS "created_at >= $1 AND not_after >= $2 AND status = 'valid'"

const char *const statements_certificate[STATEMENT_COUNT] = {
    [STATEMENT_CERTIFICATE_ENROL] = CERTIFICATE_ENROL("a.id = r.authority_id"),
    [STATEMENT_CERTIFICATE_ENROL_NEXT] = CERTIFICATE_ENROL("a.predecessor_id = r.authority_id"),
    [STATEMENT_CERTIFICATE_INSERT] =
	"INSERT INTO certificate (serial, repeat_key, purpose, status, not_before, not_after, "
	"created_at, subject, san, der, authority_id) "
	"SELECT $1, $2, $3, 'valid', $4, $5, $6, $7, $8, $9, a.id FROM authority a "
	"WHERE a.uuid = $10 ON CONFLICT DO NOTHING RETURNING id",
    [STATEMENT_CERTIFICATE_REPEAT] =
	"SELECT der, CASE WHEN EXISTS (SELECT 1 FROM certificate_delivery d "
	"WHERE d.certificate_id = certificate.id) THEN 1 ELSE 0 END "
	"FROM certificate WHERE " REPEAT_HOLDS " AND repeat_key = $3",
    [STATEMENT_CERTIFICATE_REPEAT_HOLDER] =
	"SELECT CASE WHEN " REPEAT_HOLDS
	" THEN 1 ELSE 0 END FROM certificate WHERE repeat_key = $3",
    [STATEMENT_CERTIFICATE_REPEAT_CLEAR] =
	"UPDATE certificate SET repeat_key = NULL WHERE repeat_key = $1",
    [STATEMENT_CERTIFICATE_SUCCEED] =
	"UPDATE certificate SET successors = successors + 1 WHERE id = $1 AND status = 'valid' "
	"AND ($2 = 0 OR successors < $2)",

    [STATEMENT_CERTIFICATE_GET] =
	"SELECT " CERTIFICATE_COLUMNS ", c.der FROM " CERTIFICATE_TABLES
	" WHERE c.serial = $1 AND (CAST($2 AS TEXT) IS NULL OR a.uuid = $2 OR a.name = $2) "
	"ORDER BY (a.uuid = $2) DESC, c.id DESC LIMIT 1",
    [STATEMENT_CERTIFICATE_GET_ID] =
	"SELECT " CERTIFICATE_COLUMNS ", c.der FROM " CERTIFICATE_TABLES " WHERE c.id = $1",
    [STATEMENT_CERTIFICATE_LIST] = "SELECT " CERTIFICATE_COLUMNS " FROM " CERTIFICATE_TABLES
				   " WHERE c.id < $1 ORDER BY c.id DESC LIMIT $2",

    [STATEMENT_CERTIFICATE_RENEWABLE] =
	"SELECT c.id, c.status, c.successors, c.not_before, c.not_after, s.uuid, s.lineage, "
	"a.uuid, a.lineage, a.not_after, c.seat_id, w.seat_id, c.account_id, c.organization, "
	"c.department FROM " CERTIFICATE_TABLES
	" WHERE c.serial = $1 AND c.der = $2 ORDER BY c.id LIMIT 1",
    [STATEMENT_CERTIFICATE_BY_SERIAL] =
	"SELECT c.id, c.der FROM certificate c JOIN authority a ON a.id = c.authority_id "
	"WHERE c.serial = $1 AND a.lineage = $2 AND NOT EXISTS (SELECT 1 "
	"FROM certificate_delivery d WHERE d.certificate_id = c.id) ORDER BY c.id DESC LIMIT 1",
    [STATEMENT_CERTIFICATE_DESCENDS] =
	"WITH RECURSIVE line (id, predecessor_id, steps) AS ("
	"SELECT c.id, c.predecessor_id, 0 FROM certificate c WHERE c.id = $1 UNION ALL "
	"SELECT p.id, p.predecessor_id, l.steps + 1 FROM line l "
	"JOIN certificate p ON p.id = l.predecessor_id WHERE l.steps < 64) "
	"SELECT 1 FROM line WHERE id = $2 LIMIT 1",

    /* What is on hold may be revoked for good: its date stays. */
    [STATEMENT_CERTIFICATE_REVOKE] =
	"UPDATE certificate SET status = 'revoked', revoked_at = coalesce(revoked_at, $1), "
	"revocation_reason = $2 "
	"WHERE id = $3 AND (revoked_at IS NULL OR (revocation_reason = 6 AND $2 <> 6))",
    [STATEMENT_CERTIFICATE_UNHOLD] =
	"UPDATE certificate SET status = 'valid', revoked_at = NULL, revocation_reason = NULL "
	"WHERE id = $1 AND revocation_reason = 6",
    [STATEMENT_CERTIFICATE_THERE] = "SELECT 1 FROM certificate WHERE id = $1",
    [STATEMENT_REVOCATIONS_RAISE] = "UPDATE authority SET revocations = revocations + 1 WHERE id = "
				    "(SELECT c.authority_id FROM certificate c WHERE c.id = $1)",
    /* The rest of those that expire at one moment, and those that expire after it: each a range of the index. */
    [STATEMENT_REVOKED_SAME] = "SELECT " REVOKED_COLUMNS " FROM certificate c WHERE " REVOKED_OF
			       " AND c.not_after = $2 AND c.id > $3 ORDER BY c.id LIMIT $4",
    [STATEMENT_REVOKED_AFTER] = "SELECT " REVOKED_COLUMNS " FROM certificate c WHERE " REVOKED_OF
				" AND c.not_after > $2 ORDER BY c.not_after, c.id LIMIT $3",
    [STATEMENT_CERTIFICATE_STATUS] =
	"SELECT c.status, c.revoked_at, c.revocation_reason FROM certificate c "
	"JOIN authority a ON a.id = c.authority_id WHERE c.serial = $1 AND a.uuid = $2",
    [STATEMENT_CERTIFICATE_IMPORT] =
	"INSERT INTO certificate (serial, purpose, status, not_before, not_after, created_at, "
	"revoked_at, revocation_reason, subject, san, der, authority_id, scep_profile_id, "
	"ra_profile_id) "
	"SELECT $1, 'device', $2, $3, $4, $5, nullif($6, 0), CASE WHEN $6 = 0 THEN NULL "
	"ELSE CAST($7 AS BIGINT) END, $8, $9, $10, a.id, s.id, s.ra_profile_id FROM authority a "
	"LEFT JOIN scep_profile s ON s.uuid = $11 "
	"WHERE a.uuid = $12 AND (CAST($11 AS TEXT) IS NULL OR s.id IS NOT NULL) RETURNING id",
};
