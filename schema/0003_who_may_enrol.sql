-- 0003_who_may_enrol.sql: organizations, seats and enrolment codes, accounts, Intune, webhooks, rules of fields, duplicates, limits.

UPDATE schema SET number = 3, oldest_program = '0.3.0';

-- license_count: seats of it that may be in use at once; 0: any number.  seats_in_use is kept by the commits that use and free a seat.
CREATE TABLE organization (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	license_count INTEGER NOT NULL,
	seats_in_use INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL
) STRICT;

-- What an enrolment code stands against.  type: user, device, server.  in_use: it has a certificate that is valid.
CREATE TABLE seat (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	seat_id TEXT NOT NULL UNIQUE,
	type TEXT NOT NULL,
	name TEXT NOT NULL,
	email TEXT NOT NULL,
	organization_id INTEGER REFERENCES organization (id),
	department TEXT NOT NULL DEFAULT '',
	in_use INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX seat_organization ON seat (organization_id) WHERE organization_id IS NOT NULL;

-- A code registered against a seat under a profile; code_hash is its keyed hash.  status: created, pending, redeemed, expired, rejected;
-- locked is what one is while locked_until lies ahead.
-- Wrong tries are counted in the row itself, at most so many a window, so that a flood of them is no flood of writes.
CREATE TABLE enrollment (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	scep_profile_id INTEGER NOT NULL REFERENCES scep_profile (id) ON DELETE CASCADE,
	seat_id INTEGER NOT NULL REFERENCES seat (id) ON DELETE CASCADE,
	code_hash BLOB NOT NULL UNIQUE,
	code_weak INTEGER NOT NULL DEFAULT 0,
	email TEXT NOT NULL,
	status TEXT NOT NULL,
	max_uses INTEGER NOT NULL,
	uses INTEGER NOT NULL DEFAULT 0,
	bad_attempts INTEGER NOT NULL DEFAULT 0,
	bad_window INTEGER NOT NULL DEFAULT 0,
	bad_in_window INTEGER NOT NULL DEFAULT 0,
	locked_until INTEGER NOT NULL DEFAULT 0,
	created_by TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;

-- What was given with an enrolment: the values of fields whose source is manual.
CREATE TABLE enrollment_attribute (
	enrollment_id INTEGER NOT NULL REFERENCES enrollment (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	type TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (enrollment_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX enrollment_seat ON enrollment (seat_id, scep_profile_id);

-- A generated secret that is accepted as a challenge under its profile.
CREATE TABLE account (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	scep_profile_id INTEGER NOT NULL REFERENCES scep_profile (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	secret_hash BLOB NOT NULL UNIQUE,
	organization_id INTEGER REFERENCES organization (id),
	department TEXT NOT NULL,
	enabled INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	UNIQUE (scep_profile_id, name)
) STRICT;

-- A connection to a tenant of Microsoft Intune; sealed_key is its client secret.
CREATE TABLE intune (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	tenant TEXT NOT NULL,
	client_id TEXT NOT NULL,
	sealed_key BLOB NOT NULL,
	revocations INTEGER NOT NULL DEFAULT 1,
	revocations_at INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL
) STRICT;

-- kind: validate (asked before issuing), notify (told afterwards).  authentication: none, bearer, basic, mtls; sealed_secret keys the HMAC,
-- sealed_credential is the token, "user:password", or PEM of certificate and key.
CREATE TABLE webhook (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL UNIQUE,
	scep_profile_id INTEGER NOT NULL REFERENCES scep_profile (id) ON DELETE CASCADE,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	url TEXT NOT NULL,
	authentication TEXT NOT NULL,
	sealed_secret BLOB NOT NULL,
	sealed_credential BLOB,
	ca_file TEXT NOT NULL,
	allow_private INTEGER NOT NULL,
	timeout_ms INTEGER NOT NULL,
	enabled INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	UNIQUE (scep_profile_id, name)
) STRICT;

ALTER TABLE ra_profile ADD COLUMN not_after INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ra_profile ADD COLUMN microsoft_sid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ra_profile ADD COLUMN microsoft_template INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ra_profile_field ADD COLUMN pattern TEXT NOT NULL DEFAULT '';
ALTER TABLE ra_profile_field ADD COLUMN min_length INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ra_profile_field ADD COLUMN max_length INTEGER NOT NULL DEFAULT 0;

-- duplicates: allow, refuse, replace: where the seat or subject has a valid certificate already.  unique_keys: a public key under one subject
-- only.  Limits are a minute; 0: none.
ALTER TABLE scep_profile ADD COLUMN challenge_length INTEGER NOT NULL DEFAULT 32;
ALTER TABLE scep_profile ADD COLUMN seat_field TEXT NOT NULL DEFAULT 'subject.commonName';
ALTER TABLE scep_profile ADD COLUMN intune_id INTEGER REFERENCES intune (id);
ALTER TABLE scep_profile ADD COLUMN duplicates TEXT NOT NULL DEFAULT 'allow';
ALTER TABLE scep_profile ADD COLUMN duplicate_grace_s INTEGER NOT NULL DEFAULT 604800;
ALTER TABLE scep_profile ADD COLUMN unique_keys INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scep_profile ADD COLUMN limit_address INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scep_profile ADD COLUMN limit_profile INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scep_profile ADD COLUMN limit_account INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scep_profile ADD COLUMN limit_seat INTEGER NOT NULL DEFAULT 0;

-- Whom a certificate is for, where that is known.
ALTER TABLE certificate ADD COLUMN seat_id INTEGER REFERENCES seat (id) ON DELETE SET NULL;
ALTER TABLE certificate ADD COLUMN account_id INTEGER REFERENCES account (id) ON DELETE SET NULL;
ALTER TABLE certificate ADD COLUMN organization TEXT;
ALTER TABLE certificate ADD COLUMN department TEXT;
-- Freeing a seat asks whether it has another; costs nothing without seats.
CREATE INDEX certificate_seat ON certificate (seat_id, not_after) WHERE seat_id IS NOT NULL;
CREATE INDEX certificate_account ON certificate (account_id) WHERE account_id IS NOT NULL;

-- Certificates that must be told to an MDM before they leave.  state: issued (not told yet), failed (revoked, never leaves); a row goes
-- when it may leave.  by: intune.  challenge_id: whose use is given back where it fails.
CREATE TABLE certificate_delivery (
	certificate_id INTEGER PRIMARY KEY REFERENCES certificate (id),
	state TEXT NOT NULL,
	by TEXT NOT NULL,
	transaction_id TEXT NOT NULL,
	csr BLOB NOT NULL,
	challenge_id BLOB,
	created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX certificate_delivery_issued ON certificate_delivery (created_at) WHERE state = 'issued';

-- By whom a certificate is held (a MAC-free SHA-256 of profile lineage and seat or subject), and its key's SHA-256: written where a
-- profile's switches ask for them, so that others pay nothing.
CREATE TABLE certificate_holder (
	holder BLOB NOT NULL,
	certificate_id INTEGER NOT NULL REFERENCES certificate (id),
	PRIMARY KEY (holder, certificate_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE certificate_key (
	digest BLOB NOT NULL,
	certificate_id INTEGER NOT NULL REFERENCES certificate (id),
	PRIMARY KEY (digest, certificate_id)
) STRICT, WITHOUT ROWID;

-- Older certificates of a holder that end when the newer is seen in use, or at the time.  One may be replaced by several.
CREATE TABLE certificate_replaced (
	certificate_id INTEGER NOT NULL REFERENCES certificate (id),
	by_id INTEGER NOT NULL REFERENCES certificate (id),
	revoke_at INTEGER NOT NULL,
	PRIMARY KEY (certificate_id, by_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_replaced_by ON certificate_replaced (by_id);
CREATE INDEX certificate_replaced_at ON certificate_replaced (revoke_at);

ALTER TABLE audit_event ADD COLUMN organization TEXT;
ALTER TABLE audit_event ADD COLUMN department TEXT;

-- What waits for approval remembers what it was authorised by.
ALTER TABLE scep_transaction ADD COLUMN enrollment_id INTEGER REFERENCES enrollment (id) ON DELETE SET NULL;
ALTER TABLE scep_transaction ADD COLUMN account_id INTEGER REFERENCES account (id) ON DELETE SET NULL;
CREATE INDEX scep_transaction_enrollment ON scep_transaction (enrollment_id) WHERE enrollment_id IS NOT NULL;
CREATE INDEX scep_transaction_account ON scep_transaction (account_id) WHERE account_id IS NOT NULL;
