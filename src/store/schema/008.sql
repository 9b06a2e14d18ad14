-- SPDX-License-Identifier: Apache-2.0
-- Schema 8: reference tokens of which each takes the place of the one before. Programs of the
-- schemas before run on it: they write none, and read these as any other.

-- Of the one that has the place now: what its text is derived from, beside a data key. NULL =
-- another one has it, or it is not of that kind.
ALTER TABLE reference_tokens ADD COLUMN nonce BLOB CHECK (length(nonce) = 16);
CREATE UNIQUE INDEX reference_tokens_sole ON reference_tokens (application, subject)
    WHERE nonce IS NOT NULL;
