/* statements_account.c: the statements about accounts, and about whom we call: Intune and webhooks. */
#include <stddef.h>

#include "store/statements.h"

#define ACCOUNT_COLUMNS                                                                            \
	"x.id, x.uuid, s.uuid, x.name, x.secret_hash, o.name, x.department, x.enabled, "           \
	"x.created_at, x.expires_at"

#define ACCOUNT_TABLES                                                                             \
	"account x JOIN scep_profile s ON s.id = x.scep_profile_id "                               \
	"LEFT JOIN organization o ON o.id = x.organization_id"

#define INTUNE_COLUMNS                                                                             \
	"i.uuid, i.name, i.tenant, i.client_id, i.sealed_key, i.revocations, i.revocations_at, "   \
	"i.created_at"

#define WEBHOOK_COLUMNS                                                                            \
	"w.uuid, s.uuid, w.kind, w.name, w.url, w.authentication, w.sealed_secret, "               \
	"w.sealed_credential, w.ca_file, w.allow_private, w.timeout_ms, w.enabled, w.created_at"

#define WEBHOOK_TABLES "webhook w JOIN scep_profile s ON s.id = w.scep_profile_id"

const char *const statements_account[STATEMENT_COUNT] = {
    [STATEMENT_ACCOUNT_INSERT] =
	"INSERT INTO account (uuid, name, secret_hash, department, enabled, created_at, "
	"expires_at, scep_profile_id, organization_id) "
	"SELECT $1, $2, $3, $4, $5, $6, $7, s.id, o.id FROM scep_profile s "
	"LEFT JOIN organization o ON o.name = $8 WHERE ($8 = '' OR o.id IS NOT NULL) "
	"AND s.uuid = $9",
    [STATEMENT_ACCOUNT_UPDATE] =
	"UPDATE account SET name = $1, secret_hash = $2, department = $3, enabled = $4, "
	"expires_at = $5, organization_id = o.id FROM (SELECT 1) one "
	"LEFT JOIN organization o ON o.name = $6 WHERE ($6 = '' OR o.id IS NOT NULL) "
	"AND account.uuid = $7",
    [STATEMENT_ACCOUNT_DISABLE] = "UPDATE account SET enabled = 0 WHERE uuid = $1",
    [STATEMENT_ACCOUNT_DETACH] =
	"UPDATE certificate SET account_id = NULL WHERE id IN (SELECT c.id FROM certificate c "
	"JOIN account x ON x.id = c.account_id WHERE x.uuid = $1 LIMIT 500)",
    [STATEMENT_ACCOUNT_DELETE] = "DELETE FROM account WHERE uuid = $1",
    [STATEMENT_ACCOUNT_GET] =
	"SELECT " ACCOUNT_COLUMNS " FROM " ACCOUNT_TABLES
	" WHERE s.uuid = $1 AND (x.uuid = $2 OR x.name = $2) ORDER BY (x.uuid = $2) DESC LIMIT 1",
    [STATEMENT_ACCOUNT_GET_ROW] =
	"SELECT " ACCOUNT_COLUMNS " FROM " ACCOUNT_TABLES " WHERE x.id = $1",
    [STATEMENT_ACCOUNT_BY_HASH] =
	"SELECT " ACCOUNT_COLUMNS " FROM " ACCOUNT_TABLES " WHERE x.secret_hash = $1",
    [STATEMENT_ACCOUNT_LIST] =
	"SELECT " ACCOUNT_COLUMNS " FROM " ACCOUNT_TABLES " WHERE s.uuid = $1 ORDER BY x.name",
    [STATEMENT_ACCOUNT_COUNT] =
	"SELECT count(*) FROM account x JOIN scep_profile s ON s.id = x.scep_profile_id "
	"WHERE s.uuid = $1",

    [STATEMENT_INTUNE_INSERT] =
	"INSERT INTO intune (uuid, name, tenant, client_id, sealed_key, revocations, created_at) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [STATEMENT_INTUNE_UPDATE] =
	"UPDATE intune SET name = $1, tenant = $2, client_id = $3, sealed_key = $4, "
	"revocations = $5 WHERE uuid = $6",
    [STATEMENT_INTUNE_DELETE] =
	"DELETE FROM intune WHERE id = (SELECT i.id FROM intune i WHERE i.uuid = $1 "
	"OR i.name = $1 ORDER BY (i.uuid = $1) DESC LIMIT 1)",
    [STATEMENT_INTUNE_GET] =
	"SELECT " INTUNE_COLUMNS " FROM intune i WHERE i.uuid = $1 OR i.name = $1 "
	"ORDER BY (i.uuid = $1) DESC LIMIT 1",
    [STATEMENT_INTUNE_LIST] = "SELECT " INTUNE_COLUMNS " FROM intune i ORDER BY i.name",
    [STATEMENT_INTUNE_REVOCATIONS_AT] = "UPDATE intune SET revocations_at = $1 WHERE uuid = $2",

    [STATEMENT_WEBHOOK_INSERT] =
	"INSERT INTO webhook (uuid, kind, name, url, authentication, sealed_secret, "
	"sealed_credential, ca_file, allow_private, timeout_ms, enabled, created_at, "
	"scep_profile_id) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, s.id "
	"FROM scep_profile s WHERE s.uuid = $13 "
	"AND (SELECT count(*) FROM webhook w WHERE w.scep_profile_id = s.id) < $14",
    [STATEMENT_WEBHOOK_UPDATE] =
	"UPDATE webhook SET kind = $1, name = $2, url = $3, authentication = $4, "
	"sealed_secret = $5, sealed_credential = $6, ca_file = $7, allow_private = $8, "
	"timeout_ms = $9, enabled = $10 WHERE uuid = $11",
    [STATEMENT_WEBHOOK_DELETE] = "DELETE FROM webhook WHERE uuid = $1",
    [STATEMENT_WEBHOOK_GET] =
	"SELECT " WEBHOOK_COLUMNS " FROM " WEBHOOK_TABLES
	" WHERE s.uuid = $1 AND (w.uuid = $2 OR w.name = $2) ORDER BY (w.uuid = $2) DESC LIMIT 1",
    [STATEMENT_WEBHOOK_LIST] =
	"SELECT " WEBHOOK_COLUMNS " FROM " WEBHOOK_TABLES " WHERE s.uuid = $1 ORDER BY w.name",
    [STATEMENT_PROFILE_THERE] = "SELECT 1 FROM scep_profile WHERE uuid = $1",
};
