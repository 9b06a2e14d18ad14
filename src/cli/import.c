// SPDX-License-Identifier: Apache-2.0
// `app import`: two passes over a file. The first asks the server about every line and changes
// nothing; if one of them is bad, that is all. The second makes one change for each line, whole or
// not at all. What is there as the line says is passed over, so the way to go on after a failure is
// to do the same again.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/siphash.h"
#include "cli/app_body.h"
#include "cli/call.h"
#include "cli/import_source.h"
#include "cli/show.h"

#define IMPORT_APPLICATIONS_MAX 1000000
#define IMPORT_SLOTS ((size_t)1 << 21) // a power of two, twice as many
#define IMPORT_COMPLAINTS_MAX 20
#define IMPORT_TELL_US SECOND_US // between two words about how far it is, at least
#define IMPORT_TELL_SHARE 4       // where they pile up: this part of the time since it began
#define IMPORT_SCOPES_TOLD_MAX 1000

// Keyed hashes of the client IDs, and where they stood. Two of a million are alike once in
// thirty million files.
struct import_seen {
    struct siphash_key key;
    uint64_t *ids;
    uint32_t *numbers; // of applications, from 1
};

struct import_run {
    struct cli *cli;
    const char *path; // in messages
    bool dry;         // nothing is changed: the first pass, or the only one
    bool terminal;
    int64_t began, tells; // of this pass, and when it says next how far it is; monotonic
    uint64_t applications; // of this pass
    uint64_t total;        // once the first pass has counted them
    uint64_t created, updated, unchanged;
    uint64_t complaints;
    bool differs; // one of them is of an application that is there with other facts
    struct import_seen seen;
    bool *there; // unchanged in the first pass
    uint64_t *lines; // of the file, by application
    json_t *scopes; // new ones, and by which API they are declared
    bool grants_off; // some application is given grants that the configuration refuses
    struct import_source source;
    struct import_lines form;
    struct call_refusal refusal;
};

static void import_finish(struct import_run **run)
{
    if (!*run)
        return;
    import_source_close(&(*run)->source);
    explicit_bzero(&(*run)->form, sizeof (*run)->form);
    json_decref((*run)->scopes);
    free((*run)->seen.ids);
    free((*run)->seen.numbers);
    free((*run)->there);
    free((*run)->lines);
    free(*run);
}

// Large tables cost what is touched of them: the system gives zeroed pages when they are.
static struct import_run *import_start(struct cli *cli)
{
    struct env env;
    struct import_run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->cli = cli;
    run->path = strcmp(cli->arguments[0], "-") == 0 ? "standard input" : cli->arguments[0];
    run->terminal = isatty(STDERR_FILENO) && !cli_speaks_json();
    run->source.fd = -1;
    run->scopes = json_object();
    run->seen.ids = calloc(IMPORT_SLOTS, sizeof *run->seen.ids);
    run->seen.numbers = calloc(IMPORT_SLOTS, sizeof *run->seen.numbers);
    run->there = calloc(IMPORT_APPLICATIONS_MAX + 1, sizeof *run->there);
    run->lines = calloc(IMPORT_APPLICATIONS_MAX + 1, sizeof *run->lines);
    env_init(&env);
    bool good = run->scopes && run->seen.ids && run->seen.numbers && run->there && run->lines &&
                env_random_u64(&env, &run->seen.key.k0) && env_random_u64(&env, &run->seen.key.k1);
    env_finish(&env);
    if (!good)
        import_finish(&run);
    return good ? run : NULL;
}

// ---------------------------------------------------------------------------------- words

static void import_clear(const struct import_run *run)
{
    if (run->terminal)
        fputs("\r\033[K", stderr);
}

static const char *import_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

// By time, since a line costs anything from nothing to a slow hash. A terminal has one line for it.
static void import_tell(struct import_run *run)
{
    char text[160];
    int64_t now = env_mono();
    int64_t share = run->terminal ? 0 : (now - run->began) / IMPORT_TELL_SHARE;
    if (now < run->tells)
        return;
    run->tells = now + (share > IMPORT_TELL_US ? share : IMPORT_TELL_US);
    if (run->dry)
        snprintf(text, sizeof text, "%llu application%s checked",
                 (unsigned long long)run->applications, import_plural(run->applications));
    else
        snprintf(text, sizeof text,
                 "%llu of %llu application%s: %llu created, %llu updated, %llu unchanged",
                 (unsigned long long)run->applications, (unsigned long long)run->total,
                 import_plural(run->total), (unsigned long long)run->created,
                 (unsigned long long)run->updated, (unsigned long long)run->unchanged);
    if (run->terminal)
        fprintf(stderr, "\r%s", text);
    else
        cli_notice("progress", "%s", text);
}

static void import_complain(struct import_run *run, const char *problem)
{
    run->complaints++;
    if (run->complaints > IMPORT_COMPLAINTS_MAX)
        return;
    import_clear(run);
    cli_fail(CLI_REFUSED, "%s:%llu: %s", run->path, (unsigned long long)run->source.number,
             problem);
}

// What is to be told of many lines once: each of them finds a scope new before it is declared.
static void import_note_words(struct import_run *run, const json_t *answer)
{
    const json_t *declared = run->dry ? json_object_get(answer, "declared") : NULL;
    for (size_t i = 0; i < json_array_size(declared); i++) {
        const json_t *row = json_array_get(declared, i);
        const char *scope = show_member(row, "scope");
        if (!json_object_get(run->scopes, scope) &&
            json_object_size(run->scopes) < IMPORT_SCOPES_TOLD_MAX)
            json_object_set(run->scopes, scope, json_object_get(row, "identifier"));
    }
    run->grants_off = run->grants_off || json_is_true(json_object_get(answer, "grants_off"));
}

// Before anything is declared, and only if it will be.
static void import_tell_words(struct import_run *run)
{
    const char *scope;
    json_t *identifier;
    bool dry = cli_given(run->cli, CLI_DRY_RUN);
    json_object_foreach(run->scopes, scope, identifier)
        cli_notice("scope_new", "the scope \"%s\" is not known yet: the import %s it by %s", scope,
                   dry ? "would declare" : "declares", json_string_value(identifier));
    if (run->grants_off)
        app_tell_grants_off();
}

// ---------------------------------------------------------------------------------- lines

// The place of the ID in the table; the table is never full.
static size_t import_slot(const struct import_seen *seen, uint64_t id)
{
    size_t at = (size_t)id & (IMPORT_SLOTS - 1);
    while (seen->ids[at] && seen->ids[at] != id)
        at = (at + 1) & (IMPORT_SLOTS - 1);
    return at;
}

// False: the ID was there before, and that has been said.
static bool import_note(struct import_run *run, uint64_t id)
{
    char problem[96];
    size_t at = import_slot(&run->seen, id);
    uint32_t before = run->seen.numbers[at];
    if (before) {
        snprintf(problem, sizeof problem, "the client ID of line %llu again",
                 (unsigned long long)run->lines[before]);
        import_complain(run, problem);
        return false;
    }
    run->seen.ids[at] = id;
    run->seen.numbers[at] = (uint32_t)run->applications;
    run->lines[run->applications] = run->source.number;
    return true;
}

static void import_count(struct import_run *run, const json_t *answer)
{
    const char *result = show_member(answer, "result");
    bool same = strcmp(result, "unchanged") == 0;
    run->created += strcmp(result, "created") == 0;
    run->updated += strcmp(result, "updated") == 0;
    run->unchanged += same;
    if (run->dry)
        run->there[run->applications] = same;
}

static void import_add_options(const struct import_run *run, json_t *body)
{
    if (run->dry)
        json_object_set_new(body, "dry_run", json_true());
    if (cli_given(run->cli, CLI_UPDATE))
        json_object_set_new(body, "update", json_true());
    if (cli_given(run->cli, CLI_LONG_SECRETS))
        json_object_set_new(body, "long_secret", json_true());
}

// Takes the body. CLI_DONE also for a line that the server refuses in a dry run: it is counted.
static enum cli_exit import_ask(struct import_run *run, json_t *body)
{
    json_t *answer;
    import_add_options(run, body);
    enum cli_exit code = cli_call_quietly(run->cli, "POST", "/admin/v1/applications/import", body,
                                          &answer, &run->refusal);
    if (!code) {
        import_count(run, answer);
        import_note_words(run, answer);
        json_decref(answer);
        return CLI_DONE;
    }
    run->differs = run->differs || code == CLI_CONFLICT;
    if (run->refusal.status) {
        import_complain(run, run->refusal.message);
    } else {
        import_clear(run);
        cli_fail(code, "%s", run->refusal.message);
    }
    // What is wrong with this line is one thing, that nobody could look at it another.
    bool line = run->refusal.status >= 400 && run->refusal.status < 500;
    return run->dry && line ? CLI_DONE : code;
}

// Whether the server is to be asked about this application.
static enum cli_exit import_look(struct import_run *run, uint64_t id, bool *ret_asks)
{
    if (run->applications > IMPORT_APPLICATIONS_MAX) {
        import_complain(run, "this is one application more than the 1000000 of one import: import "
                             "the file in parts");
        return CLI_REFUSED;
    }
    if (run->dry) {
        *ret_asks = import_note(run, id);
        return CLI_DONE;
    }
    // What is passed over, and what was checked at all, is known by the place in the file.
    if (run->seen.numbers[import_slot(&run->seen, id)] != run->applications) {
        import_complain(run, "the file was changed after it was checked");
        return CLI_REFUSED;
    }
    *ret_asks = !run->there[run->applications];
    run->unchanged += run->there[run->applications];
    return CLI_DONE;
}

// Takes the body.
static enum cli_exit import_one(struct import_run *run, json_t *body)
{
    bool asks = false;
    uint64_t id = siphash(&run->seen.key, str_from(show_member(body, "client_id")));
    run->applications++;
    enum cli_exit code = import_look(run, id ? id : 1, &asks); // 0 is an empty slot
    if (!code && asks)
        code = import_ask(run, body);
    else
        json_decref(body);
    if (!code)
        import_tell(run);
    return code;
}

static enum cli_exit import_line(struct import_run *run, enum import_take taken, struct str line)
{
    json_t *body;
    if (taken == IMPORT_TOO_LONG) {
        snprintf(run->form.problem, sizeof run->form.problem, "it is longer than %zu bytes",
                 IMPORT_LINE_MAX);
        import_complain(run, run->form.problem);
        // A header that cannot be read says nothing about the lines behind it.
        return run->dry && run->form.form != IMPORT_FORM_UNKNOWN ? CLI_DONE : CLI_REFUSED;
    }
    enum import_line read = import_line_read(&run->form, line, &body);
    if (read == IMPORT_LINE_FACTS)
        return import_one(run, body);
    if (read == IMPORT_LINE_NONE)
        return CLI_DONE;
    import_complain(run, run->form.problem);
    return run->dry && !run->form.bad ? CLI_DONE : CLI_REFUSED;
}

static enum cli_exit import_pass(struct import_run *run, bool dry)
{
    struct str line;
    enum cli_exit code = CLI_DONE;
    enum import_take taken = IMPORT_FAILED;
    run->dry = dry;
    run->began = env_mono();
    run->tells = run->began + IMPORT_TELL_US;
    run->applications = run->created = run->updated = run->unchanged = 0;
    run->form = (struct import_lines){.form = IMPORT_FORM_UNKNOWN};
    if (import_source_rewind(&run->source))
        taken = import_source_next(&run->source, &line);
    while (!code && (taken == IMPORT_TAKEN || taken == IMPORT_TOO_LONG)) {
        code = import_line(run, taken, line);
        if (!code)
            taken = import_source_next(&run->source, &line);
    }
    int reason = errno;
    import_clear(run);
    if (!code && taken == IMPORT_FAILED)
        return cli_fail(CLI_REFUSED, "%s: %s", run->path, strerror(reason));
    return code;
}

// ---------------------------------------------------------------------------------- the command

static enum cli_exit import_check(struct import_run *run)
{
    enum cli_exit code = import_pass(run, true);
    run->total = run->applications;
    if (run->complaints > IMPORT_COMPLAINTS_MAX)
        cli_fail(CLI_REFUSED, "%s: and %llu more bad lines", run->path,
                 (unsigned long long)(run->complaints - IMPORT_COMPLAINTS_MAX));
    if (code || run->complaints)
        return cli_fail(code ? code : CLI_REFUSED, "%s: nothing was imported%s", run->path,
                        run->differs ? ". With --update, what is there becomes as its line says; "
                                       "its secrets stay, and that of the line is added" : "");
    if (run->applications == 0)
        return cli_fail(CLI_REFUSED, "%s: there is no application in it", run->path);
    import_tell_words(run);
    return CLI_DONE;
}

static enum cli_exit import_act(struct import_run *run)
{
    enum cli_exit code = import_pass(run, false);
    if (!code && run->applications < run->total) {
        import_complain(run, "the file ends here, but went on when it was checked");
        code = CLI_REFUSED;
    }
    if (!code)
        return CLI_DONE;
    return cli_fail(code, "%s: stopped at line %llu. What stands before it is imported and stays "
                    "(%llu created, %llu updated). Do the same again to go on: what is there is "
                    "passed over", run->path, (unsigned long long)run->source.number,
                    (unsigned long long)run->created, (unsigned long long)run->updated);
}

static void import_print(struct import_run *run)
{
    bool dry = run->dry;
    json_t *out = json_pack("{s:b, s:I, s:I, s:I, s:I}", "dry_run", dry, "applications",
                            (json_int_t)run->applications, "created", (json_int_t)run->created,
                            "updated", (json_int_t)run->updated, "unchanged",
                            (json_int_t)run->unchanged);
    if (!show_json(run->cli, out))
        printf("%llu application%s: %llu %screated, %llu %supdated, %llu unchanged\n",
               (unsigned long long)run->applications, import_plural(run->applications),
               (unsigned long long)run->created,
               dry ? "would be " : "", (unsigned long long)run->updated, dry ? "would be " : "",
               (unsigned long long)run->unchanged);
    json_decref(out);
}

enum cli_exit cli_app_import(struct cli *cli)
{
    struct import_run *run __attribute__((cleanup(import_finish))) = import_start(cli);
    if (!run)
        return cli_fail(CLI_REFUSED, "out of memory");
    if (!cli_folder(cli))
        return CLI_NO_SERVER;
    if (!import_source_open(&run->source, cli->arguments[0]))
        return cli_fail(CLI_REFUSED, "%s: %s", run->path,
                        errno == EFBIG ? "more than 64 MiB come from what cannot be read twice: "
                                         "name a file" : strerror(errno));
    enum cli_exit code = import_check(run);
    if (!code && !cli_given(cli, CLI_DRY_RUN))
        code = import_act(run);
    if (!code)
        import_print(run);
    return code;
}
