// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http/router.h"

static enum twoleg_error router_handler(struct http_request *request,
                                        struct http_answer *ret_answer)
{
    (void)request;
    (void)ret_answer;
    return TWOLEG_INTERNAL;
}

static const struct http_route router_rows[] = {
    {"token", "/oauth/token", HTTP_POST, DOOR_PUBLIC, router_handler, false},
    {"check", "/check", HTTP_ANY, DOOR_GATE, router_handler, true},
    {"check_named", "/check/{*}", HTTP_ANY, DOOR_GATE, router_handler, true},
    {"apps_list", "/admin/v1/apps", HTTP_GET, DOOR_ADMIN, router_handler, false},
    {"apps_create", "/admin/v1/apps", HTTP_POST, DOOR_ADMIN, router_handler, false},
    {"app_show", "/admin/v1/apps/{}", HTTP_GET | HTTP_HEAD, DOOR_ADMIN, router_handler, false},
    {"app_special", "/admin/v1/apps/special", HTTP_POST, DOOR_ADMIN, router_handler, false},
    {"secret", "/admin/v1/apps/{}/secrets/{}", HTTP_DELETE, DOOR_ADMIN, router_handler, false},
};

static struct http_router router;

static const char *router_name(const char *path, enum http_method method, unsigned doors,
                               struct http_match *ret_match)
{
    http_router_match(&router, str_from(path), method, doors, ret_match);
    return ret_match->route ? ret_match->route->name : ret_match->allowed ? "405" : "404";
}

static void routes_are_found(void **state)
{
    struct http_match match;
    (void)state;
    assert_string_equal(router_name("/oauth/token", HTTP_POST, DOOR_ALL, &match), "token");
    assert_string_equal(router_name("/oauth/token", HTTP_GET, DOOR_ALL, &match), "405");
    assert_int_equal(match.allowed, HTTP_POST);
    assert_string_equal(router_name("/admin/v1/apps", HTTP_GET, DOOR_ALL, &match), "apps_list");
    assert_string_equal(router_name("/admin/v1/apps", HTTP_POST, DOOR_ALL, &match), "apps_create");
    assert_string_equal(router_name("/admin/v1/apps", HTTP_DELETE, DOOR_ALL, &match), "405");
    assert_int_equal(match.allowed, HTTP_GET | HTTP_POST);
    assert_string_equal(router_name("/check", HTTP_OTHER, DOOR_ALL, &match), "check");
    assert_string_equal(router_name("/oauth/token", HTTP_OTHER, DOOR_ALL, &match), "405");
}

static void segments_are_raw_views(void **state)
{
    struct http_match match;
    (void)state;
    assert_string_equal(
        router_name("/admin/v1/apps/a%20b/secrets/7", HTTP_DELETE, DOOR_ALL, &match), "secret");
    assert_int_equal(match.segment_count, 2);
    assert_true(str_equal(match.segments[0], STR("a%20b")));
    assert_true(str_equal(match.segments[1], STR("7")));
    assert_string_equal(router_name("/check/n/x", HTTP_GET, DOOR_ALL, &match), "check_named");
    assert_true(str_equal(match.segments[0], STR("n/x")));
    assert_string_equal(router_name("/admin/v1/apps/7", HTTP_HEAD, DOOR_ALL, &match), "app_show");
}

static void A22_only_the_canonical_path_matches(void **state)
{
    static const char *const paths[] = {
        "/",           "/oauth/token/", "/oauth//token", "//oauth/token",  "/oauth/./token",
        "/OAUTH/token", "/oauth/toke%6e", "/oauth/token;x", "/oauth/token.", "/check/",
        "/admin/v1/apps/", "/Admin/v1/apps", "/admin/v1/apps/%2f", "/admin/v1/apps/a/secrets/",
        "/admin/v1/apps//secrets/a",
        "*", "", "/oauth/tokenx", "/oauth/toke",
    };
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct http_match match;
        if (strcmp(router_name(paths[i], HTTP_POST, DOOR_ALL, &match), "404") != 0)
            fail_msg("%s", paths[i]);
    }
}

static void A22_a_foreign_path_may_have_any_spelling_behind_its_gate(void **state)
{
    static const struct http_route rows[] = {
        {"gate", "/gate/{*}", HTTP_ANY, DOOR_GATE, router_handler, true},
        {"admin", "/admin/{}", HTTP_ANY, DOOR_ADMIN, router_handler, false},
        {"rest", "/{*}", HTTP_ANY, DOOR_PUBLIC, router_handler, false},
    };
    static const char *const foreign[] = {"n//x", "n/../admin/x", "n/%2f%00/.", "/n", "../admin/x"};
    static const char *const others[] = {"/gate//../admin/x", "//gate/n", "/gate", "/./gate/n/x",
                                         "/admin/../gate/n", "/admin/%2e"};
    struct http_router own;
    struct http_match match;
    (void)state;
    assert_int_equal(http_router_init(&own, rows, 3), TWOLEG_NONE);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        char path[64];
        snprintf(path, sizeof path, "/gate/%s", foreign[i]);
        http_router_match(&own, str_from(path), HTTP_GET, DOOR_ALL, &match);
        assert_string_equal(match.route->name, "gate");
        assert_true(str_equal(match.segments[0], str_from(foreign[i])));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        http_router_match(&own, str_from(others[i]), HTTP_GET, DOOR_ALL, &match);
        const char *name = match.route ? match.route->name : "";
        assert_string_not_equal(name, "admin");
        assert_true(i == 0 || strcmp(name, "gate") != 0);
    }
}

static void an_exact_path_hides_patterns(void **state)
{
    struct http_match match;
    (void)state;
    assert_string_equal(router_name("/admin/v1/apps/special", HTTP_POST, DOOR_ALL, &match),
                        "app_special");
    assert_string_equal(router_name("/admin/v1/apps/special", HTTP_GET, DOOR_ALL, &match), "405");
    assert_int_equal(match.allowed, HTTP_POST);
}

static void a_route_without_its_door_is_404(void **state)
{
    struct http_match match;
    (void)state;
    assert_string_equal(router_name("/admin/v1/apps", HTTP_GET, DOOR_PUBLIC | DOOR_GATE, &match),
                        "404");
    assert_string_equal(router_name("/admin/v1/apps/7", HTTP_GET, DOOR_PUBLIC, &match), "404");
    assert_string_equal(router_name("/oauth/token", HTTP_GET, DOOR_ADMIN, &match), "404");
    assert_int_equal(match.allowed, 0);
}

static void bad_tables_are_refused(void **state)
{
    static const char *const paths[] = {"", "x", "/{*}/a", "/a{}", "/{}x", "/{*}x"};
    struct http_router other;
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct http_route route = {"bad", paths[i], HTTP_GET, DOOR_ALL, router_handler, false};
        assert_int_equal(http_router_init(&other, &route, 1), TWOLEG_MALFORMED);
    }
    struct http_route deep = {"bad", "/{}/{}/{}/{}/{}", HTTP_GET, DOOR_ALL, router_handler, false};
    assert_int_equal(http_router_init(&other, &deep, 1), TWOLEG_RANGE);
}

static void rfc9110_10_2_1_allow_lists_methods(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    assert_true(str_equal(http_method_allow(HTTP_GET | HTTP_HEAD | HTTP_DELETE, &arena),
                          STR("Allow: GET, HEAD, DELETE\r\n")));
    arena_finish(&arena);
    assert_int_equal(http_method_parse(STR("PATCH")), HTTP_PATCH);
    assert_int_equal(http_method_parse(STR("TRACE")), HTTP_OTHER);
    assert_int_equal(http_method_parse(STR("get")), HTTP_OTHER);
}

static int router_setup(void **state)
{
    (void)state;
    return (int)http_router_init(&router, router_rows, sizeof router_rows / sizeof router_rows[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(segments_are_raw_views),
        cmocka_unit_test(A22_only_the_canonical_path_matches),
        cmocka_unit_test(A22_a_foreign_path_may_have_any_spelling_behind_its_gate),
        cmocka_unit_test(an_exact_path_hides_patterns),
        cmocka_unit_test(a_route_without_its_door_is_404),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(rfc9110_10_2_1_allow_lists_methods),
    };
    return cmocka_run_group_tests(tests, router_setup, NULL);
}
