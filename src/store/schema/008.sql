-- SPDX-License-Identifier: Apache-2.0
-- Schema 8: reference tokens of which each takes the place of the one before, and the secret with
-- which a refresh token was got. Programs of the schemas before run on it: they write no such
-- references, and read these as any other; logins that they make or renew name no secret or the
-- one before, and they do not ask whether its tokens were revoked.

-- Of the one that has the place now: what its text is derived from, beside a data key. NULL =
-- another one has it, or it is not of that kind.
ALTER TABLE reference_tokens ADD COLUMN nonce BLOB CHECK (length(nonce) = 16);
CREATE UNIQUE INDEX reference_tokens_sole ON reference_tokens (application, subject)
    WHERE nonce IS NOT NULL;

-- That was shown for `current`: with its tokens the login ends. 0 = nobody knows.
ALTER TABLE refresh_tokens ADD COLUMN credential INTEGER NOT NULL DEFAULT 0;
