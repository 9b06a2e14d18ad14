// SPDX-License-Identifier: Apache-2.0
// Which endpoint of a dialect a path is. A spelled-out segment goes before a {hole}, whatever the
// order in the file.
#include "dialect/inside.h"
#include "http/target.h"

static const struct str endpoint_own_paths[] = {
    {"/oauth/introspect", 17}, {"/oauth/revoke", 13}, {"/healthz", 8}, {"/readyz", 7},
    {"/check", 6},             {"/metrics", 8},
};
static const struct str endpoint_own_folders[] = {
    {"/.well-known/", 13}, {"/check/", 7}, {"/admin/", 7}, {"/test/", 6},
};

bool dialect_path_is_ours(struct str path)
{
    for (size_t i = 0; i < sizeof endpoint_own_paths / sizeof *endpoint_own_paths; i++)
        if (str_equal_nocase(path, endpoint_own_paths[i]))
            return true;
    for (size_t i = 0; i < sizeof endpoint_own_folders / sizeof *endpoint_own_folders; i++) {
        struct str folder = endpoint_own_folders[i];
        if (str_equal_nocase(str_slice(path, 0, folder.len), folder))
            return true;
    }
    return false;
}

static bool endpoint_is_hole(struct str segment)
{
    return segment.len && segment.ptr[0] == '{';
}

static bool endpoint_is_same(const struct dialect_endpoint *endpoint, struct str a, struct str b)
{
    return endpoint->fold_case ? str_equal_nocase(a, b) : str_equal(a, b);
}

// *ret_holes: how many segments were taken whatever they are.
static bool endpoint_fits(const struct dialect_endpoint *endpoint, struct str path,
                          size_t *ret_holes)
{
    struct str pattern = endpoint->path;
    struct str want, have;
    *ret_holes = 0;
    if (endpoint->trailing_slash && path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (str_find(pattern, '{') == pattern.len)
        return endpoint_is_same(endpoint, pattern, path);
    // At a listener without their doors our paths are nobody's, so no hole takes them in.
    if (!http_path_is_canonical(path) || dialect_path_is_ours(path))
        return false;
    while (str_split(&pattern, '/', &want)) {
        if (!str_split(&path, '/', &have))
            return false;
        bool hole = endpoint_is_hole(want);
        if (hole ? have.len == 0 : !endpoint_is_same(endpoint, want, have))
            return false;
        *ret_holes += hole;
    }
    return path.ptr == NULL;
}

const struct dialect_endpoint *dialect_find_endpoint(const struct dialect *dialect, struct str path)
{
    const struct dialect_endpoint *items = dialect->endpoints.items;
    const struct dialect_endpoint *found = NULL;
    size_t least = SIZE_MAX, holes;
    for (size_t i = 0; i < dialect->endpoints.count && least; i++) {
        if (!endpoint_fits(&items[i], path, &holes) || holes >= least)
            continue;
        found = &items[i];
        least = holes;
    }
    return found;
}
