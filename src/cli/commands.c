// SPDX-License-Identifier: Apache-2.0
// All commands, in the order of the manual.
#include "cli/cli.h"

const struct cli_option_row cli_option_rows[CLI_OPTIONS] = {
#define CLI_OPTION(id, name, argument, repeated, help) {name, argument, repeated, help},
#include "cli/options.def"
#undef CLI_OPTION
};

#define HELP CLI_BIT(HELP)
#define LOCAL (CLI_BIT(JSON) | HELP)
#define REMOTE (CLI_BIT(DATA) | LOCAL)
#define SERVER (CLI_BIT(CONFIG) | CLI_BIT(DATA) | CLI_BIT(LISTEN) | \
                CLI_BIT(USER) | CLI_BIT(DIALECT) | HELP)
#define RIGHTS (CLI_BIT(NAME) | CLI_BIT(SCOPE) | CLI_BIT(TOKEN_FORMAT) | CLI_BIT(TOKEN_TTL) | \
                CLI_BIT(GRANTS) | CLI_BIT(BUDGET) | CLI_BIT(BUDGET_MODE) | CLI_BIT(DIALECTS) | \
                CLI_BIT(AUDIENCE) | CLI_BIT(SERVES) | CLI_BIT(RESOURCE_SERVER))
#define BOUNDS (CLI_BIT(SCOPE) | CLI_BIT(AUDIENCE))
#define SECRET (CLI_BIT(CLIENT_SECRET_FILE) | CLI_BIT(SECRET_FILE))
#define PAGE (CLI_BIT(AFTER) | CLI_BIT(LIMIT))

const struct cli_command cli_commands[] = {
    {"serve", "", 0, 0, SERVER | CLI_BIT(CHANGE_ISSUER),
     "Run the server until it is told to stop.", cli_serve},
    {"config check", "", 0, 0, SERVER | LOCAL, "Check the configuration and say what is wrong.",
     cli_config_check},
    {"config show", "", 0, 0, SERVER | LOCAL, "Print each value and where it comes from.",
     cli_config_show},
    {"config default", "", 0, 0, LOCAL, "Print a configuration file with all defaults.",
     cli_config_default},
    {"dialect list", "", 0, 0, REMOTE | CLI_BIT(CONFIG),
     "List the dialects that came with the program, and those of the dialect_folder.",
     cli_dialect_list},
    {"dialect show", "NAME|FILE", 1, 1, REMOTE | CLI_BIT(CONFIG), "Print a dialect's file.",
     cli_dialect_show},
    {"dialect example", "NAME|FILE", 1, 1, REMOTE | CLI_BIT(CONFIG),
     "Print commands that get a token, with {url}, {id} and {secret} in them, and show it.",
     cli_dialect_example},
    {"dialect check", "NAME|FILE", 1, 1, REMOTE | CLI_BIT(CONFIG),
     "Check a dialect's file and say what is wrong.", cli_dialect_check},
    {"dialect try", "NAME|FILE", 1, 1, REMOTE | CLI_BIT(CONFIG),
     "Say how the request on standard input would be read and answered; nothing is run.",
     cli_dialect_try},
    {"app create", "", 0, 0, REMOTE | RIGHTS | SECRET | CLI_BIT(CLIENT_ID),
     "Make an application; its secret is shown once.", cli_app_create},
    {"app list", "", 0, 0, REMOTE, "List the applications.", cli_app_list},
    {"app show", "CLIENT_ID", 1, 1, REMOTE, "Show an application and its secrets' numbers.",
     cli_app_show},
    {"app update", "CLIENT_ID", 1, 1, REMOTE | RIGHTS | CLI_BIT(YES),
     "Change what is given; tokens out keep their expiry.", cli_app_update},
    {"app disable", "CLIENT_ID", 1, 1, REMOTE | CLI_BIT(YES),
     "Its tokens are dead at once, and it gets no new ones.", cli_app_disable},
    {"app enable", "CLIENT_ID", 1, 1, REMOTE | CLI_BIT(KEEP_TOKENS),
     "It gets tokens again; those from before stay dead.", cli_app_enable},
    {"app delete", "CLIENT_ID", 1, 1, REMOTE | CLI_BIT(YES),
     "Delete an application, with its secrets and tokens, for ever.", cli_app_delete},
    {"app revoke-tokens", "CLIENT_ID", 1, 1, REMOTE | CLI_BIT(YES),
     "All its tokens are dead at once; its secrets stay good.", cli_app_revoke_tokens},
    {"app import", "FILE|-", 1, 1, REMOTE | CLI_BIT(DRY_RUN) | CLI_BIT(UPDATE) |
     CLI_BIT(LONG_SECRETS),
     "Take applications over, with the IDs and secrets they had elsewhere.", cli_app_import},
    {"secret add", "CLIENT_ID", 1, 1, REMOTE | SECRET | CLI_BIT(LABEL) | CLI_BIT(EXPIRES),
     "Add a secret, at most ten live ones; it is shown once.", cli_secret_add},
    {"secret list", "CLIENT_ID", 1, 1, REMOTE, "List an application's secrets.",
     cli_secret_list},
    {"secret remove", "CLIENT_ID SECRET", 2, 2, REMOTE | CLI_BIT(YES) | CLI_BIT(REVOKE_TOKENS),
     "Remove a secret by its number (sec_...).", cli_secret_remove},
    {"user add", "USERNAME", 1, 1, REMOTE | CLI_BIT(PASSWORD_FILE) | BOUNDS,
     "Make a user for the password grant, with these scopes.", cli_user_add},
    {"user list", "", 0, 0, REMOTE, "List the users.", cli_user_list},
    {"user show", "USERNAME", 1, 1, REMOTE, "Show a user and its scopes.", cli_user_show},
    {"user passwd", "USERNAME", 1, 1, REMOTE | CLI_BIT(PASSWORD_FILE) | CLI_BIT(YES),
     "Give a user another password; tokens it has are dead at once.", cli_user_passwd},
    {"user disable", "USERNAME", 1, 1, REMOTE | CLI_BIT(YES),
     "Its tokens are dead at once, and it gets no new ones.", cli_user_disable},
    {"user enable", "USERNAME", 1, 1, REMOTE | CLI_BIT(KEEP_TOKENS),
     "It gets tokens again; those from before stay dead.", cli_user_enable},
    {"user delete", "USERNAME", 1, 1, REMOTE | CLI_BIT(YES),
     "Delete a user, with its tokens, for ever.", cli_user_delete},
    {"scope add", "SCOPE", 1, 1, REMOTE | CLI_BIT(API), "Declare a scope of an API.",
     cli_scope_add},
    {"scope list", "", 0, 0, REMOTE | CLI_BIT(API), "List the scopes.", cli_scope_list},
    {"scope remove", "SCOPE", 1, 1, REMOTE | CLI_BIT(API) | CLI_BIT(YES),
     "Remove a scope, also from every application and token.", cli_scope_remove},
    {"api create", "URI", 1, 1, REMOTE | CLI_BIT(NAME) | CLI_BIT(SCOPE) | CLI_BIT(ALGORITHM),
     "Make an API (audience).", cli_api_create},
    {"api list", "", 0, 0, REMOTE, "List the APIs.", cli_api_list},
    {"token inspect", "", 0, 0, REMOTE,
     "Say what the token on standard input is, and whether it is good.", cli_token_inspect},
    {"token revoke", "", 0, 0, REMOTE, "Revoke the token on standard input.", cli_token_revoke},
    {"key list", "", 0, 0, REMOTE, "List the signing keys and what becomes of them.", cli_key_list},
    {"key rotate", "[ALGORITHM]", 0, 1, REMOTE,
     "Announce the next signing key now; it signs once it is known everywhere.", cli_key_rotate},
    {"key compromise", "KID", 1, 1, REMOTE | CLI_BIT(YES),
     "End a signing key at once, with every token that it signed.", cli_key_compromise},
    {"master rotate", "", 0, 0, REMOTE | CLI_BIT(YES),
     "Seal all keys under a new master key.", cli_master_rotate},
    {"backup", "FILE", 1, 1, REMOTE, "Copy the store to a new file while the server runs.",
     cli_backup},
    {"restore", "FILE", 1, 1, REMOTE | CLI_BIT(YES) | CLI_BIT(KEEP_TOKENS),
     "Put a copy in the place of the store; no server may run.", cli_restore},
    {"audit list", "", 0, 0, REMOTE | PAGE, "List who changed what: the latest, oldest first.",
     cli_audit_list},
    {"status", "", 0, 0, REMOTE, "Say how the running server is.", cli_status},
    {"reload", "", 0, 0, REMOTE, "Read the configuration and the certificates again.", cli_reload},
    {"version", "", 0, 0, LOCAL, "Print the version.", cli_version},
    {"help", "[COMMAND]", 0, 2, LOCAL, "Print the help of a command, or of all.", cli_help},
};
const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;
