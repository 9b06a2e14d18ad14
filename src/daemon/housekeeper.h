// SPDX-License-Identifier: Apache-2.0
// The thread for what is batched off the path: last-used notes every few seconds, expired
// revocations every few minutes.
#pragma once
#include "daemon/workers.h"

struct housekeeper;

enum twoleg_error housekeeper_start(struct server *server, struct workers *workers,
                                    struct housekeeper **ret_keeper) TWOLEG_MUST_CHECK;
void housekeeper_stop(struct housekeeper *keeper); // flushes once more; NULL is fine
