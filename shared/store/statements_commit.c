/*
 * statements_commit.c: the statements about what hangs on a certificate: uses of challenges and codes, holders, keys, what it replaces, and whom it
 * must be told to.
 */
#include <stddef.h>

#include "store/statements.h"

/* The certificates of a holder that are valid. */
#define VALID_OF(holder, time)                                                                     \
	"certificate_holder h JOIN certificate c ON c.id = h.certificate_id WHERE h.holder "       \
	"= " holder " AND c.status = 'valid' AND c.not_after >= " time

#define DELIVERY_COLUMNS                                                                           \
	"d.certificate_id, d.state, d.by, s.name, d.transaction_id, d.csr, c.der, d.created_at"

#define DELIVERY_TABLES                                                                            \
	"certificate_delivery d JOIN certificate c ON c.id = d.certificate_id "                    \
	"LEFT JOIN scep_profile s ON s.id = c.scep_profile_id"

const char *const statements_commit[STATEMENT_COUNT] = {
    [STATEMENT_CHALLENGE_USE] = "INSERT INTO challenge_use (challenge_id, use, certificate_id) "
				"VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    /* Uses that were given back have negative numbers. */
    [STATEMENT_CHALLENGE_USED] =
	"SELECT 1 FROM challenge_use WHERE challenge_id = $1 AND use >= 0 LIMIT 1",
    [STATEMENT_CHALLENGE_LAST_USE] =
	"SELECT u.certificate_id, c.successors FROM challenge_use u "
	"JOIN certificate c ON c.id = u.certificate_id WHERE u.challenge_id = $1 AND u.use >= 0 "
	"ORDER BY u.use DESC LIMIT 1",
    [STATEMENT_CHALLENGE_OF_CERTIFICATE] =
	"SELECT challenge_id FROM challenge_use WHERE certificate_id = $1 AND use >= 0 LIMIT 1",
    [STATEMENT_CHALLENGE_USE_OF] =
	"SELECT use FROM challenge_use WHERE challenge_id = $1 AND certificate_id = $2 "
	"AND use >= 0",
    [STATEMENT_CHALLENGE_USES] =
	"SELECT min(use), max(use) FROM challenge_use WHERE challenge_id = $1",
    [STATEMENT_CHALLENGE_USE_MOVE] =
	"UPDATE challenge_use SET use = $1 WHERE challenge_id = $2 AND use = $3",
    [STATEMENT_CODE_USE] =
	"UPDATE enrollment SET uses = uses + 1, status = CASE WHEN uses + 1 >= max_uses "
	"THEN 'redeemed' WHEN $1 = 1 THEN 'created' ELSE status END "
	"WHERE id = $2 AND code_hash = $3 AND uses < max_uses "
	"AND status IN ('created', 'pending') "
	"AND ($1 = 1 OR (expires_at > $4 AND locked_until <= $4)) RETURNING uses - 1",
    [STATEMENT_CODE_USE_BACK] =
	"UPDATE enrollment SET uses = uses - 1, "
	"status = CASE WHEN status = 'redeemed' THEN 'created' ELSE status END "
	"WHERE code_hash = $1 AND uses > 0",
    [STATEMENT_ACCOUNT_VALID] = "SELECT 1 FROM account WHERE id = $1 AND enabled = 1 "
				"AND (expires_at = 0 OR expires_at > $2)",
    [STATEMENT_SEAT_THERE] = "SELECT 1 FROM seat WHERE id = $1",
    [STATEMENT_ACCOUNT_THERE] = "SELECT 1 FROM account WHERE id = $1",

    /* From the newest on: what is valid is among them. */
    [STATEMENT_HOLDER_VALID] =
	"SELECT 1 FROM " VALID_OF("$1", "$2") " ORDER BY h.certificate_id DESC LIMIT 1",
    [STATEMENT_REPLACED_INSERT] =
	"INSERT INTO certificate_replaced (certificate_id, by_id, revoke_at) "
	"SELECT c.id, $1, $2 FROM " VALID_OF("$3", "$4") " AND c.id <> $1",
    [STATEMENT_REPLACED_END] =
	"DELETE FROM certificate_replaced WHERE certificate_id = $1 OR by_id = $1",
    /* Another subject: or no subject, and other names. */
    [STATEMENT_KEY_TAKEN] =
	"SELECT 1 FROM certificate n JOIN certificate_key k ON k.digest = $1 "
	"JOIN certificate c ON c.id = k.certificate_id WHERE n.id = $2 AND c.status = 'valid' "
	"AND c.not_after >= $3 AND (c.subject <> n.subject "
	"OR (n.subject = '' AND c.san IS DISTINCT FROM n.san)) LIMIT 1",

    [STATEMENT_DELIVERY_INSERT] =
	"INSERT INTO certificate_delivery (certificate_id, state, by, transaction_id, csr, "
	"challenge_id, created_at) VALUES ($1, 'issued', $2, $3, $4, $5, $6)",
    [STATEMENT_DELIVERY_GET] =
	"SELECT " DELIVERY_COLUMNS " FROM " DELIVERY_TABLES " WHERE c.repeat_key = $1",
    [STATEMENT_DELIVERY_DONE] =
	"DELETE FROM certificate_delivery WHERE certificate_id = $1 AND state = 'issued'",
    [STATEMENT_DELIVERY_FAIL] =
	"UPDATE certificate_delivery SET state = 'failed', csr = substr(csr, 1, 0) "
	"WHERE certificate_id = $1 "
	"AND state = 'issued' RETURNING challenge_id",
    [STATEMENT_DELIVERY_LIST] =
	"SELECT " DELIVERY_COLUMNS " FROM " DELIVERY_TABLES " WHERE d.state = 'issued' "
	"AND d.created_at < $1 ORDER BY d.created_at LIMIT $2",
};
