// SPDX-License-Identifier: Apache-2.0
// Texts of the model: scopes, numbers of entities, identifiers of APIs, budgets.
#include "base/arena.h"
#include "fuzz.h"
#include "model/api.h"
#include "model/application.h"
#include "model/budget.h"
#include "model/number.h"
#include "model/scope.h"

static void fuzz_order(struct str scope)
{
    struct str word;
    struct str before = STR_NONE;
    size_t len = 0;
    for (struct str rest = scope; str_word(&rest, &word); before = word) {
        FUZZ_MUST(scope_word_valid(word));
        FUZZ_MUST(!before.ptr || str_compare(before, word) < 0);
        len += word.len + (before.ptr != NULL);
    }
    FUZZ_MUST(len == scope.len);
}

// What two have in common is in both, and is what one of them has in common with itself.
static void fuzz_scopes(struct arena *arena, struct str a, struct str b)
{
    struct str both[2] = {STR("x"), b};
    struct str common;
    struct str again;
    FUZZ_MUST(scope_contains(a, a));
    FUZZ_MUST(scope_intersect(arena, a, &both[1], 1, &common) == TWOLEG_NONE);
    FUZZ_MUST(scope_contains(a, common) && scope_contains(b, common));
    FUZZ_MUST(str_equal(common, a) == scope_contains(b, a));
    fuzz_order(common);
    FUZZ_MUST(scope_intersect(arena, common, both, 2, &again) == TWOLEG_NONE);
    FUZZ_MUST(str_equal(again, common));
}

static void fuzz_scope(struct arena *arena, struct str text)
{
    struct str scope, again, left, right;
    size_t half = str_find(text, ',');
    enum twoleg_error error = scope_normalise(arena, text, &scope);
    if (error)
        FUZZ_MUST(error == TWOLEG_SCOPE_MALFORMED || error == TWOLEG_TOO_LONG);
    if (!error) {
        fuzz_order(scope);
        FUZZ_MUST(scope_contains(text, scope) && scope_contains(scope, text));
        FUZZ_MUST(scope_normalise(arena, scope, &again) == TWOLEG_NONE);
        FUZZ_MUST(str_equal(scope, again));
    }
    if (!scope_normalise(arena, str_slice(text, 0, half), &left) &&
        !scope_normalise(arena, str_slice(text, half + 1, text.len), &right))
        fuzz_scopes(arena, left, right);
}

static void fuzz_number(struct str text)
{
    char memory[NUMBER_TEXT_MAX];
    unsigned kinds = 0;
    for (int kind = NUMBER_APPLICATION; kind <= NUMBER_ACCOUNT; kind++) {
        struct buf out;
        uint64_t number;
        if (!number_read(text, (enum number_kind)kind, &number))
            continue;
        kinds++;
        buf_init(&out, memory, sizeof memory);
        number_write(&out, (enum number_kind)kind, number);
        FUZZ_MUST(str_equal(buf_str(&out), text));
    }
    FUZZ_MUST(kinds <= 1);
}

static void fuzz_grants(struct str text)
{
    char memory[GRANTS_TEXT_MAX];
    struct buf out;
    unsigned grants, again;
    if (!grants_read(text, &grants))
        return;
    FUZZ_MUST(grants_valid(grants));
    buf_init(&out, memory, sizeof memory);
    grants_write(&out, grants);
    FUZZ_MUST(!out.failed && grants_read(buf_str(&out), &again) && again == grants);
}

static void fuzz_names(struct str text)
{
    enum token_format format;
    if (token_format_from(text, &format))
        FUZZ_MUST(str_equal(token_format_name(format), text));
    if (!api_identifier_valid(text))
        return;
    FUZZ_MUST(text.len <= API_IDENTIFIER_MAX && str_find(text, '#') == text.len);
    FUZZ_MUST(str_find(text, ':') < text.len && str_find(text, '"') == text.len);
    for (size_t i = 0; i < text.len; i++)
        FUZZ_MUST(text.ptr[i] > 0x20 && text.ptr[i] < 0x7f);
}

static void fuzz_shown(const struct budget *budget)
{
    char memory[2 * BUDGET_TEXT_MAX];
    struct buf text;
    struct json_writer json;
    buf_init(&text, memory, sizeof memory);
    json_writer_init(&json, &text);
    json_object_begin(&json);
    budget_write(&json, budget);
    json_object_end(&json);
    FUZZ_MUST(!text.failed);
}

static void fuzz_budget(struct str text)
{
    char memory[BUDGET_TEXT_MAX];
    struct budget budget = {0};
    struct budget again = {0};
    struct buf out;
    enum budget_mode mode;
    if (budget_mode_from(text, &mode))
        FUZZ_MUST(str_equal(budget_mode_name(mode), text));
    if (budget_parse(text, &budget))
        return;
    buf_init(&out, memory, sizeof memory);
    budget_format(&out, &budget);
    FUZZ_MUST(!budget_parse(buf_str(&out), &again));
    FUZZ_MUST(again.own == budget.own && again.rate.count == budget.rate.count);
    const struct budget servers = {0}, none = {.own = true};
    const struct budget other = {.own = true, .rate = {1, 1, 1}};
    FUZZ_MUST(budget_same(&budget, &again) && !budget_same(&budget, &other));
    FUZZ_MUST(budget_same(&budget, &servers) == !budget.own);
    FUZZ_MUST(budget_same(&budget, &none) == (budget.own && budget.rate.count == 0));
    fuzz_shown(&budget);
    FUZZ_MUST(!budget.rate.count || (again.rate.burst == budget.rate.burst &&
                                     again.rate.period_us == budget.rate.period_us));
}

static void fuzz_set(struct str text)
{
    const struct api apis[2] = {{.number = 1, .identifier = text},
                                {.number = 2, .identifier = STR("urn:x"), .is_default = true}};
    const struct api_set set = {apis, 2};
    FUZZ_MUST(api_set_find_identifier(&set, text) == &apis[0]);
    FUZZ_MUST(api_set_find(&set, 2) == &apis[1] && !api_set_find(&set, 3));
    FUZZ_MUST(api_set_default(&set) == &apis[1]);
    FUZZ_MUST(!api_set_default(&(const struct api_set){apis, 1}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str text = str_of(data, size);
    arena_init(&arena, NULL, (size_t)1 << 26);
    fuzz_scope(&arena, text);
    fuzz_number(text);
    fuzz_names(text);
    fuzz_grants(text);
    fuzz_budget(text);
    fuzz_set(text);
    arena_finish(&arena);
    return 0;
}
