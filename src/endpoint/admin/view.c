// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/view.h"

#include "manage/access.h"
#include "manage/secret.h"

void admin_view_number(struct json_writer *json, struct str key, enum number_kind kind,
                       uint64_t number)
{
    char memory[NUMBER_TEXT_MAX];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    number_write(&text, kind, number);
    json_key_str(json, key, buf_str(&text));
}

void admin_view_time(struct json_writer *json, struct str key, int64_t us)
{
    if (us == TIME_NEVER || us == 0)
        json_key_nil(json, key);
    else
        json_key_i64(json, key, us / SECOND_US);
}

void admin_view_grants(struct json_writer *json, unsigned grants)
{
    char memory[GRANTS_TEXT_MAX];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    grants_write(&text, grants);
    json_key_str(json, STR("grants"), buf_str(&text));
}

void admin_view_summary(struct json_writer *json, const struct application *application)
{
    json_key_str(json, STR("client_id"), application->client_id);
    json_key_str(json, STR("name"), application->name);
    json_key_str(json, STR("status"), entity_status_name(application->state.status));
    json_key_str(json, STR("token_format"), token_format_name(application->format));
    admin_view_time(json, STR("token_ttl"), application->ttl_us);
    admin_view_grants(json, application->grants);
    budget_write(json, &application->budget);
    json_key_str(json, STR("dialects"), application_dialects_text(application));
    admin_view_time(json, STR("created"), application->created_us);
    admin_view_time(json, STR("updated"), application->updated_us);
}

static void view_spent(struct json_writer *json, struct registry_spent *spent)
{
    json_key_u64(json, STR("budget_limited"), spent ? atomic_load(&spent->refused) : 0);
    json_key_u64(json, STR("budget_observed"), spent ? atomic_load(&spent->observed) : 0);
}

static void view_identifiers(struct json_writer *json, struct str key,
                             const struct application *application, const struct api_set *apis,
                             bool serves)
{
    json_key(json, key);
    json_array_begin(json);
    for (size_t i = 0; i < application->api_count; i++) {
        const struct application_api *row = &application->apis[i];
        const struct api *api = api_set_find(apis, row->api);
        if (api && (serves ? row->serves : row->requests))
            json_str(json, api->identifier);
    }
    json_array_end(json);
}

void admin_view_rights(struct json_writer *json, const struct application_api *rows, size_t count,
                       const struct api_set *apis)
{
    json_key(json, STR("apis"));
    json_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        const struct application_api *row = &rows[i];
        const struct api *api = api_set_find(apis, row->api);
        if (!api)
            continue;
        json_object_begin(json);
        json_key_str(json, STR("identifier"), api->identifier);
        json_key_bool(json, STR("requests"), row->requests);
        json_key_bool(json, STR("serves"), row->serves);
        json_key_str(json, STR("scope"), row->scopes);
        json_object_end(json);
    }
    json_array_end(json);
}

void admin_view_application(struct json_writer *json, struct arena *arena,
                            const struct application *application, const struct api_set *apis,
                            struct registry_spent *spent, int64_t now_us)
{
    admin_view_summary(json, application);
    view_spent(json, spent);
    admin_view_number(json, STR("application"), NUMBER_APPLICATION, application->number);
    json_key_str(json, STR("scope"),
                 manage_access_scope(arena, application->apis, application->api_count));
    view_identifiers(json, STR("audience"), application, apis, false);
    view_identifiers(json, STR("serves"), application, apis, true);
    admin_view_rights(json, application->apis, application->api_count, apis);
    admin_view_secrets(json, application, now_us);
    json_key_u64(json, STR("version"), application->version);
}

void admin_view_secrets(struct json_writer *json, const struct application *application,
                        int64_t now_us)
{
    json_key(json, STR("secrets"));
    json_array_begin(json);
    for (size_t i = 0; i < application->secret_count; i++) {
        const struct secret *secret = &application->secrets[i];
        json_object_begin(json);
        admin_view_number(json, STR("secret"), NUMBER_SECRET, secret->number);
        json_key_str(json, STR("label"), secret->label);
        json_key_str(json, STR("status"),
                     manage_secret_live(secret, now_us) ? STR("live") : STR("expired"));
        json_key_str(json, STR("kept"), secret_scheme_name(secret->scheme));
        admin_view_time(json, STR("created"), secret->created_us);
        admin_view_time(json, STR("not_before"), secret->not_before_us);
        admin_view_time(json, STR("expires"), secret->expires_us);
        admin_view_time(json, STR("last_used"), secret->used_us);
        json_key_u64(json, STR("used_count"), secret->used_count);
        json_key_str(json, STR("used_address"), secret->used_address);
        json_object_end(json);
    }
    json_array_end(json);
}

void admin_view_api(struct json_writer *json, const struct api *api)
{
    json_object_begin(json);
    admin_view_number(json, STR("api"), NUMBER_API, api->number);
    json_key_str(json, STR("identifier"), api->identifier);
    json_key_str(json, STR("name"), api->name);
    json_key_str(json, STR("scope"), api->scopes);
    json_key_str(json, STR("algorithm"), api->algorithm);
    json_key_bool(json, STR("default"), api->is_default);
    admin_view_time(json, STR("created"), api->created_us);
    json_object_end(json);
}

static void view_word(struct json_writer *json, const struct manage_access *access,
                      struct str word)
{
    for (size_t i = 0; i < access->declared_count; i++) {
        if (!str_equal(access->declared[i].name, word))
            continue;
        json_object_begin(json);
        json_key_str(json, STR("scope"), word);
        json_key_str(json, STR("identifier"), access->declared[i].identifier);
        json_object_end(json);
    }
}

struct str admin_view_scope_given(struct arena *arena, struct str scope)
{
    struct buf out;
    struct str word;
    buf_init_arena(&out, arena, scope.len + 1);
    while (str_word(&scope, &word)) {
        if (out.failed || str_has_word(buf_str(&out), word))
            continue;
        buf_add_word(&out, word);
    }
    return buf_str(&out);
}

void admin_view_declared(struct json_writer *json, struct arena *arena, struct str scope,
                         const struct manage_access *access)
{
    struct str rest = admin_view_scope_given(arena, scope);
    struct str word;
    json_key(json, STR("declared"));
    json_array_begin(json);
    while (str_word(&rest, &word))
        view_word(json, access, word);
    json_array_end(json);
}
