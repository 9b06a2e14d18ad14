// SPDX-License-Identifier: Apache-2.0
#include "endpoint/reload.h"

#define OUTCOME_CAP ((size_t)16 * 1024 * 1024)

bool reload_outcome_init(struct reload_outcome *outcome)
{
    *outcome = (struct reload_outcome){.certificates = 0};
    arena_init(&outcome->arena, NULL, OUTCOME_CAP);
    return config_report_init(&outcome->report, &outcome->arena);
}

void reload_outcome_finish(struct reload_outcome *outcome)
{
    arena_finish(&outcome->arena);
}
