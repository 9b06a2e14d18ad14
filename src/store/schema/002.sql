-- SPDX-License-Identifier: Apache-2.0
-- Schema 2: a budget of an application's own (model/budget.h). Programs of schema 1 run on it: what
-- they make has the defaults, and what they change keeps its budget.

ALTER TABLE applications ADD COLUMN budget TEXT NOT NULL DEFAULT 'default'
    CHECK (length(budget) BETWEEN 1 AND 47);
ALTER TABLE applications ADD COLUMN budget_mode INTEGER NOT NULL DEFAULT 0
    CHECK (budget_mode IN (0, 1, 2));
