// SPDX-License-Identifier: Apache-2.0
// The store as a whole: the way back of a copy, status.
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/show.h"

// What root put into another user's folder that user could not read. A user without a name gets the
// store's own refusal.
static enum cli_exit store_is_roots(struct cli *cli, const char *file)
{
    struct stat info;
    if (geteuid() != 0 || stat(cli->folder, &info) || info.st_uid == 0)
        return CLI_DONE;
    const struct passwd *owner = getpwuid(info.st_uid);
    if (!owner)
        return CLI_DONE;
    return cli_fail(CLI_REFUSED,
                    "the data folder %s belongs to %s: runuser -u %s -- twoleg restore %s --data "
                    "%s (%s must be able to read the file)",
                    cli->folder, owner->pw_name, owner->pw_name, file, cli->folder,
                    owner->pw_name);
}

// Said before anybody is asked; store_restore looks again, under its lock.
static enum cli_exit store_may_restore(struct cli *cli, const char *file)
{
    struct stat info;
    if (access(file, R_OK) != 0 || stat(file, &info) != 0)
        return cli_fail(errno == ENOENT ? CLI_NOT_FOUND : CLI_REFUSED, "%s: %s (data folder %s)",
                        file, strerror(errno), cli->folder);
    if (!S_ISREG(info.st_mode))
        return cli_fail(CLI_REFUSED, "%s: is not a regular file (data folder %s)", file,
                        cli->folder);
    if (cli_server_runs(cli))
        return cli_fail(CLI_CONFLICT, "a server runs on the data folder %s: stop it first",
                        cli->folder);
    return store_is_roots(cli, file);
}

// The copy may be from before a change of the master key. Which key opens it, the start finds out:
// what is configured is not known here.
static void store_notice_master(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool found = false;
    while (dir && !found && (entry = readdir(dir)))
        found = str_starts_with(str_from(entry->d_name), STR("master.key.before-"));
    if (dir)
        closedir(dir);
    if (found)
        cli_notice("master_key_changed", "warning: the master key was changed once. If the copy "
                   "is from before that, the server does not start, and names the file %s/"
                   "master.key.before-... that opens it", folder);
}

enum cli_exit cli_restore(struct cli *cli)
{
    char reason[512] = "";
    struct buf what;
    bool keep = cli_given(cli, CLI_KEEP_TOKENS);
    const char *folder = cli_folder(cli);
    if (!folder)
        return CLI_NO_SERVER;
    enum cli_exit code = store_may_restore(cli, cli->arguments[0]);
    if (code)
        return code;
    buf_init_arena(&what, &cli->arena, 512);
    buf_addf(&what, "%s takes the place of the store in %s; the present one is kept beside it. All "
             "changes since the copy are gone. %s", cli->arguments[0], folder,
             keep ? "Tokens issued before stay good, also those revoked since the copy."
                  : "All tokens issued before stop working.");
    buf_add_char(&what, '\0');
    code = what.failed ? cli_fail(CLI_REFUSED, "out of memory") : cli_confirm(cli, what.ptr);
    if (code)
        return code;
    enum twoleg_error error = store_restore(folder, cli->arguments[0], keep, reason);
    if (error) {
        code = error == TWOLEG_CONFLICT    ? CLI_CONFLICT
               : error == TWOLEG_NOT_FOUND ? CLI_NOT_FOUND
                                           : CLI_REFUSED;
        return cli_fail(code, "%s (data folder %s)",
                        reason[0] ? reason : twoleg_error_text(error), folder);
    }
    if (reason[0])
        cli_notice("gone_keys_unknown", "warning: %s", reason);
    store_notice_master(folder);
    json_t *answer = json_pack("{s:s, s:b, s:b}", "folder", folder, "tokens_kept", keep,
                               "gone_keys_known", reason[0] == '\0');
    if (!show_json(cli, answer))
        printf("%s is restored. %s\n", folder,
               keep ? "Tokens issued before are good, also those revoked since the copy."
                    : "Tokens issued before are dead; applications get new ones with their "
                      "secrets.");
    json_decref(answer);
    return CLI_DONE;
}

enum cli_exit cli_status(struct cli *cli)
{
    static const struct show_column lines[] = {
        {"Version", "version", SHOW_TEXT},           {"Issuer", "issuer", SHOW_TEXT},
        {"Data folder", "data", SHOW_TEXT},          {"Ready", "ready", SHOW_YES},
        {"Up", "uptime", SHOW_LIFE},                 {"Applications", "applications", SHOW_COUNT},
        {"Loaded", "applications_loaded", SHOW_COUNT}, {"Revocations", "revocations", SHOW_COUNT},
        {"Store failed last", "store_failed_at", SHOW_TIME}, {"Why", "store_failure", SHOW_TEXT},
        {"Dialects", "dialects", SHOW_LIST},
        {"Failures limited", "failures_limited", SHOW_COUNT},
        {"Beyond the budget", "budget_limited", SHOW_COUNT},
        {"Only observed", "budget_observed", SHOW_COUNT},
    };
    json_t *answer;
    enum cli_exit code = cli_call(cli, "GET", "/admin/v1/status", NULL, &answer);
    if (code)
        return code;
    if (!show_json(cli, answer))
        show_lines(cli, answer, lines, sizeof lines / sizeof *lines);
    json_decref(answer);
    return CLI_DONE;
}
