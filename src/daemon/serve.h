// SPDX-License-Identifier: Apache-2.0
// `twoleg serve`: puts the parts together, runs them, takes them apart.
#pragma once
#include "config/load.h"
#include "daemon/activation.h"

struct serve_options {
    bool change_issuer; // a stored issuer may be replaced by the configured one
    struct activation *activation; // sockets that are there already; NULL: none
    const struct config_sources *sources; // where a reload reads the configuration again
};

// First of all, before the configuration is read: a SIGHUP that comes before the server is ready
// waits until it is, and is a reload then. Without this it would end the process.
void daemon_begin(void);

// Takes the configuration. Runs until SIGTERM or SIGINT; every complaint goes to standard error in
// words. Returns the exit code: 0 after a drain, 1 when it could not start or had to stop.
int daemon_serve(struct config *config, const struct serve_options *options);
