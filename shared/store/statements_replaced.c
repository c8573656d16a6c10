/* statements_replaced.c: the statements about certificates that others replace, and about by whom and by what key they are held. */
#include <stddef.h>

#include "store/statements.h"

const char *const statements_replaced[STATEMENT_COUNT] = {
    [STATEMENT_REPLACED_BY_SIGNED] =
	"SELECT c.id FROM certificate c JOIN certificate_replaced r ON r.by_id = c.id "
	"WHERE c.serial = $1 AND c.der = $2 AND r.revoke_at > $3 LIMIT 1",
    [STATEMENT_REPLACED_BY_ASKED] =
	"SELECT c.id FROM certificate c JOIN certificate_replaced r ON r.by_id = c.id "
	"WHERE c.serial = $1 AND c.authority_id = (SELECT a.id FROM authority a WHERE a.uuid = $2) "
	"AND r.revoke_at > $3 LIMIT 1",
    [STATEMENT_REPLACED_HASTEN] =
	"UPDATE certificate_replaced SET revoke_at = $1 WHERE revoke_at > $1 AND by_id = $2",
    [STATEMENT_REPLACED_DUE] =
	"SELECT r.certificate_id, r.by_id, n.status <> 'valid' FROM certificate_replaced r "
	"JOIN certificate n ON n.id = r.by_id WHERE r.revoke_at <= $1 "
	"ORDER BY r.revoke_at LIMIT $2",
    [STATEMENT_REPLACED_FORGET] =
	"DELETE FROM certificate_replaced WHERE certificate_id = $1 AND by_id = $2",
    [STATEMENT_HELD_LIST] =
	"SELECT c.id, coalesce(c.seat_id, 0), c.der FROM certificate c "
	"WHERE c.scep_profile_id IN (SELECT s.id FROM scep_profile s WHERE s.lineage = $1) "
	"AND c.id > $2 AND c.not_after > $3 AND c.status = 'valid' ORDER BY c.id LIMIT $4",
    [STATEMENT_HELD_HOLDER_PUT] =
	"INSERT INTO certificate_holder (holder, certificate_id) VALUES ($1, $2) "
	"ON CONFLICT DO NOTHING",
    [STATEMENT_HELD_KEY_PUT] =
	"INSERT INTO certificate_key (digest, certificate_id) VALUES ($1, $2) "
	"ON CONFLICT DO NOTHING",
    [STATEMENT_SCEP_PROFILE_IN_USE] =
	"SELECT c.id FROM certificate c "
	"WHERE c.scep_profile_id = (SELECT s.id FROM scep_profile s WHERE s.uuid = $1) LIMIT 1",
};
