// SPDX-License-Identifier: Apache-2.0
// The server's configuration as a plain struct: loaded once, then read by everyone.
#pragma once
#include "base/arena.h"
#include "base/env.h"
#include "base/log.h"
#include "codec/rate.h"
#include "config/schema.h"
#include "model/application.h"

enum config_origin {
    CONFIG_DEFAULT,
    CONFIG_FILE,
    CONFIG_ENVIRONMENT,
    CONFIG_COMMAND_LINE,
    CONFIG_DERIVED // from other options
};

// One for each row of options.def, in its order.
enum config_option {
#define OPTION(id, field, type, shape, min, max, fallback, unit, reload, example, text) CONFIG_##id,
#include "config/options.def"
#undef OPTION
    CONFIG_OPTIONS
};

enum config_log_requests { CONFIG_LOG_NONE, CONFIG_LOG_REFUSED, CONFIG_LOG_ALL };

struct config_proxies {
    struct cidr *items;
    size_t count;
};

// PEM files of a TLS listener.
struct config_certificate {
    struct config_mark mark;
    struct str certificate; // followed by those between it and its authority
    struct str key;
};

struct config_certificates {
    struct config_certificate *items;
    size_t count;
};

struct config_listener {
    struct config_mark mark;
    struct schema_endpoint endpoint;
    unsigned doors; // bits of enum http_door; never 0 after config_load
    struct config_proxies trusted_proxies;
    struct config_certificates tls; // none: plain HTTP
    struct str dialect;             // empty: the one of the option
};

struct config_listeners {
    struct config_listener *items;
    size_t count;
};

// A gate of its own at /check/NAME.
struct config_check {
    struct config_mark mark;
    struct str name;
    struct str resource; // the audience asked for; empty: the default API
    struct str scope;    // all of these are needed; empty: none
    struct config_proxies trusted_proxies; // beside the listener's
    struct str dialect; // empty: the one of the host, or of the listener
};

// A name under which clients reach the server, and how it speaks there.
struct config_host {
    struct config_mark mark;
    struct str name;
    struct str dialect;
};

struct config_hosts {
    struct config_host *items;
    size_t count;
};

struct config_checks {
    struct config_check *items;
    size_t count;
};

struct config {
    struct arena arena; // holds all texts and lists
    struct str file;    // as it was given; empty without a file
    // Origin of each option; config_mark is the place in the file.
    struct {
        enum config_origin origin;
        struct config_mark mark;
        struct str source; // "--listen", "$TWOLEG_DATA", "one for each core"
    } origins[CONFIG_OPTIONS];

    // The options; durations in microseconds. The field is named as the option.
    struct config_listeners listen;
    struct str issuer;               // without a slash at the end
    struct str service_documentation; // empty: not in the metadata
    struct str data;
    struct str master_key_file; // empty: the systemd credential, or DIR/master.key
    struct str user;            // to become; empty: whoever starts the server
    bool sandbox;
    int64_t workers;            // never 0 after config_load
    struct config_checks checks;
    struct str dialect; // of listeners that name none
    struct config_hosts hosts;
    struct str dialect_folder; // empty: only those that came with the program
    bool allow_query_credentials;
    int64_t token_ttl;
    int64_t jwt_max_ttl;
    unsigned token_format; // enum token_format
    struct str token_prefix;
    struct str secret_prefix;
    int64_t jwks_max_age;
    int64_t key_rotation; // TIME_NEVER: not by itself
    int64_t application_cache;
    unsigned log_requests; // enum config_log_requests
    unsigned log_level;    // enum log_level
    int64_t tls_timeout;
    int64_t header_timeout;
    int64_t body_timeout;
    int64_t idle_timeout;
    int64_t write_timeout;
    int64_t drain_timeout;
    int64_t max_connections;
    int64_t max_connections_per_address;
    struct rate handshakes_per_address;
    int64_t max_waiting;
    struct rate failures_per_address;
    struct rate failures_per_client;
    struct rate slow_hashes_per_client;
    bool password_grant;
    struct rate passwords_per_user;
    int64_t refresh_ttl;
    int64_t refresh_idle;
    struct str refresh_prefix;
    struct rate budget;
    bool budget_observe;
};

// The table itself, for the walker, show and tests.
const struct schema_shape *config_schema(void);
