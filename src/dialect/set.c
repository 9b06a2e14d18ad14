// SPDX-License-Identifier: Apache-2.0
#include "dialect/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "config/walk.h"

#define SET_ARENA_CAP ((size_t)16 * 1024 * 1024)
#define SET_HOST_MAX 256 // longer than any name (RFC 1035 section 2.3.4)

struct set_host {
    struct str name; // in lower case
    const struct dialect *dialect;
};

struct set_listener {
    const struct dialect *dialect;
    bool own; // it names one, which is for all hosts that are not named
};

struct dialect_set {
    struct arena arena;
    const struct config *config; // only while it is made
    struct dialect_library library;
    const struct dialect *rfc6749;
    struct set_listener *listeners; // one for each
    size_t listener_count;
    const struct dialect **checks; // one for each gate, NULL: as the request says
    size_t check_count;
    struct set_host *hosts; // in the order of their names
    size_t host_count;
    struct token_shape *shapes;
    const struct dialect **shaped; // of each shape one that has it
    size_t shape_count;
};

// What the server allows its dialects is not the dialect's to say.
static bool set_allows(struct dialect_set *set, const struct dialect *dialect,
                       struct config_mark mark)
{
    if (set->config->allow_query_credentials ||
        !(dialect->client_in_query || dialect->token_in_query))
        return true;
    config_report_addf(set->library.report, set->config->file, mark,
                       "the dialect %.*s takes %s from the query: that needs "
                       "allow_query_credentials: true",
                       STR_ARG(dialect->name),
                       dialect->client_in_query ? "a client's credentials" : "access tokens");
    return false;
}

static enum twoleg_error set_add(struct dialect_set *set, struct str name, struct config_mark mark,
                                 const struct dialect **ret_dialect)
{
    enum twoleg_error error = dialect_find(&set->library, name, ret_dialect);
    struct str folder = set->library.folder;
    if (error == TWOLEG_NOT_FOUND && folder.len)
        config_report_addf(set->library.report, set->config->file, mark,
                           "there is no dialect \"%.*s\" (twoleg dialect list), and no "
                           "%.*s/%.*s.yaml",
                           STR_ARG(name), STR_ARG(folder), STR_ARG(name));
    else if (error == TWOLEG_NOT_FOUND)
        config_report_addf(set->library.report, set->config->file, mark,
                           "there is no dialect \"%.*s\" (twoleg dialect list; those of your own "
                           "need dialect_folder)",
                           STR_ARG(name));
    if (error)
        return error == TWOLEG_NOT_FOUND ? TWOLEG_MALFORMED : error;
    return set_allows(set, *ret_dialect, mark) ? TWOLEG_NONE : TWOLEG_MALFORMED;
}

// The shipped one, whatever the folder holds.
static enum twoleg_error set_find_shipped(struct dialect_set *set, struct str name,
                                          const struct dialect **ret_dialect)
{
    struct dialect_library shipped = {.arena = &set->arena, .report = set->library.report};
    return dialect_find(set->library.folder.len ? &shipped : &set->library, name, ret_dialect);
}

// Introspection and revocation speak it.
static enum twoleg_error set_add_rfc6749(struct dialect_set *set)
{
    return set_find_shipped(set, STR("rfc6749"), &set->rfc6749);
}

static enum twoleg_error set_add_listeners(struct dialect_set *set)
{
    const struct config *config = set->config;
    struct config_mark mark = config->origins[CONFIG_DIALECT].mark;
    const struct dialect *usual;
    enum twoleg_error error = set_add(set, config->dialect, mark, &usual);
    set->listener_count = config->listen.count;
    set->listeners =
        arena_array(&set->arena, config->listen.count + 1, sizeof *set->listeners);
    if (!set->listeners)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < config->listen.count && !error; i++) {
        const struct config_listener *listener = &config->listen.items[i];
        struct set_listener *kept = &set->listeners[i];
        *kept = (struct set_listener){usual, listener->dialect.len > 0};
        if (kept->own)
            error = set_add(set, listener->dialect, listener->mark, &kept->dialect);
    }
    if (!error) // the admin socket is the last
        set->listeners[set->listener_count] = (struct set_listener){usual, false};
    return error;
}

static enum twoleg_error set_add_checks(struct dialect_set *set)
{
    const struct config *config = set->config;
    enum twoleg_error error = TWOLEG_NONE;
    set->check_count = config->checks.count;
    set->checks = arena_array(&set->arena, config->checks.count + 1, sizeof *set->checks);
    if (!set->checks)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < config->checks.count && !error; i++) {
        const struct config_check *check = &config->checks.items[i];
        if (check->dialect.len)
            error = set_add(set, check->dialect, check->mark, &set->checks[i]);
    }
    return error;
}

static int set_host_compare(const void *a, const void *b)
{
    return str_compare(((const struct set_host *)a)->name, ((const struct set_host *)b)->name);
}

static enum twoleg_error set_add_hosts(struct dialect_set *set)
{
    const struct config *config = set->config;
    enum twoleg_error error = TWOLEG_NONE;
    size_t count = config->hosts.count;
    set->hosts = arena_array(&set->arena, count + 1, sizeof *set->hosts);
    if (!set->hosts)
        return TWOLEG_NO_MEMORY;
    set->host_count = count;
    for (size_t i = 0; i < count && !error; i++) {
        const struct config_host *host = &config->hosts.items[i];
        set->hosts[i].name = arena_copy(&set->arena, host->name);
        error = set->hosts[i].name.ptr
                    ? set_add(set, host->dialect, host->mark, &set->hosts[i].dialect)
                    : TWOLEG_NO_MEMORY;
    }
    if (!error)
        qsort(set->hosts, count, sizeof *set->hosts, set_host_compare);
    return error;
}

static const struct token_shape *set_find_shape(const struct dialect_set *set,
                                                const struct token_shape *shape)
{
    for (size_t i = 0; i < set->shape_count; i++)
        if (token_shape_equal(&set->shapes[i], shape))
            return &set->shapes[i];
    return token_shape_equal(shape, &token_shape_default) ? &token_shape_default : NULL;
}

static void set_add_shape(struct dialect_set *set, const struct dialect *dialect)
{
    const struct token_shape *shape = dialect->rules.shape;
    if (!shape || set_find_shape(set, shape))
        return;
    set->shaped[set->shape_count] = dialect;
    set->shapes[set->shape_count++] = *shape;
}

// Of a shipped file that names an alphabet only what it says of tokens, as a file of its own: to
// read all of each would be a tenth of a start. The section ends where a line begins with a word.
static enum twoleg_error set_token_section(struct dialect_set *set, struct str name,
                                           struct str *ret_section)
{
    struct str text = dialect_shipped(name);
    static const struct str word = {"alphabet:", 9}, key = {"\ntoken:", 7};
    const char *begin = memmem(text.ptr, text.len, key.ptr, key.len);
    struct buf section;
    *ret_section = STR_NONE;
    if (!begin || !memmem(text.ptr, text.len, word.ptr, word.len))
        return TWOLEG_NONE;
    size_t end = (size_t)(begin - text.ptr) + key.len;
    while (end < text.len && (text.ptr[end - 1] != '\n' || strchr(" #\n", text.ptr[end])))
        end++;
    buf_init_arena(&section, &set->arena, 512);
    buf_addf(&section, "name: %.*s\ntitle: %.*s", STR_ARG(name), STR_ARG(name));
    buf_add(&section, str_slice(text, (size_t)(begin - text.ptr), end));
    *ret_section = buf_str(&section);
    return section.failed ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

// What tokens that are out may look like: also those of the dialects that came with the program and
// that nobody speaks any more.
static enum twoleg_error set_add_shapes(struct dialect_set *set)
{
    struct dialect_library shipped = {.arena = &set->arena, .report = set->library.report};
    // Without files of one's own rfc6749 is known, which is the base of each.
    struct dialect_library *library = set->library.folder.len ? &shipped : &set->library;
    enum twoleg_error error = TWOLEG_NONE;
    size_t most = DIALECT_LIBRARY_MAX;
    const char *name;
    while (dialect_shipped_name(most - DIALECT_LIBRARY_MAX))
        most++;
    set->shapes = arena_array(&set->arena, most, sizeof *set->shapes);
    set->shaped = arena_array(&set->arena, most, sizeof *set->shaped);
    if (!set->shapes || !set->shaped)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < set->library.count; i++)
        set_add_shape(set, set->library.known[i]);
    for (size_t i = 0; (name = dialect_shipped_name(i)) && !error; i++) {
        const struct dialect *dialect = NULL;
        struct str text;
        error = set_token_section(set, str_from(name), &text);
        if (!error && text.ptr)
            error = dialect_load(library, str_from(name), text, &dialect);
        if (!error && dialect)
            set_add_shape(set, dialect);
    }
    return error;
}

// Else all names would be those of shipped ones, and nobody would know why.
static enum twoleg_error set_check_folder(struct dialect_set *set)
{
    const struct config *config = set->config;
    if (!config->dialect_folder.len || walk_folder_exists(config->dialect_folder.ptr))
        return TWOLEG_NONE;
    config_report_addf(set->library.report, config->file,
                       config->origins[CONFIG_DIALECT_FOLDER].mark,
                       "dialect_folder: there is no folder \"%.*s\"",
                       STR_ARG(config->dialect_folder));
    return TWOLEG_MALFORMED;
}

enum twoleg_error dialect_set_create(const struct config *config, struct config_report *report,
                                     struct dialect_set **ret_set)
{
    struct dialect_set *set = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *set);
    if (!set)
        return TWOLEG_NO_MEMORY;
    arena_init(&set->arena, NULL, SET_ARENA_CAP);
    set->config = config;
    set->library = (struct dialect_library){
        .arena = &set->arena, .report = report, .folder = config->dialect_folder};
    enum twoleg_error error = set_check_folder(set);
    if (!error)
        error = set_add_rfc6749(set);
    if (!error)
        error = set_add_listeners(set);
    if (!error)
        error = set_add_checks(set);
    if (!error)
        error = set_add_hosts(set);
    if (!error)
        error = set_add_shapes(set);
    set->config = NULL;
    if (error)
        dialect_set_destroy(set);
    else
        *ret_set = set;
    return error;
}

void dialect_set_destroy(struct dialect_set *set)
{
    if (!set)
        return;
    arena_finish(&set->arena);
    free(set);
}

const struct dialect *dialect_set_rfc6749(const struct dialect_set *set)
{
    return set->rfc6749;
}

static const struct dialect *set_find(const struct dialect_set *set, struct str name)
{
    for (size_t i = 0; i < set->library.count; i++)
        if (str_equal(set->library.known[i]->name, name))
            return set->library.known[i];
    return NULL;
}

bool dialect_set_knows(const struct dialect_set *set, struct str name)
{
    return set_find(set, name) || dialect_shipped(name).ptr;
}

bool dialect_set_speaks(const struct dialect_set *set, struct str name)
{
    for (size_t i = 0; i <= set->listener_count; i++)
        if (str_equal(set->listeners[i].dialect->name, name))
            return true;
    for (size_t i = 0; i < set->check_count; i++)
        if (set->checks[i] && str_equal(set->checks[i]->name, name))
            return true;
    for (size_t i = 0; i < set->host_count; i++)
        if (str_equal(set->hosts[i].dialect->name, name))
            return true;
    return false;
}

static bool set_gives(const struct dialect *dialect, enum token_format format)
{
    return dialect->rules.has_format && dialect->rules.format == format;
}

bool dialect_set_gives_only(const struct dialect_set *set, enum token_format format)
{
    for (size_t i = 0; i < set->host_count; i++)
        if (!set_gives(set->hosts[i].dialect, format))
            return false;
    for (size_t i = 0; i < set->listener_count; i++) {
        bool asked = set->host_count == 0 || set->listeners[i].own;
        if (asked && !set_gives(set->listeners[i].dialect, format))
            return false;
    }
    return true;
}

const struct dialect *dialect_set_spoken(const struct dialect_set *set, size_t *at)
{
    while (*at < set->library.count) {
        const struct dialect *dialect = set->library.known[(*at)++];
        if (dialect_set_speaks(set, dialect->name))
            return dialect;
    }
    return NULL;
}

const struct token_shape *dialect_set_shapes(const struct dialect_set *set, size_t *ret_count)
{
    *ret_count = set->shape_count;
    return set->shapes;
}

const struct dialect *dialect_set_lost(const struct dialect_set *before,
                                       const struct dialect_set *after, size_t *at)
{
    while (*at < before->shape_count) {
        size_t i = (*at)++;
        if (!set_find_shape(after, &before->shapes[i]))
            return before->shaped[i];
    }
    return NULL;
}

static bool set_says_the_same(const struct dialect *a, const struct dialect *b)
{
    for (; a && b; a = a->basis, b = b->basis)
        if (!str_equal(a->text, b->text))
            return false;
    return a == b;
}

const struct dialect *dialect_set_changed(const struct dialect_set *before,
                                          const struct dialect_set *after, size_t *at)
{
    while (*at < after->library.count) {
        const struct dialect *now = after->library.known[(*at)++];
        const struct dialect *then = set_find(before, now->name);
        if (then && !set_says_the_same(then, now))
            return now;
    }
    return NULL;
}

// Host is a name and maybe a port; that of an IPv6 address has colons of its own.
static struct str set_host_name(struct str host)
{
    size_t end = host.len;
    while (end > 0 && host.ptr[end - 1] >= '0' && host.ptr[end - 1] <= '9')
        end--;
    return end > 0 && host.ptr[end - 1] == ':' ? str_slice(host, 0, end - 1) : host;
}

static const struct dialect *set_find_host(const struct dialect_set *set, struct str host)
{
    char lower[SET_HOST_MAX];
    if (host.len > sizeof lower)
        return NULL;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    const struct set_host key = {.name = str_of(lower, host.len)};
    const struct set_host *found =
        bsearch(&key, set->hosts, set->host_count, sizeof key, set_host_compare);
    return found ? found->dialect : NULL;
}

static const struct set_listener *set_listener(const struct dialect_set *set, size_t number)
{
    return &set->listeners[number < set->listener_count ? number : set->listener_count];
}

const struct dialect *dialect_set_choose(const struct dialect_set *set, size_t listener,
                                         struct str host)
{
    const struct dialect *named =
        set->host_count ? set_find_host(set, set_host_name(host)) : NULL;
    const struct set_listener *door = set_listener(set, listener);
    if (named)
        return named;
    return set->host_count == 0 || door->own ? door->dialect : NULL;
}

const struct dialect *dialect_set_gate(const struct dialect_set *set, size_t check,
                                       size_t listener, struct str host)
{
    if (check < set->check_count && set->checks[check])
        return set->checks[check];
    const struct dialect *chosen = dialect_set_choose(set, listener, host);
    return chosen ? chosen : set_listener(set, listener)->dialect;
}
