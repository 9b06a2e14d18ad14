// SPDX-License-Identifier: Apache-2.0
// Finds dialects by their names.
#include "config/walk.h"
#include "dialect/dialect.h"

static enum twoleg_error library_read(struct dialect_library *library, struct str path,
                                      struct str *ret_text)
{
    const char *reason = NULL;
    enum twoleg_error error = walk_read_file(path.ptr, library->arena, ret_text, &reason);
    if (error != TWOLEG_REFUSED)
        return error;
    config_report_addf(library->report, path, (struct config_mark){0, 0}, "%s", reason);
    return TWOLEG_MALFORMED;
}

// NOT_FOUND when the folder has no such file, so that a shipped one is taken.
static enum twoleg_error library_find_own(struct dialect_library *library, struct str name,
                                          struct str *ret_path, struct str *ret_text)
{
    struct buf path;
    if (!library->folder.len)
        return TWOLEG_NOT_FOUND;
    buf_init_arena(&path, library->arena, library->folder.len + name.len + 8);
    buf_add(&path, library->folder);
    if (!str_ends_with(library->folder, STR("/")))
        buf_add_char(&path, '/');
    buf_add(&path, name);
    buf_add(&path, STR(".yaml"));
    buf_add_char(&path, '\0');
    if (path.failed)
        return TWOLEG_NO_MEMORY;
    *ret_path = str_of(path.ptr, path.len - 1);
    return walk_file_exists(path.ptr) ? library_read(library, *ret_path, ret_text)
                                      : TWOLEG_NOT_FOUND;
}

static const struct dialect *library_known(const struct dialect_library *library, struct str name)
{
    for (size_t i = 0; i < library->count; i++)
        if (str_equal(library->known[i]->name, name))
            return library->known[i];
    return NULL;
}

static enum twoleg_error library_keep(struct dialect_library *library, struct str source,
                                      const struct dialect *found)
{
    if (library->count == DIALECT_LIBRARY_MAX) {
        config_report_addf(library->report, source, (struct config_mark){1, 1},
                           "more than %d dialects, with those that they are based on",
                           DIALECT_LIBRARY_MAX);
        return TWOLEG_MALFORMED;
    }
    library->known[library->count++] = found;
    return TWOLEG_NONE;
}

enum twoleg_error dialect_find(struct dialect_library *library, struct str name,
                               const struct dialect **ret_dialect)
{
    const struct dialect *found = library_known(library, name);
    if (found) {
        *ret_dialect = found;
        return TWOLEG_NONE;
    }
    struct str text, source = name;
    enum twoleg_error error = library_find_own(library, name, &source, &text);
    if (error == TWOLEG_NOT_FOUND) {
        source = name;
        text = dialect_shipped(name);
        error = text.ptr ? TWOLEG_NONE : TWOLEG_NOT_FOUND;
    }
    if (error)
        return error;
    if (library->depth > DIALECT_BASES_MAX)
        return TWOLEG_LIMIT; // in a ring, or longer than one may be
    error = dialect_load(library, source, text, &found);
    if (error)
        return error;
    if (!str_equal(found->name, name)) {
        config_report_addf(library->report, source, (struct config_mark){1, 1},
                           "name: \"%.*s\" is not the file's name", STR_ARG(found->name));
        return TWOLEG_MALFORMED;
    }
    error = library_keep(library, source, found);
    if (!error)
        *ret_dialect = found;
    return error;
}
