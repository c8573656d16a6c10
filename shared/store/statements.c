#include <stddef.h>

#include "store/statements.h"

/* The same order wherever rows of one kind are read: the readers count columns. */
#define AUTHORITY_COLUMNS                                                                          \
	"a.uuid, a.name, a.state, a.key_file, a.crl_url, a.not_after, a.created_at, "              \
	"a.certificate, a.chain, a.request, a.lineage, p.uuid, a.ocsp_url, a.revocations"

#define AUTHORITY_TABLES "authority a LEFT JOIN authority p ON p.id = a.predecessor_id"

#define RA_CERTIFICATE_COLUMNS                                                                     \
	"c.uuid, a.uuid, c.key_file, c.not_after, c.created_at, c.certificate"

#define RA_PROFILE_COLUMNS                                                                         \
	"r.id, r.uuid, r.name, a.uuid, r.validity_days, r.key_usage, r.eku, r.refuse_extra, "      \
	"r.refuse_extensions, r.min_rsa_bits, r.max_rsa_bits, r.created_at, r.curves, "            \
	"r.not_after, r.microsoft_sid, r.microsoft_template"

#define SCEP_PROFILE_COLUMNS                                                                       \
	"s.uuid, s.name, s.description, s.enabled, r.uuid, c.uuid, s.version, "                    \
	"s.challenge_version, s.challenge_mode, s.challenge_hash, s.challenge_weak, "              \
	"s.challenge_expiry_s, s.max_pending, s.digests, s.ciphers, s.require_signer_key, "        \
	"s.include_ca_in_get_ca_cert, s.include_ca_certificate, s.include_ca_chain, "              \
	"s.replay_hours, s.created_at, s.lineage, s.approval, s.transaction_expiry_s, "            \
	"s.max_transactions, s.certificate_renewal, s.same_key_renewal, "                          \
	"s.renewal_threshold_days, s.max_successors, s.challenge_length, s.seat_field, i.uuid, "   \
	"s.duplicates, s.duplicate_grace_s, s.unique_keys, s.limit_address, s.limit_profile, "     \
	"s.limit_account, s.limit_seat"

#define SCEP_PROFILE_TABLES                                                                        \
	"scep_profile s JOIN ra_profile r ON r.id = s.ra_profile_id "                              \
	"JOIN ra_certificate c ON c.id = s.ra_certificate_id "                                     \
	"LEFT JOIN intune i ON i.id = s.intune_id"

/* What lists show of a transaction, and the rest. */
#define TRANSACTION_COLUMNS                                                                        \
	"t.key, t.uuid, s.uuid, s.name, t.status, t.created_at, t.expires_at, t.decided_at, "      \
	"t.decided_by, t.reason, t.fail_info, t.address, t.transaction_id, t.message_type, "       \
	"t.method, t.subject, t.key_type, c.serial"

#define TRANSACTION_REST                                                                           \
	", t.csr, t.signer, t.repeat_key, t.challenge_id, t.predecessor, t.sealed_password, "      \
	"c.der, "                                                                                  \
	"t.enrollment_id, t.account_id, CASE WHEN EXISTS (SELECT 1 FROM certificate_delivery d "   \
	"WHERE d.certificate_id = t.certificate_id) THEN 1 ELSE 0 END"

#define TRANSACTION_TABLES                                                                         \
	"scep_transaction t JOIN scep_profile s ON s.id = t.scep_profile_id "                      \
	"LEFT JOIN certificate c ON c.id = t.certificate_id"

/* Next RA certificates that a switch makes current: of one profile, or of those that issue by the authority it is under. */
#define SWITCHED(authority, profile, uuid)                                                         \
	"((" authority " = '' AND " uuid " = " profile " AND a.state <> 'next') "                  \
	"OR (a.uuid = " authority " AND a.id = r.authority_id))"

#define TOKEN_COLUMNS                                                                              \
	"uuid, name, hash, role, profiles, created_at, expires_at, last_used_at, revoked"

#define AUDIT_COLUMNS                                                                              \
	"time_ms, count, event_id, actor, address, action, resource_type, resource_id, profile, "  \
	"outcome, transaction_id, message_type, fail_info, reason, stage, serial, subject, "       \
	"digest, cipher, key_type, transport, request_id, organization, department"

#define AUDIT_FILTER                                                                               \
	"($3 = 0 OR outcome IN ('refused', 'failed')) "                                            \
	"AND (CAST($4 AS TEXT) IS NULL OR profile = $4) "                                          \
	"AND (CAST($5 AS TEXT) IS NULL OR transaction_id = $5)"

static const char *const statements[STATEMENT_COUNT] = {
    [STATEMENT_SCHEMA] = "SELECT number, oldest_program FROM schema",
    [STATEMENT_CONFIG_VERSION] = "SELECT version FROM config_version",
    [STATEMENT_CONFIG_RAISE] = "UPDATE config_version SET version = version + 1",
    [STATEMENT_HEALTH] = "UPDATE health SET checks = checks + 1",
    [STATEMENT_CHECK_VALUE] = "SELECT value FROM check_value WHERE name = $1",
    [STATEMENT_CHECK_VALUE_SET] = "INSERT INTO check_value (name, value) VALUES ($1, $2) "
				  "ON CONFLICT DO NOTHING",
    [STATEMENT_LEASE_TAKE] =
	"INSERT INTO lease (name, holder, ends_at) VALUES ($1, $2, $3) "
	"ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at "
	"WHERE lease.holder = excluded.holder OR lease.ends_at <= $4 "
	"OR lease.ends_at > excluded.ends_at + 3600",
    [STATEMENT_LEASE_RELEASE] = "DELETE FROM lease WHERE name = $1 AND holder = $2",

    [STATEMENT_AUTHORITY_INSERT] =
	"INSERT INTO authority (uuid, name, state, key_file, crl_url, not_after, created_at, "
	"certificate, chain, request, lineage, ocsp_url, predecessor_id) "
	"SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, p.id "
	"FROM (SELECT 1) one LEFT JOIN authority p ON p.uuid = $13 "
	"WHERE $13 = '' OR p.id IS NOT NULL",
    [STATEMENT_AUTHORITY_GET] =
	"SELECT " AUTHORITY_COLUMNS " FROM " AUTHORITY_TABLES
	" WHERE a.uuid = $1 OR a.name = $1 ORDER BY (a.uuid = $1) DESC LIMIT 1",
    [STATEMENT_AUTHORITY_LIST] =
	"SELECT " AUTHORITY_COLUMNS " FROM " AUTHORITY_TABLES " ORDER BY a.id",
    [STATEMENT_AUTHORITY_ACTIVATE] =
	"UPDATE authority SET state = 'active', certificate = $1, chain = $2, not_after = $3, "
	"request = NULL WHERE uuid = $4 AND state = 'pending'",
    [STATEMENT_AUTHORITY_URLS] = "UPDATE authority SET crl_url = $1, ocsp_url = $2 WHERE uuid = $3",
    [STATEMENT_RA_CERTIFICATE_INSERT] =
	"INSERT INTO ra_certificate (uuid, authority_id, key_file, not_after, created_at, "
	"certificate) SELECT $1, a.id, $2, $3, $4, $5 FROM authority a WHERE a.uuid = $6",
    [STATEMENT_RA_CERTIFICATE_GET] = "SELECT " RA_CERTIFICATE_COLUMNS " FROM ra_certificate c "
				     "JOIN authority a ON a.id = c.authority_id WHERE c.uuid = $1",
    [STATEMENT_RA_CERTIFICATE_LIST] = "SELECT " RA_CERTIFICATE_COLUMNS " FROM ra_certificate c "
				      "JOIN authority a ON a.id = c.authority_id ORDER BY c.id",
    [STATEMENT_RA_CERTIFICATE_DELETE_UNUSED] =
	"DELETE FROM ra_certificate WHERE uuid = $1 AND NOT EXISTS "
	"(SELECT 1 FROM scep_profile s WHERE s.ra_certificate_id = ra_certificate.id) "
	"AND NOT EXISTS "
	"(SELECT 1 FROM scep_profile_ra x WHERE x.ra_certificate_id = ra_certificate.id)",
    [STATEMENT_RA_CERTIFICATE_DELETE_UNUSED_ID] =
	"DELETE FROM ra_certificate WHERE id = $1 AND NOT EXISTS "
	"(SELECT 1 FROM scep_profile s WHERE s.ra_certificate_id = ra_certificate.id) "
	"AND NOT EXISTS "
	"(SELECT 1 FROM scep_profile_ra x WHERE x.ra_certificate_id = ra_certificate.id)",

    [STATEMENT_AUTHORITY_NEXT] = "SELECT " AUTHORITY_COLUMNS " FROM " AUTHORITY_TABLES
				 " WHERE p.uuid = $1 AND a.state = 'next'",
    [STATEMENT_AUTHORITY_NEXT_ACTIVATE] =
	"UPDATE authority SET state = 'active' WHERE uuid = $1 AND state = 'next'",
    [STATEMENT_AUTHORITY_NEXT_DELETE] = "DELETE FROM authority WHERE uuid = $1 AND state = 'next'",
    [STATEMENT_AUTHORITY_RETIRE] = "UPDATE authority SET state = 'retired' WHERE id = "
				   "(SELECT n.predecessor_id FROM authority n WHERE n.uuid = $1)",
    [STATEMENT_RA_PROFILE_SUCCEED] =
	"UPDATE ra_profile SET authority_id = n.id FROM authority n "
	"WHERE n.uuid = $1 AND ra_profile.authority_id = n.predecessor_id",
    [STATEMENT_RA_CERTIFICATE_DELETE_OF] =
	"DELETE FROM ra_certificate WHERE authority_id = "
	"(SELECT n.id FROM authority n WHERE n.uuid = $1 AND n.state = 'next')",
    [STATEMENT_OCSP_RESPONDER_DELETE_OF] =
	"DELETE FROM ocsp_responder WHERE authority_id = "
	"(SELECT n.id FROM authority n WHERE n.uuid = $1 AND n.state = 'next')",
    [STATEMENT_CRL_DELETE_OF] =
	"DELETE FROM crl WHERE authority_id = "
	"(SELECT n.id FROM authority n WHERE n.uuid = $1 AND n.state = 'next')",
    [STATEMENT_PROFILE_RA_LIST] =
	"SELECT " RA_CERTIFICATE_COLUMNS ", x.role, x.until FROM scep_profile_ra x "
	"JOIN scep_profile s ON s.id = x.scep_profile_id "
	"JOIN ra_certificate c ON c.id = x.ra_certificate_id "
	"JOIN authority a ON a.id = c.authority_id "
	"WHERE s.uuid = $1 AND (x.role = 'next' OR x.until > $2) ORDER BY x.role, c.id DESC",
    [STATEMENT_PROFILE_RA_NEXT_INSERT] =
	"INSERT INTO scep_profile_ra (scep_profile_id, ra_certificate_id, role, until) "
	"SELECT s.id, c.id, 'next', 0 FROM scep_profile s CROSS JOIN ra_certificate c "
	"WHERE s.uuid = $1 AND c.uuid = $2 AND NOT EXISTS (SELECT 1 FROM scep_profile_ra x "
	"WHERE x.scep_profile_id = s.id AND x.role = 'next')",
    [STATEMENT_PROFILE_RA_NEXT_TAKE] =
	"DELETE FROM scep_profile_ra WHERE role = 'next' AND scep_profile_id = "
	"(SELECT s.id FROM scep_profile s WHERE s.uuid = $1) AND ra_certificate_id IN "
	"(SELECT c.id FROM ra_certificate c JOIN authority a ON a.id = c.authority_id "
	"WHERE a.state <> 'next') RETURNING ra_certificate_id",
    [STATEMENT_PROFILE_RA_NEXT_DELETE] =
	"DELETE FROM scep_profile_ra WHERE role = 'next' AND ra_certificate_id IN "
	"(SELECT c.id FROM ra_certificate c JOIN authority a ON a.id = c.authority_id "
	"WHERE $1 = '' OR a.uuid = $1) AND scep_profile_id IN "
	"(SELECT s.id FROM scep_profile s WHERE $2 = '' OR s.uuid = $2)",
    [STATEMENT_PROFILE_RA_PREVIOUS] =
	"INSERT INTO scep_profile_ra (scep_profile_id, ra_certificate_id, role, until) "
	"SELECT s.id, s.ra_certificate_id, 'previous', $1 FROM scep_profile s "
	"JOIN scep_profile_ra n ON n.scep_profile_id = s.id AND n.role = 'next' "
	"JOIN ra_certificate c ON c.id = n.ra_certificate_id "
	"JOIN authority a ON a.id = c.authority_id JOIN ra_profile r ON r.id = s.ra_profile_id "
	"WHERE " SWITCHED(
	    "$2", "$3", "s.uuid") " "
				  "ON CONFLICT (scep_profile_id, ra_certificate_id) "
				  "DO UPDATE SET role = excluded.role, until = excluded.until",
    [STATEMENT_PROFILE_RA_CURRENT] =
	"UPDATE scep_profile SET version = version + 1, ra_certificate_id = n.ra_certificate_id "
	"FROM scep_profile_ra n, ra_certificate c, authority a, ra_profile r "
	"WHERE n.scep_profile_id = scep_profile.id AND n.role = 'next' "
	"AND c.id = n.ra_certificate_id AND a.id = c.authority_id "
	"AND r.id = scep_profile.ra_profile_id AND " SWITCHED("$1", "$2", "scep_profile.uuid"),
    [STATEMENT_PROFILE_RA_SWEEP] =
	"DELETE FROM scep_profile_ra WHERE role = 'previous' AND until <= $1",
    [STATEMENT_ANCHOR_INSERT] =
	"INSERT INTO scep_profile_anchor (fingerprint, certificate, created_at, scep_profile_id) "
	"SELECT $1, $2, $3, s.id FROM scep_profile s WHERE s.uuid = $4",
    [STATEMENT_ANCHOR_DELETE] =
	"DELETE FROM scep_profile_anchor WHERE fingerprint = $1 AND scep_profile_id = "
	"(SELECT s.id FROM scep_profile s WHERE s.uuid = $2)",
    [STATEMENT_ANCHOR_LIST] =
	"SELECT x.fingerprint, x.certificate, x.created_at FROM scep_profile_anchor x "
	"JOIN scep_profile s ON s.id = x.scep_profile_id WHERE s.uuid = $1 "
	"ORDER BY x.created_at, x.fingerprint",

    [STATEMENT_RA_PROFILE_INSERT] =
	"INSERT INTO ra_profile (uuid, name, validity_days, key_usage, eku, refuse_extra, "
	"refuse_extensions, min_rsa_bits, max_rsa_bits, curves, not_after, microsoft_sid, "
	"microsoft_template, created_at, authority_id) "
	"SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, a.id "
	"FROM authority a WHERE a.uuid = $15 RETURNING id",
    [STATEMENT_RA_PROFILE_UPDATE] =
	"UPDATE ra_profile SET name = $1, validity_days = $2, key_usage = $3, eku = $4, "
	"refuse_extra = $5, refuse_extensions = $6, min_rsa_bits = $7, max_rsa_bits = $8, "
	"curves = $9, not_after = $10, microsoft_sid = $11, microsoft_template = $12, "
	"authority_id = a.id FROM authority a WHERE a.uuid = $13 "
	"AND ra_profile.uuid = $14 RETURNING ra_profile.id",
    [STATEMENT_RA_PROFILE_GET] =
	"SELECT " RA_PROFILE_COLUMNS " FROM ra_profile r JOIN authority a ON a.id = r.authority_id "
	"WHERE r.uuid = $1 OR r.name = $1 ORDER BY (r.uuid = $1) DESC LIMIT 1",
    [STATEMENT_RA_PROFILE_LIST] =
	"SELECT " RA_PROFILE_COLUMNS " FROM ra_profile r JOIN authority a ON a.id = r.authority_id "
	"ORDER BY r.id",
    [STATEMENT_RA_PROFILE_FIELD_INSERT] =
	"INSERT INTO ra_profile_field (ra_profile_id, position, type, source, required, multiple, "
	"value, pattern, min_length, max_length) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [STATEMENT_RA_PROFILE_FIELD_DELETE] = "DELETE FROM ra_profile_field WHERE ra_profile_id = $1",
    [STATEMENT_RA_PROFILE_FIELD_LIST] =
	"SELECT type, source, required, multiple, value, pattern, min_length, max_length "
	"FROM ra_profile_field WHERE ra_profile_id = $1 ORDER BY position",

    [STATEMENT_SCEP_PROFILE_INSERT] =
	"INSERT INTO scep_profile (uuid, name, description, enabled, version, challenge_version, "
	"challenge_mode, challenge_hash, challenge_weak, challenge_expiry_s, max_pending, digests, "
	"ciphers, require_signer_key, include_ca_in_get_ca_cert, include_ca_certificate, "
	"include_ca_chain, replay_hours, lineage, approval, transaction_expiry_s, "
	"max_transactions, certificate_renewal, same_key_renewal, renewal_threshold_days, "
	"max_successors, challenge_length, seat_field, duplicates, duplicate_grace_s, "
	"unique_keys, limit_address, limit_profile, limit_account, limit_seat, created_at, "
	"ra_profile_id, ra_certificate_id, intune_id) "
	"SELECT $1, $2, $3, $4, 1, 1, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "
	"$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, "
	"r.id, c.id, i.id FROM ra_profile r CROSS JOIN ra_certificate c "
	"LEFT JOIN intune i ON i.uuid = $35 WHERE ($35 = '' OR i.id IS NOT NULL) "
	"AND r.uuid = $36 AND c.uuid = $37",
    [STATEMENT_SCEP_PROFILE_UPDATE] =
	"UPDATE scep_profile SET name = $1, description = $2, enabled = $3, version = version + 1, "
	"challenge_version = challenge_version + CASE WHEN challenge_mode IS NOT DISTINCT FROM $4 "
	"AND challenge_hash IS NOT DISTINCT FROM $5 THEN 0 ELSE 1 END, challenge_mode = $4, "
	"challenge_hash = $5, challenge_weak = $6, challenge_expiry_s = $7, max_pending = $8, "
	"digests = $9, ciphers = $10, require_signer_key = $11, include_ca_in_get_ca_cert = $12, "
	"include_ca_certificate = $13, include_ca_chain = $14, replay_hours = $15, lineage = $16, "
	"approval = $17, transaction_expiry_s = $18, max_transactions = $19, "
	"certificate_renewal = $20, same_key_renewal = $21, renewal_threshold_days = $22, "
	"max_successors = $23, challenge_length = $24, seat_field = $25, duplicates = $26, "
	"duplicate_grace_s = $27, unique_keys = $28, limit_address = $29, limit_profile = $30, "
	"limit_account = $31, limit_seat = $32, ra_profile_id = r.id, ra_certificate_id = c.id, "
	"intune_id = i.id FROM ra_profile r CROSS JOIN ra_certificate c "
	"LEFT JOIN intune i ON i.uuid = $33 WHERE ($33 = '' OR i.id IS NOT NULL) "
	"AND r.uuid = $34 AND c.uuid = $35 AND scep_profile.uuid = $36 AND version = $37",
    [STATEMENT_SCEP_PROFILE_RENEW_FROM_INSERT] =
	"INSERT INTO scep_profile_renew_from (scep_profile_id, position, from_uuid) "
	"SELECT s.id, $1, $2 FROM scep_profile s WHERE s.uuid = $3 ON CONFLICT DO NOTHING",
    [STATEMENT_SCEP_PROFILE_RENEW_FROM_DELETE] =
	"DELETE FROM scep_profile_renew_from WHERE scep_profile_id = "
	"(SELECT s.id FROM scep_profile s WHERE s.uuid = $1)",
    [STATEMENT_SCEP_PROFILE_RENEW_FROM_LIST] =
	"SELECT f.from_uuid FROM scep_profile_renew_from f WHERE f.scep_profile_id = "
	"(SELECT s.id FROM scep_profile s WHERE s.uuid = $1) ORDER BY f.position",
    [STATEMENT_SCEP_PROFILE_GET] =
	"SELECT " SCEP_PROFILE_COLUMNS " FROM " SCEP_PROFILE_TABLES
	" WHERE s.uuid = $1 OR s.name = $1 ORDER BY (s.uuid = $1) DESC LIMIT 1",
    [STATEMENT_SCEP_PROFILE_LIST] =
	"SELECT " SCEP_PROFILE_COLUMNS " FROM " SCEP_PROFILE_TABLES " ORDER BY s.id",
    /* From the newest on: a profile in use is found at once. */
    [STATEMENT_SCEP_PROFILE_USED] =
	"SELECT c.id FROM certificate c WHERE c.scep_profile_id = "
	"(SELECT s.id FROM scep_profile s WHERE s.uuid = $1) ORDER BY c.id DESC LIMIT 1",
    [STATEMENT_SCEP_PROFILE_DELETE] = "DELETE FROM scep_profile WHERE uuid = $1",

    [STATEMENT_CRL_GET] =
	"SELECT l.number, l.revocations, l.this_update, l.next_update, l.entries, "
	"CASE WHEN $1 = 1 THEN l.der END FROM crl l JOIN authority a ON a.id = l.authority_id "
	"WHERE a.uuid = $2",
    [STATEMENT_CRL_WANTED] = "SELECT revocations FROM authority WHERE uuid = $1",
    [STATEMENT_CRL_PUT] =
	"INSERT INTO crl (number, revocations, this_update, next_update, entries, der, "
	"authority_id) SELECT $1, $2, $3, $4, $5, $6, a.id FROM authority a WHERE a.uuid = $7 "
	"ON CONFLICT (authority_id) DO UPDATE SET number = excluded.number, "
	"revocations = excluded.revocations, this_update = excluded.this_update, "
	"next_update = excluded.next_update, entries = excluded.entries, der = excluded.der "
	"WHERE crl.number < excluded.number",
    [STATEMENT_OCSP_RESPONDER_INSERT] =
	"INSERT INTO ocsp_responder (uuid, key_file, not_after, created_at, certificate, "
	"authority_id) SELECT $1, $2, $3, $4, $5, a.id FROM authority a WHERE a.uuid = $6",
    [STATEMENT_OCSP_RESPONDER_GET] =
	"SELECT o.uuid, a.uuid, o.key_file, o.not_after, o.created_at, o.certificate "
	"FROM ocsp_responder o JOIN authority a ON a.id = o.authority_id WHERE a.uuid = $1 "
	"ORDER BY o.id DESC LIMIT 1",

    [STATEMENT_TRANSACTION_ISSUE] = "UPDATE scep_transaction SET status = 'issued' "
				    "WHERE key = $1 AND status = 'approved'",
    [STATEMENT_TRANSACTION_ISSUED] =
	"UPDATE scep_transaction SET certificate_id = $1 WHERE key = $2",
    /* The same id again is another decision about the same request, and not an older one. */
    [STATEMENT_TRANSACTION_GIVE_WAY] = "DELETE FROM scep_transaction WHERE key = $1 AND uuid <> $2 "
				       "AND (status <> 'approved' OR expires_at <= $3)",
    [STATEMENT_TRANSACTION_INSERT] =
	"INSERT INTO scep_transaction (key, uuid, status, created_at, expires_at, decided_at, "
	"decided_by, reason, fail_info, address, transaction_id, message_type, method, subject, "
	"key_type, csr, signer, repeat_key, challenge_id, predecessor, sealed_password, "
	"enrollment_id, account_id, scep_profile_id) "
	"SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
	"$19, $20, $21, (SELECT n.id FROM enrollment n WHERE n.id = $22), "
	"(SELECT x.id FROM account x WHERE x.id = $23), s.id FROM scep_profile s "
	"WHERE s.uuid = $24",
    /* Enrolments that no transaction holds any more. */
    [STATEMENT_TRANSACTION_UNPEND_OLDER] =
	"UPDATE enrollment SET status = 'created' WHERE status = 'pending' AND id IN "
	"(SELECT t.enrollment_id FROM scep_transaction t WHERE t.key = $1 AND t.uuid <> $2 "
	"AND t.status = 'approved' AND t.expires_at <= $3)",
    [STATEMENT_TRANSACTION_UNPEND] =
	"UPDATE enrollment SET status = 'created' WHERE status = 'pending' AND id = "
	"(SELECT t.enrollment_id FROM scep_transaction t WHERE t.key = $1)",
    [STATEMENT_TRANSACTION_UNPEND_OLD] =
	"UPDATE enrollment SET status = 'created' WHERE status = 'pending' AND id IN "
	"(SELECT t.enrollment_id FROM scep_transaction t WHERE t.status = 'approved' "
	"AND t.decided_at < $1 AND t.expires_at < $1)",
    [STATEMENT_TRANSACTION_GET] = "SELECT " TRANSACTION_COLUMNS TRANSACTION_REST
				  " FROM " TRANSACTION_TABLES " WHERE t.key = $1",
    [STATEMENT_TRANSACTION_GET_ID] = "SELECT " TRANSACTION_COLUMNS TRANSACTION_REST
				     " FROM " TRANSACTION_TABLES " WHERE t.uuid = $1",
    [STATEMENT_TRANSACTION_LIST] =
	"SELECT " TRANSACTION_COLUMNS " FROM " TRANSACTION_TABLES " ORDER BY t.id DESC LIMIT $1",
    [STATEMENT_TRANSACTION_FAIL] =
	"UPDATE scep_transaction SET status = 'failed', fail_info = $1, reason = $2, "
	"sealed_password = NULL WHERE key = $3 AND status = 'approved'",
    [STATEMENT_TRANSACTION_OLD] = "SELECT 1 FROM scep_transaction WHERE decided_at < $1 "
				  "AND expires_at < $1 LIMIT 1",
    [STATEMENT_TRANSACTION_PURGE] =
	"DELETE FROM scep_transaction WHERE id IN (SELECT t.id FROM scep_transaction t "
	"WHERE t.decided_at < $1 AND t.expires_at < $1 ORDER BY t.id LIMIT 500)",

    [STATEMENT_TOKEN_INSERT] = "INSERT INTO token (" TOKEN_COLUMNS ") "
			       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    [STATEMENT_TOKEN_BY_HASH] = "SELECT " TOKEN_COLUMNS " FROM token WHERE hash = $1",
    [STATEMENT_TOKEN_LIST] = "SELECT " TOKEN_COLUMNS " FROM token ORDER BY id",
    [STATEMENT_TOKEN_REVOKE] =
	"UPDATE token SET revoked = 1 WHERE id = (SELECT t.id FROM token t WHERE t.uuid = $1 "
	"OR t.name = $1 ORDER BY (t.uuid = $1) DESC LIMIT 1)",
    [STATEMENT_TOKEN_LAST_USED] = "SELECT last_used_at FROM token WHERE uuid = $1",
    [STATEMENT_TOKEN_USED] = "UPDATE token SET last_used_at = $1 WHERE uuid = $2",

    [STATEMENT_AUDIT_INSERT] =
	"INSERT INTO audit_event (" AUDIT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
	"$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24) "
	"ON CONFLICT DO NOTHING",
    /* Two selects: min and max in one would look at every row. */
    [STATEMENT_AUDIT_SPAN] = "SELECT coalesce((SELECT min(id) FROM audit_event), 0), "
			     "coalesce((SELECT max(id) FROM audit_event), 0)",
    [STATEMENT_AUDIT_NEWEST] =
	"SELECT id, " AUDIT_COLUMNS " FROM audit_event "
	"WHERE id >= $1 AND id < $2 AND " AUDIT_FILTER " ORDER BY id DESC LIMIT $6",
    [STATEMENT_AUDIT_OLDEST] =
	"SELECT id, " AUDIT_COLUMNS " FROM audit_event "
	"WHERE id >= $1 AND id < $2 AND " AUDIT_FILTER " ORDER BY id LIMIT $6",
    /* Rows stand nearly in the order of time: the oldest 5,000 are looked at, and the newest of all stays, so that no id comes twice. */
    [STATEMENT_AUDIT_PURGE] =
	"DELETE FROM audit_event WHERE id IN (SELECT o.id FROM (SELECT id, time_ms FROM "
	"audit_event ORDER BY id LIMIT 5000) o WHERE o.time_ms < $1 AND o.id < "
	"(SELECT max(n.id) FROM audit_event n) LIMIT 500)",
};

const char *
statement_sql(enum statement s)
{
	static const char *const *const parts[] = {statements, statements_seat, statements_account,
	    statements_certificate, statements_commit, statements_replaced};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i][s] != NULL)
			return parts[i][s];
	return NULL;
}
