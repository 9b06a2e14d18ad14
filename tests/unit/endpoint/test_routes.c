// SPDX-License-Identifier: Apache-2.0
#include "endpoint/routes.h"

#include "base/buf.h"
#include "dialect/inside.h"
#include "unit/model/model_test.h"

// With something in each of its holes.
static struct str path_of(const char *pattern, struct buf *out)
{
    struct str rest = str_from(pattern), segment;
    out->len = 0;
    rest = str_slice(rest, 1, rest.len);
    while (str_split(&rest, '/', &segment)) {
        buf_add_char(out, '/');
        buf_add(out, str_find(segment, '{') < segment.len ? STR("x") : segment);
    }
    return buf_str(out);
}

// A dialect's hole must not take them in at a listener without their doors, whatever is added.
static void A22_no_dialect_takes_the_place_of_a_route(void **state)
{
    (void)state;
    char memory[256];
    struct buf out;
    size_t count, seen = 0;
    const struct http_route *routes = endpoint_routes(&count);
    buf_init(&out, memory, sizeof memory);
    for (size_t i = 0; i < count; i++) {
        if (routes[i].handler == endpoint_token)
            continue;
        struct str path = path_of(routes[i].path, &out);
        assert_false(out.failed);
        if (!dialect_path_is_ours(path))
            fail_msg("a dialect may have %.*s", STR_ARG(path));
        seen++;
    }
    assert_true(seen + 1 == count && seen > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A22_no_dialect_takes_the_place_of_a_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
