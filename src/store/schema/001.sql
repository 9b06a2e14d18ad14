-- SPDX-License-Identifier: Apache-2.0
-- Schema 1. Numbers are random 64-bit patterns kept as signed integers; they are never used again.
-- Times end in _us (microseconds UTC) or _s (seconds). 9223372036854775807 is "never".
-- Every row that belongs to an account names it; keys, settings and the schema are the server's.

-- What a program must know, at least, to run on this store. The file's user_version is the latest
-- step that has run; a step that older programs cannot run on adds its row here.
CREATE TABLE schema_version (
    version INTEGER PRIMARY KEY,
    applied_us INTEGER NOT NULL
) STRICT;
INSERT INTO schema_version (version, applied_us) VALUES (1, unixepoch() * 1000000);

CREATE TABLE accounts (
    number INTEGER PRIMARY KEY CHECK (number NOT IN (0, -1)), -- -1 means the operator in queries
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    status INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2)),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;

-- A deleted application stays as a tombstone: its number is dead for ever, while its client_id may
-- be given to a new one.
CREATE TABLE applications (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    client_id TEXT NOT NULL CHECK (length(client_id) BETWEEN 1 AND 1024),
    name TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) <= 128),
    status INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    generation INTEGER NOT NULL,
    format INTEGER NOT NULL CHECK (format BETWEEN 0 AND 15),
    ttl_us INTEGER NOT NULL CHECK (ttl_us > 0),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    deleted_us INTEGER
) STRICT;
CREATE UNIQUE INDEX applications_client_id ON applications (client_id) WHERE status <> 2;
CREATE INDEX applications_account ON applications (account, client_id) WHERE status <> 2;

CREATE TABLE secrets (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    application INTEGER NOT NULL REFERENCES applications (number),
    label TEXT NOT NULL DEFAULT '' CHECK (length(CAST(label AS BLOB)) <= 128),
    scheme INTEGER NOT NULL CHECK (scheme BETWEEN 0 AND 15),
    key INTEGER NOT NULL DEFAULT 0,         -- of the data key, for scheme 0
    mac BLOB CHECK (length(mac) = 32),      -- scheme 0; NULL once removed
    slow_hash TEXT,                         -- other schemes; NULL once removed
    created_us INTEGER NOT NULL,
    not_before_us INTEGER NOT NULL DEFAULT 0,
    expires_us INTEGER NOT NULL,
    removed_us INTEGER,
    used_us INTEGER NOT NULL DEFAULT 0,
    used_count INTEGER NOT NULL DEFAULT 0,
    used_address TEXT NOT NULL DEFAULT '' CHECK (length(used_address) <= 64),
    CHECK (removed_us IS NOT NULL OR (scheme = 0 AND mac IS NOT NULL AND slow_hash IS NULL) OR
           (scheme <> 0 AND mac IS NULL AND slow_hash IS NOT NULL))
) STRICT;
CREATE INDEX secrets_application ON secrets (application) WHERE removed_us IS NULL;

CREATE TABLE apis (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    identifier TEXT NOT NULL UNIQUE CHECK (length(identifier) BETWEEN 1 AND 512),
    name TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) <= 128),
    algorithm TEXT NOT NULL CHECK (length(algorithm) <= 16),
    max_ttl_us INTEGER NOT NULL DEFAULT 9223372036854775807 CHECK (max_ttl_us > 0),
    is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX apis_default ON apis (is_default) WHERE is_default = 1;

CREATE TABLE scopes (
    api INTEGER NOT NULL REFERENCES apis (number),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    account INTEGER NOT NULL REFERENCES accounts (number),
    description TEXT NOT NULL DEFAULT '' CHECK (length(CAST(description AS BLOB)) <= 512),
    created_us INTEGER NOT NULL,
    PRIMARY KEY (api, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE application_apis (
    application INTEGER NOT NULL REFERENCES applications (number),
    api INTEGER NOT NULL REFERENCES apis (number),
    account INTEGER NOT NULL REFERENCES accounts (number),
    requests INTEGER NOT NULL CHECK (requests IN (0, 1)),
    serves INTEGER NOT NULL CHECK (serves IN (0, 1)),
    PRIMARY KEY (application, api),
    CHECK (requests = 1 OR serves = 1)
) STRICT, WITHOUT ROWID;

-- One row per word: a scope that is removed leaves every application exactly, and no application
-- can hold a word that its API does not declare.
CREATE TABLE application_scopes (
    application INTEGER NOT NULL,
    api INTEGER NOT NULL,
    scope TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES accounts (number),
    PRIMARY KEY (application, api, scope),
    FOREIGN KEY (application, api) REFERENCES application_apis (application, api),
    FOREIGN KEY (api, scope) REFERENCES scopes (api, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX application_scopes_scope ON application_scopes (api, scope);

-- Allowlists: no row of an owner = no limit; the owner's `limited` row without networks = deny all.
CREATE TABLE allowlists (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('account', 'application', 'api_key')),
    owner INTEGER NOT NULL,
    network TEXT NOT NULL CHECK (length(network) <= 64), -- CIDR; '' = the owner has a list
    account INTEGER NOT NULL REFERENCES accounts (number),
    note TEXT NOT NULL DEFAULT '' CHECK (length(CAST(note AS BLOB)) <= 256),
    created_us INTEGER NOT NULL,
    PRIMARY KEY (owner_kind, owner, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    api INTEGER NOT NULL REFERENCES apis (number),
    label TEXT NOT NULL DEFAULT '',
    key INTEGER NOT NULL,
    mac BLOB CHECK (length(mac) = 32),
    status INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2)),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    not_before_us INTEGER NOT NULL DEFAULT 0,
    expires_us INTEGER NOT NULL,
    removed_us INTEGER,
    used_us INTEGER NOT NULL DEFAULT 0,
    used_count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX api_keys_mac ON api_keys (mac) WHERE mac IS NOT NULL;

-- Data keys ("active", "retired") and signing keys ("announced", "signing", "retired", "gone").
CREATE TABLE keys (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    purpose TEXT NOT NULL CHECK (length(purpose) BETWEEN 1 AND 32),
    algorithm TEXT NOT NULL DEFAULT '' CHECK (length(algorithm) <= 16),
    kid TEXT NOT NULL DEFAULT '' CHECK (length(kid) <= 128),
    state TEXT NOT NULL CHECK (state IN ('active', 'announced', 'signing', 'retired', 'gone')),
    wrapped BLOB NOT NULL,                 -- sealed under the master key; empty once gone
    public_jwk TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    state_us INTEGER NOT NULL,
    last_expiry_us INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX keys_kid ON keys (kid) WHERE kid <> '';

CREATE TABLE revoked_tokens (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    account INTEGER NOT NULL REFERENCES accounts (number),
    application INTEGER NOT NULL REFERENCES applications (number),
    expires_s INTEGER NOT NULL CHECK (expires_s >= 0), -- 0 = never: kept for ever
    revoked_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_tokens_application ON revoked_tokens (application, expires_s);
CREATE INDEX revoked_tokens_expires ON revoked_tokens (expires_s);

CREATE TABLE revoked_credentials (
    secret INTEGER PRIMARY KEY REFERENCES secrets (number),
    account INTEGER NOT NULL REFERENCES accounts (number),
    application INTEGER NOT NULL REFERENCES applications (number),
    revoked_us INTEGER NOT NULL
) STRICT;
CREATE INDEX revoked_credentials_application ON revoked_credentials (application);

CREATE TABLE settings (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    value TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    updated_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What changed, in order, written in the same transaction. AUTOINCREMENT: a sequence never comes
-- again, also when old rows have been purged.
CREATE TABLE change_feed (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    account INTEGER NOT NULL DEFAULT 0,    -- 0: the server's
    number INTEGER NOT NULL DEFAULT 0,
    key BLOB                               -- a token id, the name of a setting
) STRICT;
CREATE INDEX change_feed_at ON change_feed (at_us);

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    account INTEGER NOT NULL DEFAULT 0,    -- 0: the operator's
    actor TEXT NOT NULL,
    action TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    object TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX audit_account ON audit (account, sequence);

CREATE TABLE idempotency (
    account INTEGER NOT NULL REFERENCES accounts (number),
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    status INTEGER NOT NULL,
    response BLOB NOT NULL,                -- sealed: it may hold a new secret
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expires ON idempotency (expires_us);

-- End users (password grant) and panel users are two tables without a common login.
CREATE TABLE users (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    username TEXT NOT NULL CHECK (length(CAST(username AS BLOB)) BETWEEN 1 AND 256),
    password_hash TEXT NOT NULL,
    status INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    generation INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_username ON users (account, username) WHERE status <> 2;

CREATE TABLE panel_users (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    login TEXT NOT NULL CHECK (length(CAST(login AS BLOB)) BETWEEN 1 AND 256),
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('operator', 'owner', 'reader')),
    status INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    generation INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX panel_users_login ON panel_users (login) WHERE status <> 2;

INSERT INTO accounts (number, name, created_us, updated_us)
    VALUES (1, 'default', unixepoch() * 1000000, unixepoch() * 1000000);
