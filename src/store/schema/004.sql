-- SPDX-License-Identifier: Apache-2.0
-- Schema 4: the grants of an application, what users may do, refresh tokens. Programs of schema 2
-- run on it: they know the client_credentials grant only, for every application, and refuse the
-- tokens of users.

-- Bits: 1 client_credentials, 2 password, 4 refresh_token.
ALTER TABLE applications ADD COLUMN grants INTEGER NOT NULL DEFAULT 1
    CHECK (grants BETWEEN 1 AND 7);

-- What a user may be given tokens for. A scope that is removed leaves users too, whichever release
-- removes it.
CREATE TABLE user_apis (
    user INTEGER NOT NULL REFERENCES users (number),
    api INTEGER NOT NULL REFERENCES apis (number),
    account INTEGER NOT NULL REFERENCES accounts (number),
    PRIMARY KEY (user, api)
) STRICT, WITHOUT ROWID;
CREATE TABLE user_scopes (
    user INTEGER NOT NULL,
    api INTEGER NOT NULL,
    scope TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES accounts (number),
    PRIMARY KEY (user, api, scope),
    FOREIGN KEY (user, api) REFERENCES user_apis (user, api),
    FOREIGN KEY (api, scope) REFERENCES scopes (api, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX user_scopes_scope ON user_scopes (api, scope);

-- One row for all refresh tokens that came from one password grant. A row whose user, application
-- or time is over may stay for a while: it is refused all the same.
CREATE TABLE refresh_tokens (
    family INTEGER PRIMARY KEY CHECK (family <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    application INTEGER NOT NULL REFERENCES applications (number),
    generation INTEGER NOT NULL,
    user INTEGER NOT NULL REFERENCES users (number),
    user_generation INTEGER NOT NULL,
    epoch INTEGER NOT NULL,                                -- as a token's: dead after a restore
    api INTEGER NOT NULL REFERENCES apis (number),
    scope TEXT NOT NULL CHECK (length(scope) <= 4096),
    key INTEGER NOT NULL,                                  -- the data key of current
    current BLOB NOT NULL CHECK (length(current) = 32),    -- SHA-256 of the token
    previous BLOB CHECK (length(previous) = 32),
    rotated_us INTEGER NOT NULL,
    idle_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_tokens_owner ON refresh_tokens (user, application, rotated_us);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_us);
