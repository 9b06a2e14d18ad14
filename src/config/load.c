// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <stdlib.h>
#include <unistd.h>

#include "config/check.h"
#include "config/walk.h"
#include "http/http.h"

#define CONFIG_ARENA_CAP ((size_t)16 * 1024 * 1024)
#define CONFIG_WORKERS_MAX 32

struct config_loader {
    const struct config_sources *sources;
    struct config *config;
    struct config_report *report;
};

void config_sources_init(struct config_sources *sources)
{
    *sources = (struct config_sources){
        .environment_data = getenv("TWOLEG_DATA"),
        .home = getenv("HOME"),
        .state_home = getenv("XDG_STATE_HOME"),
        .system_data = CONFIG_SYSTEM_DATA,
        .cores = env_cores(),
    };
    // A current folder that was deleted or is too long has no name: paths stay relative then.
    if (!getcwd(sources->current, sizeof sources->current))
        sources->current[0] = '\0';
}

void config_finish(struct config *config)
{
    if (!config)
        return;
    arena_finish(&config->arena);
    *config = (struct config){.listen = {NULL, 0}};
}

static void config_set_origin(struct config *config, enum config_option option,
                              enum config_origin origin, const char *source)
{
    config->origins[option].origin = origin;
    config->origins[option].mark = (struct config_mark){0, 0};
    config->origins[option].source = str_from(source);
}

// Relative paths in a file start where the file lies, so that it means the same for everyone.
static struct str config_folder_of(struct str file)
{
    size_t end = file.len;
    while (end > 0 && file.ptr[end - 1] != '/')
        end--;
    return end == 0 ? STR(".") : end == 1 ? STR("/") : str_slice(file, 0, end - 1);
}

static enum twoleg_error config_read(const struct config_loader *loader)
{
    struct config *config = loader->config;
    struct config_mark marks[CONFIG_OPTIONS] = {{0, 0}};
    struct walk_source source = {.name = config->file};
    const char *reason = NULL;
    if (loader->sources->file) {
        source.folder = config_folder_of(config->file);
        enum twoleg_error error =
            walk_read_file(loader->sources->file, &config->arena, &source.text, &reason);
        if (error == TWOLEG_REFUSED)
            config_report_addf(loader->report, config->file, (struct config_mark){0, 0}, "%s",
                               reason);
        if (error)
            return error == TWOLEG_REFUSED ? TWOLEG_MALFORMED : error;
    }
    enum twoleg_error error =
        walk_load(&source, config_schema(), &config->arena, config, marks, loader->report);
    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        config->origins[i].origin = marks[i].line ? CONFIG_FILE : CONFIG_DEFAULT;
        config->origins[i].mark = marks[i];
    }
    return error;
}

// What stands outside of a file is read by the row of the file's option.
static enum twoleg_error config_read_listen(const struct config_loader *loader, const char *source,
                                            const char *text, struct config_listener *ret_listener)
{
    const struct schema_row row = {.name = source, .type = SCHEMA_ENDPOINT};
    const struct schema_context context = {&loader->config->arena,
                                           str_from(loader->sources->current)};
    const char *problem = NULL;
    enum twoleg_error error =
        schema_scalar_read(&context, &row, str_from(text), &ret_listener->endpoint, &problem);
    if (!error || error == TWOLEG_NO_MEMORY)
        return error;
    struct buf line = config_report_text(loader->report);
    schema_quote(&line, str_from(text));
    buf_addf(&line, " %s (", problem);
    schema_row_describe(&row, &line);
    buf_add_char(&line, ')');
    config_report_add(loader->report, str_from(source), (struct config_mark){0, 0}, &line);
    return TWOLEG_NONE;
}

static enum twoleg_error config_replace_listen(const struct config_loader *loader,
                                               enum config_origin origin, const char *source,
                                               const char *const *texts, size_t count)
{
    struct config *config = loader->config;
    config_set_origin(config, CONFIG_LISTEN, origin, source);
    config->listen = (struct config_listeners){NULL, 0};
    if (count > CONFIG_LISTEN_MAX) {
        config_report_addf(loader->report, str_from(source), (struct config_mark){0, 0},
                           "given more than %d times", CONFIG_LISTEN_MAX);
        return TWOLEG_NONE;
    }
    struct config_listener *items = arena_array(&config->arena, count, sizeof *items);
    if (!items)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum twoleg_error error = config_read_listen(loader, source, texts[i], &items[i]);
        if (error)
            return error;
    }
    config->listen = (struct config_listeners){items, count};
    return TWOLEG_NONE;
}

static enum twoleg_error config_override_listen(const struct config_loader *loader)
{
    const struct config_sources *sources = loader->sources;
    if (sources->listen_count)
        return config_replace_listen(loader, CONFIG_COMMAND_LINE, "--listen", sources->listen,
                                     sources->listen_count);
    if (sources->inherited_count &&
        loader->config->origins[CONFIG_LISTEN].origin == CONFIG_DEFAULT)
        return config_replace_listen(loader, CONFIG_ENVIRONMENT, "$LISTEN_FDS",
                                     sources->inherited, sources->inherited_count);
    return TWOLEG_NONE;
}

// A text of the command line in the place of the file's.
static enum twoleg_error config_override_text(const struct config_loader *loader,
                                              enum config_option option, const char *source,
                                              const char *text)
{
    if (!text)
        return TWOLEG_NONE;
    const struct schema_row *row = &config_schema()->rows[option];
    const struct schema_context context = {&loader->config->arena, STR("")};
    const struct str given = str_from(text);
    const char *problem = NULL;
    config_set_origin(loader->config, option, CONFIG_COMMAND_LINE, source);
    enum twoleg_error error = schema_scalar_read(
        &context, row, given, (char *)loader->config + row->offset, &problem);
    if (!error || error == TWOLEG_NO_MEMORY)
        return error;
    struct buf line = config_report_text(loader->report);
    schema_quote(&line, given);
    buf_addf(&line, " %s", problem);
    config_report_add(loader->report, str_from(source), (struct config_mark){0, 0}, &line);
    return TWOLEG_NONE;
}

static bool config_is_given(const char *text)
{
    return text && *text;
}

static enum twoleg_error config_folder_join(struct arena *arena, const char *base, const char *rest,
                                            struct config_folder *ret_folder)
{
    struct buf path;
    buf_init_arena(&path, arena, 256);
    buf_addf(&path, "%s%s", base, rest);
    buf_add_char(&path, '\0');
    if (path.failed)
        return TWOLEG_NO_MEMORY;
    *ret_folder = (struct config_folder){.path = str_of(path.ptr, path.len - 1)};
    return TWOLEG_NONE;
}

static enum twoleg_error config_default_data(const struct config_sources *sources,
                                             struct arena *arena, struct config_folder *ret_folder)
{
    struct config_folder store;
    enum twoleg_error error =
        config_folder_join(arena, sources->system_data, "/" CONFIG_STORE_FILE, &store);
    if (error)
        return error;
    if (access(store.path.ptr, F_OK) == 0)
        return config_folder_join(arena, sources->system_data, "", ret_folder);
    if (config_is_given(sources->state_home))
        return config_folder_join(arena, sources->state_home, "/twoleg", ret_folder);
    if (config_is_given(sources->home))
        return config_folder_join(arena, sources->home, "/.local/state/twoleg", ret_folder);
    return TWOLEG_MISSING;
}

enum twoleg_error config_find_data(const struct config_sources *sources, struct arena *arena,
                                   struct config_folder *ret_folder)
{
    bool argument = config_is_given(sources->data);
    if (!argument && !config_is_given(sources->environment_data))
        return config_default_data(sources, arena, ret_folder);
    enum twoleg_error error = config_folder_join(
        arena, argument ? sources->data : sources->environment_data, "", ret_folder);
    if (error)
        return error;
    ret_folder->origin = argument ? CONFIG_COMMAND_LINE : CONFIG_ENVIRONMENT;
    ret_folder->source = argument ? STR("--data") : STR("$TWOLEG_DATA");
    return TWOLEG_NONE;
}

// Reads the folder as the file's option is read, so that the same paths are refused.
static enum twoleg_error config_place_data(const struct config_loader *loader, struct str path)
{
    const struct schema_row *row = &config_schema()->rows[CONFIG_DATA];
    const struct schema_context context = {&loader->config->arena,
                                           str_from(loader->sources->current)};
    const char *problem = NULL;
    enum twoleg_error error =
        schema_scalar_read(&context, row, path, &loader->config->data, &problem);
    if (!error || error == TWOLEG_NO_MEMORY)
        return error;
    struct buf line = config_report_text(loader->report);
    schema_quote(&line, path);
    buf_addf(&line, " %s", problem);
    struct str source = loader->config->origins[CONFIG_DATA].source;
    config_report_add(loader->report, source.len ? source : STR("data"), (struct config_mark){0, 0},
                      &line);
    return TWOLEG_NONE;
}

static enum twoleg_error config_choose_data(const struct config_loader *loader)
{
    struct config *config = loader->config;
    struct config_folder folder;
    enum twoleg_error error = config_find_data(loader->sources, &config->arena, &folder);
    bool in_file = config->origins[CONFIG_DATA].origin == CONFIG_FILE;
    if (error == TWOLEG_MISSING && !in_file)
        config_report_addf(loader->report, STR("data"), (struct config_mark){0, 0},
                           "there is no home folder to hold it; give --data DIR");
    if (error)
        return error == TWOLEG_MISSING ? TWOLEG_NONE : error;
    if (in_file && folder.origin == CONFIG_DEFAULT)
        return TWOLEG_NONE;
    config->origins[CONFIG_DATA].origin = folder.origin;
    config->origins[CONFIG_DATA].mark = (struct config_mark){0, 0};
    config->origins[CONFIG_DATA].source = folder.source;
    return config_place_data(loader, folder.path);
}

static void config_derive_doors(struct config *config)
{
    for (size_t i = 0; i < config->listen.count; i++) {
        struct config_listener *listener = &config->listen.items[i];
        if (!listener->doors)
            listener->doors =
                address_is_loopback(&listener->endpoint.address) ? DOOR_ALL : DOOR_PUBLIC;
    }
}

// Clients cannot call "any address": the loopback address stands for it.
static void config_add_origin(struct address address, bool secure, struct buf *out)
{
    if (address_is_any(&address)) {
        address.bytes[0] = address.family == ADDRESS_V4 ? 127 : 0;
        address.bytes[address.family == ADDRESS_V4 ? 3 : 15] = 1;
    }
    buf_add(out, secure ? STR("https://") : STR("http://"));
    address_format_port(out, &address);
}

// The first one with a port, or NULL.
static const struct config_listener *config_first_listener(const struct config *config)
{
    for (size_t i = 0; i < config->listen.count; i++)
        if (config->listen.items[i].endpoint.address.family != ADDRESS_LOCAL)
            return &config->listen.items[i];
    return NULL;
}

enum twoleg_error config_derive_issuer(struct config *config, const struct address *bound)
{
    if (config->issuer.len && config->origins[CONFIG_ISSUER].origin != CONFIG_DERIVED)
        return TWOLEG_NONE;
    const struct config_listener *first = config_first_listener(config);
    struct buf issuer;
    buf_init_arena(&issuer, &config->arena, 128);
    if (bound->family == ADDRESS_LOCAL)
        buf_add(&issuer, STR("http://localhost"));
    else
        config_add_origin(*bound, first && first->tls.count, &issuer);
    buf_add_char(&issuer, '\0');
    if (issuer.failed)
        return TWOLEG_NO_MEMORY;
    config->issuer = str_of(issuer.ptr, issuer.len - 1);
    // The configuration is read without a store: what one says is not known here.
    config_set_origin(config, CONFIG_ISSUER, CONFIG_DERIVED,
                      "derived from listen; an existing store keeps its own");
    return TWOLEG_NONE;
}

// Of a file with a relative path itself. Whoever asks the server for the folder stands elsewhere.
static enum twoleg_error config_place_dialects(const struct config_loader *loader)
{
    struct str *folder = &loader->config->dialect_folder;
    const char *current = loader->sources->current;
    size_t skipped = str_starts_with(*folder, STR("./")) ? 2 : 0;
    struct buf path;
    if (!folder->len || folder->ptr[0] == '/' || !current[0])
        return TWOLEG_NONE;
    buf_init_arena(&path, &loader->config->arena, 256);
    buf_addf(&path, "%s/%.*s", current, STR_ARG(str_slice(*folder, skipped, folder->len)));
    buf_add_char(&path, '\0');
    if (path.failed)
        return TWOLEG_NO_MEMORY;
    *folder = str_of(path.ptr, path.len - 1);
    return TWOLEG_NONE;
}

static enum twoleg_error config_derive(const struct config_loader *loader)
{
    struct config *config = loader->config;
    config_derive_doors(config);
    if (config_place_dialects(loader))
        return TWOLEG_NO_MEMORY;
    if (!config->workers) {
        int64_t cores = loader->sources->cores;
        config->workers = cores < CONFIG_WORKERS_MAX ? cores : CONFIG_WORKERS_MAX;
        config_set_origin(config, CONFIG_WORKERS, CONFIG_DERIVED, "one for each core");
    }
    const struct config_listener *first = config_first_listener(config);
    const struct address local = {.family = ADDRESS_LOCAL};
    return config_derive_issuer(config, first ? &first->endpoint.address : &local);
}

static enum twoleg_error config_load_all(const struct config_loader *loader)
{
    enum twoleg_error error = config_read(loader);
    if (error == TWOLEG_NO_MEMORY)
        return error;
    // A wrong command line is reported together with a wrong file. What is between the options
    // makes sense only once each of them is good.
    enum twoleg_error override = config_override_listen(loader);
    if (!override)
        override =
            config_override_text(loader, CONFIG_USER, "--user", loader->sources->user);
    if (!override)
        override = config_override_text(loader, CONFIG_DIALECT, "--dialect",
                                        loader->sources->dialect);
    if (!override)
        override = config_choose_data(loader);
    if (override || error || !config_report_is_clean(loader->report))
        return override ? override : TWOLEG_MALFORMED;
    error = config_derive(loader);
    if (error)
        return error;
    config_check(loader->config, loader->report);
    return config_report_is_clean(loader->report) ? TWOLEG_NONE : TWOLEG_MALFORMED;
}

enum twoleg_error config_load(const struct config_sources *sources, struct config *ret_config,
                              struct config_report *errors)
{
    struct config config = {.listen = {NULL, 0}};
    arena_init(&config.arena, NULL, CONFIG_ARENA_CAP);
    config.file = arena_copy(&config.arena, str_from(sources->file));
    const struct config_loader loader = {sources, &config, errors};
    enum twoleg_error error = config_load_all(&loader);
    if (error) {
        config_finish(&config);
        return error;
    }
    *ret_config = config;
    return TWOLEG_NONE;
}
