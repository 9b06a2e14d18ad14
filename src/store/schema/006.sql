-- SPDX-License-Identifier: Apache-2.0
-- Schema 6: which refresh tokens an access token came with, so that it ends with them. Programs of
-- the schemas before run on it: what they issue ends by itself alone, and they do not ask which
-- families have ended.

ALTER TABLE reference_tokens ADD COLUMN family INTEGER NOT NULL DEFAULT 0; -- 0 = none

-- The second in which the last access token of the family will have expired; 0 = none names it,
-- the largest number = one never expires. So long is it known that the family has ended.
ALTER TABLE refresh_tokens ADD COLUMN tokens_until_s INTEGER NOT NULL DEFAULT 0
    CHECK (tokens_until_s >= 0);
