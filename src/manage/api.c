// SPDX-License-Identifier: Apache-2.0
#include "manage/api.h"

#include "codec/utf8.h"
#include "model/scope.h"

static enum twoleg_error api_check(struct manage_change *change,
                                   const struct manage_api_new *request)
{
    if (!api_identifier_valid(request->identifier))
        return manage_refuse(change, TWOLEG_MALFORMED,
                             "an API's identifier is an absolute URI (https:, http:, urn: or api:) "
                             "without fragment, up to %d bytes", API_IDENTIFIER_MAX);
    if (request->name.len == 0 && request->identifier.len > APPLICATION_NAME_MAX)
        return manage_refuse(change, TWOLEG_MISSING, "the URI stands for a name that is not given, "
                             "but this one is longer than a name's %d bytes: give it a --name",
                             APPLICATION_NAME_MAX);
    if (request->name.len > APPLICATION_NAME_MAX || !text_is_plain(request->name))
        return manage_refuse(change, TWOLEG_MALFORMED, "a name is up to %d bytes of UTF-8 text "
                             "without control characters", APPLICATION_NAME_MAX);
    return TWOLEG_NONE;
}

static void api_audit(struct manage_change *change, const struct api *api,
                      const struct store_key *key)
{
    struct manage_detail detail;
    manage_detail_begin(change, &detail);
    json_key(&detail.json, STR("after"));
    json_object_begin(&detail.json);
    json_key_str(&detail.json, STR("identifier"), api->identifier);
    json_key_str(&detail.json, STR("name"), api->name);
    json_key_str(&detail.json, STR("algorithm"), api->algorithm);
    if (key)
        json_key_str(&detail.json, STR("new_key"), key->kid);
    json_key_str(&detail.json, STR("scope"), api->scopes);
    json_object_end(&detail.json);
    manage_detail_end(change, &detail, EVENT_API_CREATE,
                      manage_object(change, NUMBER_API, api->number));
}

enum twoleg_error manage_api_create(struct manage_change *change, const struct api_set *apis,
                                    const struct manage_api_new *request, struct api **ret_api)
{
    struct store_batch *batch = change->batch;
    const struct api *home = api_set_default(apis);
    struct api *api = ARENA_NEW(&batch->arena, struct api);
    if (!api)
        return TWOLEG_NO_MEMORY;
    api->number = request->number;
    api->account = request->account || !home ? request->account : home->account;
    enum twoleg_error error = manage_may(change, api->account);
    if (!error)
        error = api_check(change, request);
    if (!error && api_set_find_identifier(apis, request->identifier))
        error = manage_refuse(change, TWOLEG_CONFLICT, "there is an API with the identifier "
                              "\"%.*s\" already", STR_ARG(request->identifier));
    if (error)
        return error;
    error = scope_normalise(&batch->arena, store_batch_copy(batch, request->scopes), &api->scopes);
    if (error)
        return manage_refuse(change, error, "scope: %s", twoleg_error_text(error));
    api->identifier = store_batch_copy(batch, request->identifier);
    api->name = request->name.len ? store_batch_copy(batch, request->name) : api->identifier;
    api->algorithm = store_batch_copy(batch, request->algorithm);
    api->created_us = batch->now_us;
    manage_verb(change, VERB_API_CREATE)->api = api;
    // With the API or not at all: a key is the server's, whoever the API belongs to.
    if (request->key) {
        struct store_verb *verb = store_batch_add(batch, VERB_KEY_CREATE, STORE_OPERATOR);
        verb->key = *request->key;
        verb->expected_wrapped = store_batch_copy(batch, request->key_guard);
    }
    api_audit(change, api, request->key);
    *ret_api = api;
    return batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error manage_api_find(struct manage_change *change, const struct api_set *apis,
                                  struct str identifier, const struct api **ret_api)
{
    const struct api *api = identifier.len ? api_set_find_identifier(apis, identifier)
                                           : api_set_default(apis);
    if (!api)
        return manage_refuse(change, TWOLEG_NOT_FOUND,
                             identifier.len ? "no API has the identifier \"%.*s\""
                                            : "there is no default API%.*s",
                             STR_ARG(str_slice(identifier, 0, 200)));
    *ret_api = api;
    return TWOLEG_NONE;
}

static enum twoleg_error api_scope_change(struct manage_change *change, const struct api *api,
                                          struct str name, bool add)
{
    struct manage_detail detail;
    struct store_verb *verb = manage_verb(change, add ? VERB_SCOPE_CREATE : VERB_SCOPE_REMOVE);
    verb->scope.api = api->number;
    verb->scope.name = store_batch_copy(change->batch, name);
    manage_detail_begin(change, &detail);
    json_key_str(&detail.json, STR("scope"), name);
    json_key_str(&detail.json, STR("api"), api->identifier);
    manage_detail_end(change, &detail, add ? EVENT_SCOPE_ADD : EVENT_SCOPE_REMOVE,
                      manage_object(change, NUMBER_API, api->number));
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error manage_scope_add(struct manage_change *change, const struct api *api,
                                   struct str name)
{
    enum twoleg_error error = manage_may(change, api->account);
    if (error)
        return error;
    if (!scope_word_valid(name))
        return manage_refuse(change, TWOLEG_SCOPE_MALFORMED, "a scope is one word of at most %d "
                             "visible characters without \" and \\", SCOPE_NAME_MAX);
    if (str_has_word(api->scopes, name))
        return manage_refuse(change, TWOLEG_CONFLICT, "the API %.*s has the scope \"%.*s\" already",
                             STR_ARG(api->identifier), STR_ARG(name));
    if (api->scopes.len + 1 + name.len > API_SCOPE_TEXT_MAX)
        return manage_refuse(change, TWOLEG_LIMIT, "the API has too many scopes");
    return api_scope_change(change, api, name, true);
}

enum twoleg_error manage_scope_remove(struct manage_change *change, const struct api *api,
                                      struct str name)
{
    enum twoleg_error error = manage_may(change, api->account);
    if (error)
        return error;
    if (!scope_word_valid(name) || !str_has_word(api->scopes, name))
        return manage_refuse(change, TWOLEG_NOT_FOUND, "the API %.*s has no scope \"%.*s\"",
                             STR_ARG(str_slice(api->identifier, 0, 200)),
                             STR_ARG(str_slice(name, 0, SCOPE_NAME_MAX)));
    return api_scope_change(change, api, name, false);
}
