-- SPDX-License-Identifier: Apache-2.0
-- Schema 3: reference tokens. Programs of schema 2 run on it: they issue none, refuse to serve the
-- applications of that format, and leave these rows alone.
--
-- A row lies where its place says: the bucket of its expiry (bits 39 and up), its slot (12 bits)
-- and 27 bits of its hash. So the rows that expire together lie together, and leave together; those
-- that were made in one moment have one slot, and are written into a page or two; and an inner page
-- of the tree holds hundreds of places. A bucket is a multiple of 1024 seconds that none of its
-- rows outlives; 0 is for those that never expire.

-- No reference to accounts and applications: those are never removed. The checks here are made for
-- each token, so they are few; more when it is read.
CREATE TABLE reference_tokens (
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),          -- SHA-256 of the token
    account INTEGER NOT NULL,
    application INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    credential INTEGER NOT NULL,
    subject INTEGER NOT NULL DEFAULT 0,                    -- 0 = the application itself
    subject_generation INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL,
    api INTEGER NOT NULL,
    scope TEXT NOT NULL,
    issued_s INTEGER NOT NULL,
    expires_s INTEGER NOT NULL,                            -- 0 = never
    CHECK ((place >> 39) * 1024 >= expires_s AND (expires_s = 0) = (place < 549755813888))
) STRICT;
CREATE INDEX reference_tokens_lasting ON reference_tokens (application) WHERE expires_s = 0;
