// SPDX-License-Identifier: Apache-2.0
// What a good dialect file comes to: what it leaves out, what its tokens look like, which path is
// whose.
#include <stdio.h>

#include "dialect/set.h"
#include "dialect_test.h"

static int setup(void **state)
{
    return dialect_world_create(state, NULL);
}

static void every_shipped_dialect_loads(void **state)
{
    struct dialect_world *w = *state;
    const char *name;
    for (size_t i = 0; (name = dialect_shipped_name(i)); i++) {
        struct dialect_library library = {.arena = &w->kept, .report = &w->report};
        check_error(dialect_find(&library, str_from(name), &w->dialect), TWOLEG_NONE, name);
        check_str(w->dialect->name, name);
        for (unsigned c = 0; c < CONDITIONS; c++)
            assert_non_null(w->dialect->by_condition[c]);
    }
}

static void a_file_says_only_how_it_differs(void **state)
{
    struct dialect_world *w = *state;
    struct str report;
    assert_int_equal(load(w, HEAD, &report), TWOLEG_NONE);
    assert_int_equal(w->dialect->endpoints.count, 1);
    assert_int_equal(w->dialect->success.fields.count, 5);
    assert_int_equal(w->dialect->by_condition[CONDITION_CLIENT]->status, 401);
    assert_int_equal(load(w, HEAD "base: wechat\n", &report), TWOLEG_NONE);
    assert_int_equal(w->dialect->by_condition[CONDITION_CLIENT]->status, 200);
    assert_true(w->dialect->client_in_query);
    assert_int_equal(load(w, HEAD "base: wechat\nsuccess: {headers: ['X-A: b']}\n", &report),
                     TWOLEG_NONE);
    check_str(w->dialect->success.header_lines, "X-A: b\r\n");
    // A type goes with a body: that of another one is not taken over.
    assert_int_equal(load(w, HEAD "base: facebook\nsuccess: {body: form}\n", &report),
                     TWOLEG_NONE);
    check_str(w->dialect->success.content_type, "text/plain; charset=UTF-8");
    assert_int_equal(load(w, HEAD "base: facebook\nsuccess: {body: json}\n", &report),
                     TWOLEG_NONE);
    check_str(w->dialect->success.content_type, "application/json");
    assert_int_equal(load(w, HEAD "success: {body: token}\n", &report), TWOLEG_NONE);
    check_str(w->dialect->success.content_type, "text/plain; charset=utf-8");
    // What only introspection has is no parameter of any token endpoint: its names are free.
    assert_int_equal(load(w, HEAD "parameters:\n  - {name: token, is: client_secret}\n", &report),
                     TWOLEG_NONE);
    assert_int_equal(w->dialect->parameters.count, 8);
    // Extra ones are taken over by their names: zoom demands account_id.
    assert_int_equal(load(w, HEAD "base: zoom\nparameters: [{name: other}]\n", &report),
                     TWOLEG_NONE);
    const struct dialect_parameter *items = w->dialect->parameters.items;
    assert_int_equal(w->dialect->parameters.count, 10);
    check_str(items[2].name, "account_id");
    assert_true(items[2].required && items[2].claim.ptr && w->dialect->claims);
    assert_int_equal(load(w, HEAD "base: zoom\nparameters: [{name: account_id}]\n", &report),
                     TWOLEG_NONE);
    items = w->dialect->parameters.items;
    assert_int_equal(w->dialect->parameters.count, 9);
    assert_false(items[0].required || items[0].claim.ptr || w->dialect->claims);
    assert_int_equal(load(w, "name: rfc6749\ntitle: X\n" PATHS, &report), TWOLEG_NONE);
    assert_int_equal(w->dialect->success.fields.count, 5); // of the one that was shipped
    assert_int_equal(load(w, HEAD "errors:\n  body: '{\"e\":\"{code}\"}'\n", &report), TWOLEG_NONE);
    refuse_and_check(w, TWOLEG_SECRET_WRONG, 401, "{\"e\":\"invalid_client\"}");
}

static void check_answer(struct dialect_world *w, const struct issued_token *token,
                         const char *body)
{
    const struct application application = {.client_id = STR("c")};
    const struct decision decision = {.application = &application};
    assert_int_equal(dialect_answer_token(w->dialect, &w->http, &decision, token, &w->answer),
                     TWOLEG_NONE);
    check_str(w->answer.body, body);
}

// T21: as a number of its unit, as the end of such a life, or not at all.
static void T21_a_life_without_end_is_told_as_the_file_says(void **state)
{
    struct dialect_world *w = *state;
    struct str report;
    const struct issued_token token = {.text = STR("t"), .issued_s = 1000000000};
    assert_int_equal(load(w, HEAD "success:\n  fields:\n"
                             "    - {name: a, source: access_token}\n"
                             "    - {name: b, source: expires_in, type: number, minus: 1, "
                             "never: 7}\n"
                             "    - {name: c, source: expires_in, unit: ms, never: 7}\n"
                             "    - {name: d, source: expires_at, never: 7}\n"
                             "    - {name: e, source: expires_at, unit: ms, never: 7}\n"
                             "    - {name: f, source: expires_at, unit: text, never: 7}\n"
                             "    - {name: g, source: expires_at, unit: text}\n",
                          &report),
                     TWOLEG_NONE);
    check_answer(w, &token, "{\"a\":\"t\",\"b\":7,\"c\":\"7\",\"d\":\"1000000007\","
                            "\"e\":\"1000000000007\",\"f\":\"2001-09-09T01:46:47Z\"}");
}

static void T19_scopes_are_answered_in_the_files_order(void **state)
{
    struct dialect_world *w = *state;
    struct str report;
    const char *const each[][2] = {
        {"a b c d", "d b a c"}, {"a c", "a c"}, {"b", "b"}, {"a b x", "b a x"}, {"", ""}};
    for (size_t i = 0; i < COUNT(each); i++) {
        const struct issued_token token = {.text = STR("t"), .scope = str_from(each[i][0])};
        char body[64];
        snprintf(body, sizeof body, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"%s%s%s}",
                 *each[i][0] ? ",\"scope\":\"" : "", each[i][1], *each[i][0] ? "\"" : "");
        assert_int_equal(load(w, HEAD "scope: {order: e d b a}\n", &report), TWOLEG_NONE);
        check_answer(w, &token, body);
    }
    // Likewise with other separators, and as a list; and from a base.
    const struct issued_token token = {.text = STR("t"), .scope = STR("groups sms")};
    assert_int_equal(load(w, HEAD "base: smscx\nscope: {separator: comma}\nsuccess:\n  fields:\n"
                             "    - {name: a, source: access_token}\n"
                             "    - {name: b, source: scope}\n"
                             "    - {name: c, source: scope, type: array}\n",
                          &report),
                     TWOLEG_NONE);
    check_answer(w, &token, "{\"a\":\"t\",\"b\":\"sms,groups\",\"c\":[\"sms\",\"groups\"]}");
}

// A 401 offers Basic where it is taken, or where the file itself says so.
static void rfc6749_5_2_no_basic_challenge_is_taken_over_where_no_basic_is_taken(void **state)
{
    static const struct {
        const char *text, *headers;
    } each[] = {
        {HEAD, "WWW-Authenticate: Basic realm=\"twoleg\"\r\n"},
        {HEAD "client: {methods: [basic]}\n", "WWW-Authenticate: Basic realm=\"twoleg\"\r\n"},
        {HEAD "client: {methods: [parameters]}\n", ""},
        {HEAD "client: {methods: [parameters]}\nerrors: {content_type: application/json}\n", ""},
        {HEAD "base: smscx\n", "WWW-Authenticate: Basic realm=\"api.sms.cx\"\r\n"},
        {HEAD "base: smscx\nclient: {methods: [parameters]}\n", ""},
        {HEAD "base: azure-v1\n", ""},
        {HEAD "client: {methods: [parameters]}\nerrors: {challenge: 'Basic realm=\"x\"'}\n",
         "WWW-Authenticate: Basic realm=\"x\"\r\n"},
    };
    struct dialect_world *w = *state;
    struct str report;
    for (size_t i = 0; i < COUNT(each); i++) {
        const struct dialect_refusal refusal = {.error = TWOLEG_SECRET_WRONG};
        check_error(load(w, each[i].text, &report), TWOLEG_NONE, each[i].text);
        dialect_answer_refusal(w->dialect, &w->http, &refusal, &w->answer);
        assert_int_equal(w->answer.status, 401);
        check_str(w->answer.headers, each[i].headers);
    }
}

static const struct {
    const char *text;
    struct token_shape shape; // length 0: the default one
} looks[] = {
    {HEAD "token: {format: reference}\n", {.length = 0}},
    {HEAD "token: {format: sealed}\n", {.length = 0}},
    {HEAD "base: smscx\n", {.alphabet = TOKEN_HEX, .length = 40}},
    {HEAD "base: smscx\ntoken: {format: reference}\n", {.length = 0}},
    {HEAD "base: marketo\ntoken: {format: reference, alphabet: uuid}\n",
     {.alphabet = TOKEN_UUID, .length = 36}},
    {HEAD "base: marketo\n",
     {.alphabet = TOKEN_UUID, .length = 36, .suffix = {":int", 4}}},
    {HEAD "token: {format: reference, alphabet: alphanumeric, length: 21, prefix: a_, "
          "suffix: '=', checksum: true}\n",
     {.length = 21, .prefix = {"a_", 2}, .suffix = {"=", 1}, .checksum = true}},
};

static void tokens_look_as_the_file_says(void **state)
{
    struct dialect_world *w = *state;
    struct str report;
    for (size_t i = 0; i < COUNT(looks); i++) {
        assert_int_equal(load(w, looks[i].text, &report), TWOLEG_NONE);
        const struct token_shape *shape = w->dialect->rules.shape;
        assert_int_equal(shape == NULL, looks[i].shape.length == 0);
        if (shape && !token_shape_equal(shape, &looks[i].shape))
            fail_msg("%s", looks[i].text);
    }
}

static void a_spelled_out_path_goes_before_a_hole(void **state)
{
    struct dialect_world *w = *state;
    struct str report;
    assert_int_equal(load(w, HEAD "endpoints:\n  - {path: '/{t}/token', trailing_slash: true}\n"
                             "  - {path: /a/token}\n  - {path: /B, fold_case: true}\n"
                             "  - {path: '/{a}/{b}/{c}'}\n", &report),
                     TWOLEG_NONE);
    static const struct {
        const char *path;
        const char *found; // NULL: nothing
    } paths[] = {
        {"/a/token", "/a/token"}, {"/b/token", "/{t}/token"}, {"/b/token/", "/{t}/token"},
        {"/a/token/", "/{t}/token"}, {"/b", "/B"}, {"/B", "/B"}, {"/B/", NULL}, {"/a", NULL},
        {"//token", NULL}, {"/./token", NULL}, {"/%2e/token", NULL}, {"/a/b/token/", NULL},
        {"/a/Token", NULL}, {"/", NULL}, {"/a/b/c", "/{a}/{b}/{c}"},
        // A22: no hole takes in what is ours.
        {"/check/token", NULL}, {"/Check/token/", NULL}, {"/oauth/revoke/x", "/{a}/{b}/{c}"},
        {"/admin/v1/status", NULL}, {"/.well-known/token", NULL},
    };
    for (size_t i = 0; i < COUNT(paths); i++) {
        const struct dialect_endpoint *at =
            dialect_find_endpoint(w->dialect, str_from(paths[i].path));
        if (!at != !paths[i].found || (at && !str_equal(at->path, str_from(paths[i].found))))
            fail_msg("%s", paths[i].path);
    }
}

// A folder of own dialects for each of which others are named costs no more than they are.
static void a_base_is_compiled_once_and_a_dialect_is_small(void **state)
{
    struct dialect_world *w = *state;
    struct dialect_library library = {.arena = &w->kept, .report = &w->report};
    const struct dialect *again;
    size_t before = 0, most = 0;
    for (size_t i = 0; dialect_shipped_name(i); i++) {
        struct str name = str_from(dialect_shipped_name(i));
        check_error(dialect_find(&library, name, &w->dialect), TWOLEG_NONE, name.ptr);
        if (w->kept.total - before > most && i > 0)
            most = w->kept.total - before;
        before = w->kept.total;
        check_error(dialect_find(&library, name, &again), TWOLEG_NONE, name.ptr);
        assert_ptr_equal(again, w->dialect);
    }
    assert_int_equal(w->kept.total, before);
    assert_true(most <= (size_t)48 * 1024);
}

static bool has_shape(const struct dialect_set *set, const struct token_shape *shape)
{
    size_t count;
    const struct token_shape *shapes = dialect_set_shapes(set, &count);
    size_t i = 0;
    while (i < count && !token_shape_equal(&shapes[i], shape))
        i++;
    return i < count;
}

// A set reads of the others only what they say of tokens: it finds what the whole files say.
static void of_dialects_that_nobody_speaks_the_shapes_of_tokens_are_known(void **state)
{
    struct dialect_world *w = *state;
    const char *name;
    for (int own = 0; own < 2; own++) {
        struct dialect_library library = {.arena = &w->kept, .report = &w->report};
        struct config config = {.dialect = STR("rfc6749"),
                                .dialect_folder = own ? STR("/") : STR_NONE};
        struct dialect_set *set;
        size_t shaped = 0;
        assert_int_equal(dialect_set_create(&config, &w->report, &set), TWOLEG_NONE);
        for (size_t i = 0; (name = dialect_shipped_name(i)); i++) {
            check_error(dialect_find(&library, str_from(name), &w->dialect), TWOLEG_NONE, name);
            const struct token_shape *shape = w->dialect->rules.shape;
            if (shape && !has_shape(set, shape))
                fail_msg("of %s the shape is not known", name);
            shaped += shape != NULL;
        }
        assert_true(shaped >= 5);
        dialect_set_destroy(set);
    }
}

#define WORLD(name) cmocka_unit_test_setup_teardown(name, setup, dialect_world_destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(every_shipped_dialect_loads),
        WORLD(a_file_says_only_how_it_differs),
        WORLD(T21_a_life_without_end_is_told_as_the_file_says),
        WORLD(T19_scopes_are_answered_in_the_files_order),
        WORLD(rfc6749_5_2_no_basic_challenge_is_taken_over_where_no_basic_is_taken),
        WORLD(tokens_look_as_the_file_says),
        WORLD(a_spelled_out_path_goes_before_a_hole),
        WORLD(a_base_is_compiled_once_and_a_dialect_is_small),
        WORLD(of_dialects_that_nobody_speaks_the_shapes_of_tokens_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
