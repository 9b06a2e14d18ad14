// SPDX-License-Identifier: Apache-2.0
// Bodies of the admin API: what the table lets through is what jansson reads, and what it does not
// is refused in words that can be sent.
#include <jansson.h>
#include <string.h>

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "endpoint/admin/body.h"
#include "fuzz.h"

struct fuzz_target {
    struct str text;
    struct admin_bool flag;
    struct manage_texts texts;
    struct admin_life life;
};

static const struct admin_field fields[] = {
    {"text", ADMIN_TEXT, offsetof(struct fuzz_target, text)},
    {"flag", ADMIN_BOOL, offsetof(struct fuzz_target, flag)},
    {"texts", ADMIN_TEXTS, offsetof(struct fuzz_target, texts)},
    {"life", ADMIN_LIFE, offsetof(struct fuzz_target, life)},
};

static void fuzz_same_text(const json_t *json, struct str text)
{
    FUZZ_MUST(json_is_string(json) == (text.ptr != NULL));
    if (text.ptr)
        FUZZ_MUST(str_equal(text, str_of(json_string_value(json), json_string_length(json))));
}

static void fuzz_same(const json_t *json, const struct fuzz_target *read)
{
    const json_t *texts = json_object_get(json, "texts");
    const json_t *flag = json_object_get(json, "flag");
    size_t members = (read->text.ptr != NULL) + (size_t)read->flag.given +
                     (read->texts.items != NULL) + (size_t)read->life.given;
    FUZZ_MUST(json_is_object(json) && json_object_size(json) == members);
    fuzz_same_text(json_object_get(json, "text"), read->text);
    FUZZ_MUST(json_is_boolean(flag) == read->flag.given);
    FUZZ_MUST(json_is_true(flag) == read->flag.value);
    FUZZ_MUST(json_array_size(texts) == read->texts.count);
    FUZZ_MUST(read->texts.count <= ADMIN_TEXTS_MAX);
    for (size_t i = 0; i < read->texts.count; i++)
        fuzz_same_text(json_array_get(texts, i), read->texts.items[i]);
    if (json_is_null(json_object_get(json, "life")))
        FUZZ_MUST(read->life.us == TIME_NEVER);
}

// A name may be cut within a character: what is sent is JSON all the same.
static void fuzz_words(const struct admin_call *call, struct arena *arena)
{
    struct buf out;
    struct json_writer json;
    size_t len = strnlen(call->problem, sizeof call->problem);
    FUZZ_MUST(len > 0 && len < sizeof call->problem);
    buf_init_arena(&out, arena, 256);
    json_writer_init(&json, &out);
    json_object_begin(&json);
    json_key_str(&json, STR("message"), str_of(call->problem, len));
    json_object_end(&json);
    FUZZ_MUST(json_check(buf_str(&out), NULL) == TWOLEG_NONE);
}

static void fuzz_body(struct str body, struct arena *arena)
{
    struct fuzz_target read = {.life = {.given = false}};
    struct http_request request = {
        .arena = arena, .body = body, .content_type = STR("application/json")};
    struct admin_call call = {.request = &request};
    enum twoleg_error error = admin_body(&call, fields, sizeof fields / sizeof *fields, &read);
    if (error) {
        fuzz_words(&call, arena);
        return;
    }
    if (body.len == 0)
        return;
    json_error_t reason;
    json_t *json = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &reason);
    FUZZ_MUST(json != NULL);
    fuzz_same(json, &read);
    json_decref(json);
}

static void fuzz_little(struct str body)
{
    for (size_t cap = 1; cap <= 4096; cap *= 16) {
        struct arena arena;
        struct fuzz_target read = {.life = {.given = false}};
        arena_init(&arena, NULL, cap);
        struct http_request request = {
            .arena = &arena, .body = body, .content_type = STR("application/json; x")};
        struct admin_call call = {.request = &request};
        enum twoleg_error error = admin_body(&call, fields, sizeof fields / sizeof *fields, &read);
        FUZZ_MUST(error != TWOLEG_INTERNAL);
        request.content_type = STR("text/plain");
        error = admin_body(&call, fields, sizeof fields / sizeof *fields, &read);
        FUZZ_MUST(error == (body.len ? TWOLEG_MEDIA_TYPE : TWOLEG_NONE));
        arena_finish(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, NULL, (size_t)1 << 26);
    fuzz_body(str_of(data, size), &arena);
    fuzz_little(str_of(data, size));
    arena_finish(&arena);
    return 0;
}
