// SPDX-License-Identifier: Apache-2.0
#include "manage/access.h"

#include "model/scope.h"

static enum twoleg_error access_row(struct manage_change *change, struct manage_access *access,
                                    uint64_t api, struct application_api **ret_row)
{
    for (size_t i = 0; i < access->api_count; i++) {
        if (access->apis[i].api == api) {
            *ret_row = &access->apis[i];
            return TWOLEG_NONE;
        }
    }
    if (access->api_count == APPLICATION_APIS_MAX)
        return manage_refuse(change, TWOLEG_LIMIT, "an application can have at most %d APIs",
                             APPLICATION_APIS_MAX);
    *ret_row = &access->apis[access->api_count++];
    (*ret_row)->api = api;
    return TWOLEG_NONE;
}

static enum twoleg_error access_api(struct manage_change *change, const struct api_set *apis,
                                    struct str identifier, const struct api **ret_api)
{
    const struct api *api = api_set_find_identifier(apis, identifier);
    if (!api)
        return manage_refuse(change, TWOLEG_NOT_FOUND,
                             "no API has the identifier \"%.*s\". Make it with `twoleg api create`",
                             STR_ARG(str_slice(identifier, 0, 200)));
    enum twoleg_error error = manage_may(change, api->account);
    if (error)
        return error;
    *ret_api = api;
    return TWOLEG_NONE;
}

static enum twoleg_error access_requests(struct manage_change *change, const struct api_set *apis,
                                         const struct manage_access_request *request,
                                         struct manage_access *access)
{
    size_t count = request->audience.count ? request->audience.count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct api *api = api_set_default(apis);
        struct application_api *row;
        enum twoleg_error error = TWOLEG_NONE;
        if (request->audience.count)
            error = access_api(change, apis, request->audience.items[i], &api);
        else if (!api)
            error = manage_refuse(change, TWOLEG_NOT_FOUND, "there is no default API");
        if (!error)
            error = access_row(change, access, api->number, &row);
        if (error)
            return error;
        row->requests = true;
        row->serves = request->resource_server;
    }
    return TWOLEG_NONE;
}

static enum twoleg_error access_serves(struct manage_change *change, const struct api_set *apis,
                                       const struct manage_access_request *request,
                                       struct manage_access *access)
{
    for (size_t i = 0; i < request->serves.count; i++) {
        const struct api *api;
        struct application_api *row;
        enum twoleg_error error = access_api(change, apis, request->serves.items[i], &api);
        if (!error)
            error = access_row(change, access, api->number, &row);
        if (error)
            return error;
        row->serves = true;
    }
    return TWOLEG_NONE;
}

static bool access_known(const struct api_set *apis, const struct manage_access *access,
                         struct str word)
{
    for (size_t i = 0; i < access->api_count; i++)
        if (access->apis[i].requests &&
            str_has_word(api_set_find(apis, access->apis[i].api)->scopes, word))
            return true;
    return false;
}

// The words of the one API `row`: those it declares, and for the first row those that none does.
static enum twoleg_error access_scopes(struct manage_change *change, const struct api_set *apis,
                                       struct str scope, struct manage_access *access, size_t row)
{
    const struct api *api = api_set_find(apis, access->apis[row].api);
    struct buf scopes;
    struct str word;
    size_t declared_len = api->scopes.len;
    buf_init_arena(&scopes, &change->batch->arena, 64);
    while (str_word(&scope, &word)) {
        bool declares = str_has_word(api->scopes, word);
        bool new = row == 0 && !declares && !access_known(apis, access, word);
        if (declares || new)
            buf_add_word(&scopes, word);
        if (!new)
            continue;
        declared_len += word.len + 1;
        access->declared[access->declared_count++] =
            (struct manage_declared){.api = api->number,
                                     .identifier = store_batch_copy(change->batch, api->identifier),
                                     .name = word};
    }
    if (declared_len > API_SCOPE_TEXT_MAX)
        return manage_refuse(change, TWOLEG_LIMIT, "the API has too many scopes");
    if (scopes.failed)
        return TWOLEG_NO_MEMORY;
    access->apis[row].scopes = buf_str(&scopes);
    return TWOLEG_NONE;
}

static size_t access_count_words(struct str scope)
{
    struct str word;
    size_t count = 0;
    while (str_word(&scope, &word))
        count++;
    return count;
}

enum twoleg_error manage_access_resolve(struct manage_change *change, const struct api_set *apis,
                                        const struct manage_access_request *request,
                                        struct manage_access *ret_access)
{
    struct arena *arena = &change->batch->arena;
    struct manage_access access = {0};
    struct str scope = STR("");
    enum twoleg_error error =
        scope_normalise(arena, store_batch_copy(change->batch, request->scope), &scope);
    if (error == TWOLEG_SCOPE_MALFORMED)
        return manage_refuse(change, error, "a scope is a word of at most %d visible characters "
                             "without \" and \\", SCOPE_NAME_MAX);
    if (error)
        return manage_refuse(change, error, "scope: %s", twoleg_error_text(error));
    access.apis = arena_array(arena, APPLICATION_APIS_MAX, sizeof *access.apis);
    access.declared = arena_array(arena, access_count_words(scope) + 1, sizeof *access.declared);
    if (!access.apis || !access.declared)
        return TWOLEG_NO_MEMORY;
    error = access_requests(change, apis, request, &access);
    if (!error)
        error = access_serves(change, apis, request, &access);
    for (size_t i = 0; !error && i < access.api_count; i++)
        if (access.apis[i].requests)
            error = access_scopes(change, apis, scope, &access, i);
    if (error)
        return error;
    *ret_access = access;
    return TWOLEG_NONE;
}

void manage_access_declare(struct manage_change *change, const struct manage_access *access)
{
    for (size_t i = 0; i < access->declared_count; i++) {
        const struct manage_declared *declared = &access->declared[i];
        struct store_verb *verb = manage_verb(change, VERB_SCOPE_CREATE);
        verb->scope.api = declared->api;
        verb->scope.name = declared->name;
        struct manage_detail detail;
        manage_detail_begin(change, &detail);
        json_key_str(&detail.json, STR("scope"), declared->name);
        json_key_str(&detail.json, STR("because"), STR("an application or user was given it"));
        manage_detail_end(change, &detail, EVENT_SCOPE_ADD,
                          manage_object(change, NUMBER_API, declared->api));
    }
}

struct str manage_access_scope(struct arena *arena, const struct application_api *apis,
                               size_t count)
{
    struct buf all;
    struct str normal;
    buf_init_arena(&all, arena, 64);
    for (size_t i = 0; i < count; i++)
        if (apis[i].requests && apis[i].scopes.len)
            buf_add_word(&all, apis[i].scopes);
    // Words of several APIs together may be too long for one request; then they stay as they are.
    if (all.failed || scope_normalise(arena, buf_str(&all), &normal))
        return buf_str(&all);
    return normal;
}
