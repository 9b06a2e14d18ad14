// SPDX-License-Identifier: Apache-2.0
// Reads the configuration and the certificates again while the server runs. A thread of its own
// does it: it reads files and waits for the disk. All or nothing: the new snapshot comes in force
// whole, with its row in the audit, or the old one stays, and it is said why. E16, G7, H22.
#pragma once
#include "config/load.h"
#include "daemon/notify.h"
#include "endpoint/reload.h"
#include "endpoint/server.h"

struct reload;

struct reload_settings {
    struct server *server;
    const struct config_sources *sources; // as at the start
    struct tls_tickets *tickets;
    const struct notify *notify;
};

enum twoleg_error reload_start(const struct reload_settings *settings,
                               struct reload **ret_reload) TWOLEG_MUST_CHECK;
// A reload that begins from now on, asked for by that user; several that wait are one.
// Nobody is answered but the log.
void reload_ask(struct reload *reload, unsigned uid);
// The same; its job ends with the outcome in it, which was initialised. Any thread.
void reload_order(struct reload *reload, struct reload_order *order);
// Orders that have not begun end with STOPPING. NULL accepted. Before the workers are destroyed.
void reload_stop(struct reload *reload);
