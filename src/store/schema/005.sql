-- SPDX-License-Identifier: Apache-2.0
-- Schema 5: dialects that an application is tied to. Programs of the schemas before run on it, and
-- know its applications in all dialects, as they know all.

ALTER TABLE applications ADD COLUMN dialects TEXT NOT NULL DEFAULT ''
    CHECK (length(dialects) <= 512);

-- For whoever asks which dialects are meant at all: most applications are tied to none.
CREATE INDEX applications_by_dialects ON applications (dialects, client_id)
    WHERE dialects <> '' AND status <> 2;
