-- 0001_core.sql: everything that enrolment needs: authorities, profiles, certificates, uses of challenges, tokens, audit.
--
-- Never edited after a release: what comes later is the next file.  Each file is applied in one transaction and leaves the
-- number of the schema, and the oldest program that may use it, in the table "schema".
--
-- Times are seconds since 1970 unless the name says otherwise; booleans are 0 and 1; uuids are lower-case text.  A value is
-- checked here where no later release can add to what is allowed: SQLite cannot change a CHECK without copying its table.

CREATE TABLE schema (
	only INTEGER PRIMARY KEY CHECK (only = 1),
	number INTEGER NOT NULL,
	oldest_program TEXT NOT NULL
) STRICT;

INSERT INTO schema (only, number, oldest_program) VALUES (1, 1, '0.1.0');

-- Raised by changes of configuration and by nothing else: what caches of profiles compare.
CREATE TABLE config_version (
	only INTEGER PRIMARY KEY CHECK (only = 1),
	version INTEGER NOT NULL
) STRICT;

INSERT INTO config_version (only, version) VALUES (1, 1);

-- A row to write to, so that a health check sees whether writing works.
CREATE TABLE health (
	only INTEGER PRIMARY KEY CHECK (only = 1),
	checks INTEGER NOT NULL
) STRICT;

INSERT INTO health (only, checks) VALUES (1, 0);

-- Secrets that must stay the same, as MACs: set once, compared later.
CREATE TABLE check_value (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Who may do which background work, and until when.
CREATE TABLE lease (
	name TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE authority (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	state TEXT NOT NULL,
	key_file TEXT NOT NULL,
	crl_url TEXT NOT NULL,
	not_after INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	certificate BLOB,
	chain BLOB,
	request BLOB,
	CHECK (state <> 'active' OR certificate IS NOT NULL)
) STRICT;

CREATE TABLE ra_certificate (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	authority_id INTEGER NOT NULL REFERENCES authority (id),
	key_file TEXT NOT NULL,
	not_after INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	certificate BLOB NOT NULL
) STRICT;

CREATE TABLE ra_profile (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	authority_id INTEGER NOT NULL REFERENCES authority (id),
	validity_days INTEGER NOT NULL CHECK (validity_days > 0),
	key_usage TEXT NOT NULL,
	eku TEXT NOT NULL,
	refuse_extra INTEGER NOT NULL CHECK (refuse_extra IN (0, 1)),
	refuse_extensions INTEGER NOT NULL CHECK (refuse_extensions IN (0, 1)),
	min_rsa_bits INTEGER NOT NULL,
	max_rsa_bits INTEGER NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE ra_profile_field (
	ra_profile_id INTEGER NOT NULL REFERENCES ra_profile (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	type TEXT NOT NULL,
	source TEXT NOT NULL,
	required INTEGER NOT NULL CHECK (required IN (0, 1)),
	multiple INTEGER NOT NULL CHECK (multiple IN (0, 1)),
	value TEXT NOT NULL,
	PRIMARY KEY (ra_profile_id, position)
) STRICT, WITHOUT ROWID;

-- version is raised by each change of the row, challenge_version by each change of challenge_mode or challenge_hash.
CREATE TABLE scep_profile (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL,
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	ra_profile_id INTEGER NOT NULL REFERENCES ra_profile (id),
	ra_certificate_id INTEGER NOT NULL REFERENCES ra_certificate (id),
	version INTEGER NOT NULL,
	challenge_version INTEGER NOT NULL,
	challenge_mode TEXT NOT NULL,
	challenge_hash BLOB,
	challenge_weak INTEGER NOT NULL CHECK (challenge_weak IN (0, 1)),
	challenge_expiry_s INTEGER NOT NULL CHECK (challenge_expiry_s > 0),
	max_pending INTEGER NOT NULL CHECK (max_pending >= 0),
	digests INTEGER NOT NULL,
	ciphers INTEGER NOT NULL,
	require_signer_key INTEGER NOT NULL CHECK (require_signer_key IN (0, 1)),
	include_ca_in_get_ca_cert INTEGER NOT NULL CHECK (include_ca_in_get_ca_cert IN (0, 1)),
	include_ca_certificate INTEGER NOT NULL CHECK (include_ca_certificate IN (0, 1)),
	include_ca_chain INTEGER NOT NULL CHECK (include_ca_chain IN (0, 1)),
	replay_hours INTEGER NOT NULL CHECK (replay_hours >= 0),
	created_at INTEGER NOT NULL
) STRICT;

-- Rows are never deleted, so ids only grow.  The serial, as a uuid, is also the public id: one b-tree for both.  A column for
-- each thing that enrolment writes and no index beyond the two that keep a promise: every index taxes every enrolment.
CREATE TABLE certificate (
	id INTEGER PRIMARY KEY,
	serial BLOB NOT NULL UNIQUE,
	repeat_key BLOB,
	authority_id INTEGER NOT NULL REFERENCES authority (id),
	scep_profile_id INTEGER REFERENCES scep_profile (id),
	ra_profile_id INTEGER REFERENCES ra_profile (id),
	predecessor_id INTEGER REFERENCES certificate (id),
	purpose TEXT NOT NULL,
	status TEXT NOT NULL,
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	revoked_at INTEGER,
	revocation_reason INTEGER,
	subject TEXT NOT NULL,
	san TEXT,
	der BLOB NOT NULL
) STRICT;

-- A repeated request finds its first certificate, and two copies at the same moment get one.
CREATE UNIQUE INDEX certificate_repeat_key ON certificate (repeat_key) WHERE repeat_key IS NOT NULL;

-- One challenge, one certificate.
CREATE TABLE challenge_use (
	challenge_id BLOB NOT NULL,
	use INTEGER NOT NULL,
	certificate_id INTEGER NOT NULL REFERENCES certificate (id),
	PRIMARY KEY (challenge_id, use)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	hash BLOB NOT NULL UNIQUE,
	role TEXT NOT NULL,
	profiles TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL,
	revoked INTEGER NOT NULL CHECK (revoked IN (0, 1))
) STRICT;

-- Purging leaves the newest row, so ids only grow.
CREATE TABLE audit_event (
	id INTEGER PRIMARY KEY,
	time_ms INTEGER NOT NULL,
	count INTEGER NOT NULL,
	event_id TEXT,
	actor TEXT,
	address TEXT,
	action TEXT NOT NULL,
	resource_type TEXT,
	resource_id TEXT,
	profile TEXT,
	outcome TEXT NOT NULL,
	transaction_id TEXT,
	message_type TEXT,
	fail_info TEXT,
	reason TEXT,
	stage TEXT,
	serial TEXT,
	subject TEXT,
	digest TEXT,
	cipher TEXT,
	key_type TEXT,
	transport TEXT,
	request_id TEXT
) STRICT;

-- A row that waited in Redis lands once, however often it is written.
CREATE UNIQUE INDEX audit_event_event_id ON audit_event (event_id) WHERE event_id IS NOT NULL;
