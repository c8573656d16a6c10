-- 0002_whole_scep.sql: renewal, approval by hand, revocation with CRL and OCSP, rollover of CAs and RAs, keys on curves.

UPDATE schema SET number = 2, oldest_program = '0.2.0';

-- Generations of one CA share a lineage: the uuid of the first.  state: active, pending (no certificate yet), next (prepared by a
-- rollover), retired (signs CRLs and OCSP responder certificates, issues nothing).  revocations is raised by whatever changes
-- the CRL's content, so that a CRL knows whether it is still the newest.
ALTER TABLE authority ADD COLUMN lineage TEXT NOT NULL DEFAULT '';
ALTER TABLE authority ADD COLUMN predecessor_id INTEGER REFERENCES authority (id);
ALTER TABLE authority ADD COLUMN ocsp_url TEXT NOT NULL DEFAULT '';
ALTER TABLE authority ADD COLUMN revocations INTEGER NOT NULL DEFAULT 0;
UPDATE authority SET lineage = uuid;

-- The newest CRL of each authority.
CREATE TABLE crl (
	authority_id INTEGER PRIMARY KEY REFERENCES authority (id),
	number INTEGER NOT NULL,
	revocations INTEGER NOT NULL,
	this_update INTEGER NOT NULL,
	next_update INTEGER NOT NULL,
	entries INTEGER NOT NULL,
	der BLOB NOT NULL
) STRICT;

-- Delegated OCSP responders; the newest that is in time answers.
CREATE TABLE ocsp_responder (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	authority_id INTEGER NOT NULL REFERENCES authority (id),
	key_file TEXT NOT NULL,
	not_after INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	certificate BLOB NOT NULL
) STRICT;

ALTER TABLE ra_profile ADD COLUMN curves TEXT NOT NULL DEFAULT 'P-256,P-384,P-521';

ALTER TABLE scep_profile ADD COLUMN lineage TEXT NOT NULL DEFAULT '';
ALTER TABLE scep_profile ADD COLUMN approval TEXT NOT NULL DEFAULT 'auto';
ALTER TABLE scep_profile ADD COLUMN transaction_expiry_s INTEGER NOT NULL DEFAULT 604800;
ALTER TABLE scep_profile ADD COLUMN max_transactions INTEGER NOT NULL DEFAULT 1000;
ALTER TABLE scep_profile ADD COLUMN certificate_renewal INTEGER NOT NULL DEFAULT 1;
ALTER TABLE scep_profile ADD COLUMN same_key_renewal INTEGER NOT NULL DEFAULT 1;
ALTER TABLE scep_profile ADD COLUMN renewal_threshold_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scep_profile ADD COLUMN max_successors INTEGER NOT NULL DEFAULT 5;
UPDATE scep_profile SET lineage = uuid;

-- Profiles whose certificates may renew here, by uuid: one that is deleted simply no longer matches.
CREATE TABLE scep_profile_renew_from (
	scep_profile_id INTEGER NOT NULL REFERENCES scep_profile (id) ON DELETE CASCADE,
	from_uuid TEXT NOT NULL,
	position INTEGER NOT NULL,
	PRIMARY KEY (scep_profile_id, from_uuid)
) STRICT, WITHOUT ROWID;

-- CAs of others (manufacturers') whose certificates authorise a first enrolment (RFC 8894 2.3).
CREATE TABLE scep_profile_anchor (
	scep_profile_id INTEGER NOT NULL REFERENCES scep_profile (id) ON DELETE CASCADE,
	fingerprint BLOB NOT NULL,
	certificate BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (scep_profile_id, fingerprint)
) STRICT;

-- RA certificates of a profile that decrypt beside its current one: role next (until the switch), or previous (until the time).
CREATE TABLE scep_profile_ra (
	scep_profile_id INTEGER NOT NULL REFERENCES scep_profile (id) ON DELETE CASCADE,
	ra_certificate_id INTEGER NOT NULL REFERENCES ra_certificate (id),
	role TEXT NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (scep_profile_id, ra_certificate_id)
) STRICT, WITHOUT ROWID;

-- Serials are unique under one CA only: imported certificates may come from a CA that counts from one.
CREATE TABLE certificate_2 (
	id INTEGER PRIMARY KEY,
	serial BLOB NOT NULL,
	repeat_key BLOB,
	authority_id INTEGER NOT NULL REFERENCES authority (id),
	scep_profile_id INTEGER REFERENCES scep_profile (id),
	ra_profile_id INTEGER REFERENCES ra_profile (id),
	predecessor_id INTEGER REFERENCES certificate_2 (id),
	successors INTEGER NOT NULL DEFAULT 0,
	purpose TEXT NOT NULL,
	status TEXT NOT NULL,
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	revoked_at INTEGER,
	revocation_reason INTEGER,
	subject TEXT NOT NULL,
	san TEXT,
	der BLOB NOT NULL,
	UNIQUE (serial, authority_id)
) STRICT;

INSERT INTO certificate_2 SELECT id, serial, repeat_key, authority_id, scep_profile_id, ra_profile_id, predecessor_id, 0,
	purpose, status, not_before, not_after, created_at, revoked_at, revocation_reason, subject, san, der FROM certificate;

CREATE TABLE challenge_use_2 (
	challenge_id BLOB NOT NULL,
	use INTEGER NOT NULL,
	certificate_id INTEGER NOT NULL REFERENCES certificate_2 (id),
	PRIMARY KEY (challenge_id, use)
) STRICT, WITHOUT ROWID;

INSERT INTO challenge_use_2 SELECT challenge_id, use, certificate_id FROM challenge_use;
DROP TABLE challenge_use;
-- Dropping looks for each row's successors: without an index in the whole table each time.
CREATE INDEX certificate_successors ON certificate (predecessor_id) WHERE predecessor_id IS NOT NULL;
DROP TABLE certificate;
ALTER TABLE certificate_2 RENAME TO certificate;
ALTER TABLE challenge_use_2 RENAME TO challenge_use;

CREATE UNIQUE INDEX certificate_repeat_key ON certificate (repeat_key) WHERE repeat_key IS NOT NULL;
-- What a CRL lists; costs nothing until a certificate is revoked.
CREATE INDEX certificate_revoked ON certificate (authority_id, not_after) WHERE revoked_at IS NOT NULL;

-- Transactions that waited for approval and were decided; while they wait they are in Redis.  status: approved (the next poll
-- issues), issued, rejected, failed (approved, but refused by the rules).  key is the MAC of profile, transactionID and the signer's key.
CREATE TABLE scep_transaction (
	id INTEGER PRIMARY KEY,
	key BLOB NOT NULL UNIQUE,
	uuid TEXT NOT NULL UNIQUE,
	scep_profile_id INTEGER NOT NULL REFERENCES scep_profile (id) ON DELETE CASCADE,
	status TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	decided_at INTEGER NOT NULL,
	decided_by TEXT NOT NULL,
	reason TEXT,
	fail_info INTEGER NOT NULL,
	address TEXT,
	transaction_id TEXT NOT NULL,
	message_type INTEGER NOT NULL,
	method TEXT NOT NULL,
	subject TEXT NOT NULL,
	key_type TEXT NOT NULL,
	csr BLOB NOT NULL,
	signer BLOB NOT NULL,
	repeat_key BLOB NOT NULL,
	challenge_id BLOB,
	predecessor BLOB,
	sealed_password BLOB,
	certificate_id INTEGER REFERENCES certificate (id)
) STRICT;
