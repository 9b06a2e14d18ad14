-- SPDX-License-Identifier: Apache-2.0
-- Schema 7: refresh tokens end with the grant of their application without a look at any of them,
-- and revocations with its generation. Programs of the schemas before run on it. A login that one
-- of them makes at an application that has lost the grant before is a dead one for later programs.

-- Raised whenever the application loses the grant refresh_token.
ALTER TABLE applications ADD COLUMN refresh_term INTEGER NOT NULL DEFAULT 0;
-- That of its application when it began. With another one it is dead, and goes when its time has
-- come.
ALTER TABLE refresh_tokens ADD COLUMN term INTEGER NOT NULL DEFAULT 0;

-- That of the application by then: all tokens of an earlier one are dead, so that what was revoked
-- of them singly is not counted, and goes. The largest number: a program of the schemas before has
-- written it on this one, and nobody knows. What was there before may be of any up to this one.
ALTER TABLE revoked_tokens ADD COLUMN generation INTEGER NOT NULL DEFAULT 9223372036854775807;
UPDATE revoked_tokens SET generation = coalesce((SELECT a.generation FROM applications AS a
    WHERE a.number = revoked_tokens.application), generation);
DROP INDEX revoked_tokens_application;
CREATE INDEX revoked_tokens_application ON revoked_tokens (application, generation, expires_s);
