// SPDX-License-Identifier: Apache-2.0
// A world with one dialect in it, for the tests of this folder.
#pragma once
#include "dialect/dialect.h"
#include "unit/model/model_test.h"

#define HEAD "name: x\ntitle: X\n"
#define PATHS "endpoints:\n  - path: /t\n"

struct dialect_world {
    struct arena kept;  // of the dialect
    struct arena arena; // of the request
    struct config_report report;
    const struct dialect *dialect;
    struct http_request http;
    struct token_request form;
    struct http_answer answer;
};

// The dialect of that name, or NULL when the name is NULL.
static int dialect_world_create(void **state, const char *name)
{
    struct dialect_world *w = calloc(1, sizeof *w);
    if (!w)
        return -1;
    arena_init(&w->kept, NULL, (size_t)1 << 22);
    arena_init(&w->arena, NULL, ARENA_REQUEST_CAP);
    w->http.arena = &w->arena;
    w->http.method = HTTP_POST;
    w->http.content_type = STR("application/x-www-form-urlencoded");
    *state = w;
    struct dialect_library library = {.arena = &w->kept, .report = &w->report};
    if (!config_report_init(&w->report, &w->kept))
        return -1;
    return name && dialect_find(&library, str_from(name), &w->dialect) ? -1 : 0;
}

static int dialect_world_destroy(void **state)
{
    struct dialect_world *w = *state;
    arena_finish(&w->arena);
    arena_finish(&w->kept);
    free(w);
    return 0;
}

static inline void refuse_and_check(struct dialect_world *w, enum twoleg_error error,
                                    unsigned status, const char *body)
{
    const struct dialect_refusal refusal = {.error = error};
    dialect_answer_refusal(w->dialect, &w->http, &refusal, &w->answer);
    assert_int_equal(w->answer.status, status);
    check_str(w->answer.body, body);
}

// A file of one's own, x.yaml. The report is as it would be printed.
static inline enum twoleg_error load(struct dialect_world *w, const char *text,
                                     struct str *ret_report)
{
    struct dialect_library library = {.arena = &w->kept, .report = &w->report};
    struct buf out;
    arena_finish(&w->kept); // of the one before
    assert_true(config_report_init(&w->report, &w->kept));
    enum twoleg_error error =
        dialect_load(&library, STR("x.yaml"), str_from(text), &w->dialect);
    buf_init_arena(&out, &w->kept, 1024);
    config_report_print(&w->report, &out);
    *ret_report = buf_str(&out);
    return error;
}
