// SPDX-License-Identifier: Apache-2.0
// The command line: a table of commands, each with its options. Commands speak to the server over
// the admin socket of the data folder and know nothing that the admin API does not.
#pragma once
#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/load.h"

#define CLI_MESSAGE_MAX 6000 // a path of 4096 bytes, and words

// Exit codes; documented in twoleg(1).
enum cli_exit {
    CLI_DONE = 0,
    CLI_REFUSED = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_CONFLICT = 4,
    CLI_NO_SERVER = 5
};

enum cli_option {
#define CLI_OPTION(id, name, argument, repeated, help) CLI_##id,
#include "cli/options.def"
#undef CLI_OPTION
    CLI_OPTIONS
};
#define CLI_BIT(id) (UINT64_C(1) << CLI_##id)

struct cli_option_row {
    const char *name;
    const char *argument; // NULL: takes none
    bool repeated;
    const char *help;
};
extern const struct cli_option_row cli_option_rows[CLI_OPTIONS];

#define CLI_VALUES_MAX 64
#define CLI_WORDS_MAX 8

struct cli_values {
    const char *items[CLI_VALUES_MAX]; // NULL for an option without argument
    size_t count;
};

struct cli;

struct cli_command {
    const char *name;      // "app create"
    const char *arguments; // "CLIENT_ID", or ""
    unsigned arguments_least, arguments_most;
    uint64_t options;
    const char *summary;
    enum cli_exit (*run)(struct cli *cli);
};
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

struct cli {
    const struct cli_command *command;
    struct cli_values options[CLI_OPTIONS];
    const char *words[CLI_WORDS_MAX]; // as given: the command's own, then its arguments
    size_t word_count;
    const char *const *arguments; // in words
    struct arena arena;
    const char *folder; // the data folder, once it was asked for
    json_int_t if_match; // the next change is made from this version of its object; 0: from any
};

// What main does. Everything is freed.
enum cli_exit cli_main(int argc, char **argv);

// Fills everything but arena and folder; says what is wrong on standard error. A command given with
// --help, or none at all, has its help printed by cli_main.
enum cli_exit cli_parse(struct cli *cli, int argc, char **argv);
// The command whose name is the first one or two words; *ret_used tells how many.
const struct cli_command *cli_command_find(const char *const *words, size_t count,
                                           size_t *ret_used);
bool cli_given(const struct cli *cli, enum cli_option option);
const char *cli_value(const struct cli *cli, enum cli_option option); // NULL: not given

// With --json every line on standard error is an object: {"error": the exit code as a word,
// "message": text}, or {"notice": ..., "message": ...}. It holds for the process, as standard error
// does; cli_parse sets it from the arguments, also where they are wrong.
void cli_speak_json(bool json);
bool cli_speaks_json(void);
// What is no error but should be seen; word is for programs.
void cli_notice(const char *word, const char *format, ...) __attribute__((format(printf, 2, 3)));
// One line on standard error; gives the code back.
enum cli_exit cli_fail(enum cli_exit code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum cli_exit cli_usage(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The data folder; NULL after a message: CLI_NO_SERVER, as there is none to ask.
const char *cli_folder(struct cli *cli);
const char *cli_folder_quietly(struct cli *cli); // the same without a message
// Asks before something stops working; what is whole sentences. CLI_DONE: go on.
enum cli_exit cli_confirm(struct cli *cli, const char *what);

void cli_help_all(FILE *out);
// The commands of a group such as `app`; false when there is no such group.
bool cli_help_group(FILE *out, const char *group);
void cli_help_command(FILE *out, const struct cli_command *command);
// The same as an object; command NULL: all that begin with group, and with that NULL all there are.
void cli_help_json(const struct cli_command *command, const char *group);

enum cli_exit cli_serve(struct cli *cli), cli_config_check(struct cli *cli);
enum cli_exit cli_config_show(struct cli *cli), cli_config_default(struct cli *cli);
enum cli_exit cli_version(struct cli *cli), cli_help(struct cli *cli);
enum cli_exit cli_app_create(struct cli *cli), cli_app_list(struct cli *cli);
enum cli_exit cli_app_show(struct cli *cli), cli_app_update(struct cli *cli);
enum cli_exit cli_app_disable(struct cli *cli), cli_app_enable(struct cli *cli);
enum cli_exit cli_app_delete(struct cli *cli), cli_app_revoke_tokens(struct cli *cli);
enum cli_exit cli_app_import(struct cli *cli);
enum cli_exit cli_secret_add(struct cli *cli), cli_secret_list(struct cli *cli);
enum cli_exit cli_secret_remove(struct cli *cli);
enum cli_exit cli_user_add(struct cli *cli), cli_user_list(struct cli *cli);
enum cli_exit cli_user_show(struct cli *cli), cli_user_passwd(struct cli *cli);
enum cli_exit cli_user_disable(struct cli *cli), cli_user_enable(struct cli *cli);
enum cli_exit cli_user_delete(struct cli *cli);
enum cli_exit cli_api_create(struct cli *cli), cli_api_list(struct cli *cli);
enum cli_exit cli_scope_add(struct cli *cli), cli_scope_list(struct cli *cli);
enum cli_exit cli_scope_remove(struct cli *cli);
enum cli_exit cli_token_inspect(struct cli *cli), cli_token_revoke(struct cli *cli);
enum cli_exit cli_key_list(struct cli *cli), cli_key_rotate(struct cli *cli);
enum cli_exit cli_key_compromise(struct cli *cli), cli_master_rotate(struct cli *cli);
enum cli_exit cli_backup(struct cli *cli), cli_restore(struct cli *cli);
enum cli_exit cli_audit_list(struct cli *cli), cli_status(struct cli *cli);
enum cli_exit cli_reload(struct cli *cli);
enum cli_exit cli_dialect_list(struct cli *cli), cli_dialect_show(struct cli *cli);
enum cli_exit cli_dialect_example(struct cli *cli);
enum cli_exit cli_dialect_check(struct cli *cli), cli_dialect_try(struct cli *cli);
