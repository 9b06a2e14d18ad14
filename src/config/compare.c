// SPDX-License-Identifier: Apache-2.0
#include "config/compare.h"

#include <stdio.h>

#include "config/check.h"
#include "config/show.h"

#define COMPARE_TEXT_FIRST 64
#define COMPARE_SHOWN 100 // bytes of a value in a message

struct comparison {
    const struct config *running, *fresh;
    struct arena *arena;
    struct config_report *report;
    bool no_memory;
};

static bool compare_is_unasked(enum config_origin origin)
{
    return origin == CONFIG_DEFAULT || origin == CONFIG_DERIVED;
}

enum twoleg_error config_keep(const struct config *running, struct config *fresh)
{
    // A start keeps the issuer of its store, unless another one is written down.
    if (fresh->origins[CONFIG_ISSUER].origin == CONFIG_DERIVED) {
        fresh->issuer = arena_copy(&fresh->arena, running->issuer);
        fresh->origins[CONFIG_ISSUER] = running->origins[CONFIG_ISSUER];
    }
    // Which folder is the default depends on which one has a store just now.
    if (compare_is_unasked(fresh->origins[CONFIG_DATA].origin) &&
        compare_is_unasked(running->origins[CONFIG_DATA].origin))
        fresh->data = arena_copy(&fresh->arena, running->data);
    if (compare_is_unasked(fresh->origins[CONFIG_WORKERS].origin) &&
        compare_is_unasked(running->origins[CONFIG_WORKERS].origin))
        fresh->workers = running->workers;
    return fresh->issuer.ptr && fresh->data.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

static void compare_refuse(const struct comparison *comparison, enum config_option option,
                           struct config_mark mark, const char *what, const struct str texts[2])
{
    const struct config *fresh = comparison->fresh;
    // An option that stands there no more has no place but the file.
    struct str source = compare_is_unasked(fresh->origins[option].origin)
                            ? fresh->file
                            : config_check_source(fresh, option);
    struct buf line = config_report_text(comparison->report);
    buf_addf(&line, "%s: needs a restart (%.*s is in force, %.*s is configured now)", what,
             STR_ARG(str_slice(texts[0], 0, COMPARE_SHOWN)),
             STR_ARG(str_slice(texts[1], 0, COMPARE_SHOWN)));
    config_report_add(comparison->report, source, mark, &line);
}

static void compare_listener(const struct comparison *comparison, size_t index)
{
    const struct config_listener *before = &comparison->running->listen.items[index];
    const struct config_listener *after = &comparison->fresh->listen.items[index];
    const struct {
        const char *what;
        bool same;
        struct str texts[2];
    } rows[] = {
        {"address", str_equal(before->endpoint.text, after->endpoint.text),
         {before->endpoint.text, after->endpoint.text}},
        {"doors", before->doors == after->doors, {STR("another set"), STR("this one")}},
        {"tls", !before->tls.count == !after->tls.count,
         {before->tls.count ? STR("HTTPS") : STR("plain HTTP"),
          after->tls.count ? STR("HTTPS") : STR("plain HTTP")}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char what[40];
        snprintf(what, sizeof what, "listen[%zu].%s", index, rows[i].what);
        if (!rows[i].same)
            compare_refuse(comparison, CONFIG_LISTEN, after->mark, what, rows[i].texts);
    }
}

// The one option of which parts can be taken over: proxies and certificates of the same listeners.
static void compare_listen(const struct comparison *comparison)
{
    const struct config *fresh = comparison->fresh;
    size_t before = comparison->running->listen.count, after = fresh->listen.count;
    for (size_t i = 0; before == after && i < after; i++)
        compare_listener(comparison, i);
    if (before == after)
        return;
    char texts[2][32];
    snprintf(texts[0], sizeof texts[0], "a list of %zu", before);
    snprintf(texts[1], sizeof texts[1], "a list of %zu", after);
    compare_refuse(comparison, CONFIG_LISTEN, fresh->origins[CONFIG_LISTEN].mark, "listen",
                   (struct str[]){str_from(texts[0]), str_from(texts[1])});
}

static struct str compare_text(struct comparison *comparison, const struct config *config,
                               const struct schema_row *row)
{
    struct buf text;
    buf_init_arena(&text, comparison->arena, COMPARE_TEXT_FIRST);
    config_show_value(row, (const char *)config + row->offset, &text);
    comparison->no_memory |= text.failed;
    return buf_str(&text);
}

static void compare_option(struct comparison *comparison, enum config_option option,
                           struct config_changes *changes)
{
    const struct schema_row *row = &config_schema()->rows[option];
    const struct config_mark mark = comparison->fresh->origins[option].mark;
    const struct str texts[2] = {compare_text(comparison, comparison->running, row),
                                 compare_text(comparison, comparison->fresh, row)};
    if (str_equal(texts[0], texts[1]))
        return;
    changes->items[changes->count++] =
        (struct config_change){option, texts[0], texts[1], mark};
    if (option == CONFIG_LISTEN)
        compare_listen(comparison);
    else if (!row->reloadable)
        compare_refuse(comparison, option, mark, row->name, texts);
}

enum twoleg_error config_compare(const struct config *running, const struct config *fresh,
                                 struct arena *arena, struct config_report *report,
                                 struct config_changes *ret_changes)
{
    struct comparison comparison = {running, fresh, arena, report, false};
    ret_changes->count = 0;
    for (enum config_option option = 0; option < CONFIG_OPTIONS; option++)
        compare_option(&comparison, option, ret_changes);
    return comparison.no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}
