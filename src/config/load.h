// SPDX-License-Identifier: Apache-2.0
// Brings the sources together. From weak to strong: default, file, environment, command line.
#pragma once
#include "base/error.h"
#include "config/config.h"

#define CONFIG_STORE_FILE "twoleg.db" // a data folder that has it holds a store
#define CONFIG_SYSTEM_DATA "/var/lib/twoleg"
#define CONFIG_LISTEN_MAX 64

struct config_sources {
    const char *file;          // --config; NULL: none
    const char *data;          // --data; NULL: not given
    const char *const *listen; // --listen, each as given; they replace the file's list
    size_t listen_count;
    // Addresses of sockets that are open already ($LISTEN_FDS): the list of a configuration that
    // names none.
    const char *inherited[CONFIG_LISTEN_MAX];
    size_t inherited_count;
    const char *user;          // --user; NULL: not given
    const char *dialect;       // --dialect; NULL: not given
    // From outside, so that tests are exact: config_sources_init takes them from the process.
    const char *environment_data; // $TWOLEG_DATA
    const char *home;             // $HOME
    const char *state_home;       // $XDG_STATE_HOME
    const char *system_data;      // CONFIG_SYSTEM_DATA
    int64_t cores;
    // Where relative paths of command line and environment start, so that what is shown means the
    // same everywhere; empty: they stay as they are.
    char current[4096];
};

// Zero but for what comes from the process: environment, system folder, number of cores.
void config_sources_init(struct config_sources *sources);

// Loads and checks everything. MALFORMED: *errors says why. NO_MEMORY. The report's arena is
// the caller's.
enum twoleg_error config_load(const struct config_sources *sources, struct config *ret_config,
                              struct config_report *errors) TWOLEG_MUST_CHECK;
void config_finish(struct config *config); // NULL and zero are fine

// The issuer of a configuration that names none, once it is known where the first listener is bound
// (port 0 lets the system choose). Does nothing when an issuer was given. NO_MEMORY.
enum twoleg_error config_derive_issuer(struct config *config,
                                       const struct address *bound) TWOLEG_MUST_CHECK;

// The data folder alone, for commands that read no file: --data, $TWOLEG_DATA, the system's folder
// if it holds a store, else $XDG_STATE_HOME/twoleg or ~/.local/state/twoleg. NO_MEMORY;
// MISSING without a home folder.
struct config_folder {
    struct str path; // with a NUL behind it, in the arena
    enum config_origin origin;
    struct str source; // "--data", "$TWOLEG_DATA"; empty for a default
};
enum twoleg_error config_find_data(const struct config_sources *sources, struct arena *arena,
                                   struct config_folder *ret_folder) TWOLEG_MUST_CHECK;
