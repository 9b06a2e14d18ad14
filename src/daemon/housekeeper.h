// SPDX-License-Identifier: Apache-2.0
// The thread for what is done off the path: each second what failed is tried again, who waits too
// long is told so, and the clock is looked at; last-used notes are written every few seconds,
// expired revocations are forgotten once a day.
#pragma once
#include "daemon/notify.h"
#include "daemon/workers.h"

struct housekeeper;

enum twoleg_error housekeeper_start(struct server *server, struct workers *workers,
                                    const struct notify *notify,
                                    struct housekeeper **ret_keeper) TWOLEG_MUST_CHECK;
void housekeeper_stop(struct housekeeper *keeper); // flushes once more; NULL is fine
