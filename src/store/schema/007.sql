-- SPDX-License-Identifier: Apache-2.0
-- Schema 7: refresh tokens end with the grant of their application without a look at any of them.
-- Programs of the schemas before run on it. A login that one of them makes at an application that
-- has lost the grant before is a dead one for later programs.

-- Raised whenever the application loses the grant refresh_token.
ALTER TABLE applications ADD COLUMN refresh_term INTEGER NOT NULL DEFAULT 0;
-- That of its application when it began. With another one it is dead, and goes when its time has
-- come.
ALTER TABLE refresh_tokens ADD COLUMN term INTEGER NOT NULL DEFAULT 0;

-- With the time: revocations from before the application's generation are not counted, and go.
DROP INDEX revoked_tokens_application;
CREATE INDEX revoked_tokens_application ON revoked_tokens (application, expires_s, revoked_us);
