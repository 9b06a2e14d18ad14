// SPDX-License-Identifier: Apache-2.0
// Row H22: every key of the configuration, also those inside of lists, missing, misspelt, of the
// wrong type, out of its range and huge: each is refused, and its line is named.
#include "config_test.h"

// Where keys stand: the lines above a key. `given` stands there already; with `only` it is that key
// alone which is looked at there, since the others want it to be there.
struct place {
    const char *above, *indent;
    const char *given, *only;
};

#define PLACE_LISTENER "listen:\n  - address: 127.0.0.1:1\n"

static const struct place places[] = {
    {"", "", NULL, NULL},
    {"checks:\n  - name: a\n", "    ", "name", NULL},
    {"checks:\n  - scope: a\n", "    ", NULL, "name"},
    {PLACE_LISTENER, "    ", "address", NULL},
    {"listen:\n  - doors: [public]\n", "    ", NULL, "address"},
    {PLACE_LISTENER "    tls:\n      - certificate: /c\n", "        ", "certificate", NULL},
    {PLACE_LISTENER "    tls:\n      - key: /k\n", "        ", "key", NULL},
    {"hosts:\n  - name: a\n", "    ", "name", NULL},
    {"hosts:\n  - dialect: a\n", "    ", NULL, "name"},
};

static const struct schema_row *row_find(const struct schema_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->row_count; i++)
        if (strcmp(shape->rows[i].name, name) == 0)
            return &shape->rows[i];
    fail_msg("no key is named %s", name);
    return NULL;
}

static const struct schema_shape *place_shape(size_t place)
{
    const struct schema_shape *schema = config_schema();
    const struct schema_shape *check = row_find(schema, "checks")->shape->item->shape;
    const struct schema_shape *listener = row_find(schema, "listen")->shape->item->shape;
    const struct schema_shape *tls = row_find(listener, "tls")->shape->item->shape;
    const struct schema_shape *host = row_find(schema, "hosts")->shape->item->shape;
    const struct schema_shape *const shapes[] = {schema, check, check, listener, listener,
                                                 tls,    tls,   host,  host};
    _Static_assert(COUNT(shapes) == COUNT(places), "each place has its keys");
    return shapes[place];
}

static bool place_has(const struct place *place, const char *key)
{
    if (place->only)
        return strcmp(place->only, key) == 0;
    return !place->given || strcmp(place->given, key) != 0;
}

// One key at its place.
struct row_case {
    const struct place *place;
    const struct schema_row *row;
};

typedef void row_check(struct config_test *test, const struct row_case *row);

static void rows_each(struct config_test *test, row_check *check)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT(places); i++) {
        const struct schema_shape *shape = place_shape(i);
        for (size_t j = 0; j < shape->row_count; j++) {
            if (!place_has(&places[i], shape->rows[j].name))
                continue;
            check(test, &(struct row_case){&places[i], &shape->rows[j]});
            count++;
        }
    }
    assert_int_equal(count, config_schema()->row_count + 5 + 5 + 2 + 2);
}

static enum twoleg_error row_load(struct config_test *test, const char *text, const char **printed)
{
    struct config config;
    arena_finish(&test->arena);
    arena_init(&test->arena, NULL, 4 * 1024 * 1024);
    assert_true(config_report_init(&test->report, &test->arena));
    enum twoleg_error error = config_test_load(test, text, &config);
    *printed = error ? config_test_print(test) : "";
    if (!error)
        config_finish(&config);
    return error;
}

// This key with this value is refused; a line of what is said names its line and has the word.
static void row_refused(struct config_test *test, const struct row_case *row, const char *key,
                        const char *value, const char *word)
{
    static char text[256 * 1024];
    char where[64];
    const char *printed;
    const char *above = row->place->above;
    int line = 1;
    for (const char *at = above; *at; at++)
        line += *at == '\n';
    int len = snprintf(text, sizeof text, "%s%s%s: %s\n", above, row->place->indent, key, value);
    assert_true(len > 0 && (size_t)len < sizeof text);
    if (row_load(test, text, &printed) != TWOLEG_MALFORMED)
        fail_msg("taken: %.200s", text);
    snprintf(where, sizeof where, "twoleg.yaml:%d:", line);
    const char *said = strstr(printed, where);
    const char *end = said ? strchr(said, '\n') : NULL;
    const char *found = said ? strstr(said, word) : NULL;
    if (!found || (end && found > end))
        fail_msg("%s and \"%s\" are not in \"%s\"", where, word, printed);
    if (strlen(printed) > 16384)
        fail_msg("%s: %zu bytes of words", key, strlen(printed));
}

static void row_misspelt(struct config_test *test, const struct row_case *row)
{
    char key[64];
    char word[128];
    snprintf(key, sizeof key, "%sx", row->row->name);
    snprintf(word, sizeof word, "unknown key \"%s\". Did you mean \"%s\"?", key, row->row->name);
    row_refused(test, row, key, "1", word);
}

static void row_missing(struct config_test *test, const struct row_case *row)
{
    static const char *const wanted[] = {"name", "address", "certificate", "key"};
    char word[64];
    const char *printed;
    // A host is named for its dialect; elsewhere there is a usual one.
    bool required = strcmp("dialect", row->row->name) == 0 &&
                    strncmp("hosts", row->place->above, 5) == 0;
    for (size_t i = 0; i < COUNT(wanted); i++)
        required = required || strcmp(wanted[i], row->row->name) == 0;
    enum twoleg_error error = row_load(test, row->place->above, &printed);
    snprintf(word, sizeof word, "\"%s\" is missing", row->row->name);
    if (required ? error != TWOLEG_MALFORMED || !strstr(printed, word) : error != TWOLEG_NONE)
        fail_msg("without %s: \"%s\"", row->row->name, printed);
}

static void row_of_wrong_type(struct config_test *test, const struct row_case *row)
{
    static const char *const values[] = {"", "{a: 1}", "[[]]", "\"\\0\"", "[{}, []]"};
    for (size_t i = 0; i < COUNT(values); i++)
        row_refused(test, row, row->row->name, values[i], row->row->name);
}

static void row_huge(struct config_test *test, const struct row_case *row)
{
    static char text[128 * 1024];
    char *at = text;
    bool list = row->row->type == SCHEMA_LIST || row->row->type == SCHEMA_WORDS;
    *at++ = list ? '[' : '9';
    for (size_t i = 0; i < (list ? 30000 : 100000); i++) {
        *at++ = list ? 'z' : '9';
        if (list)
            *at++ = ',';
    }
    if (list) {
        *at++ = 'z';
        *at++ = ']';
    }
    *at = '\0';
    row_refused(test, row, row->row->name, text, row->row->name);
}

// One step beyond each end. The end of a text is how long it may be.
static void row_out_of_range(struct config_test *test, const struct row_case *row)
{
    char text[2048];
    long long min = row->row->min ? strtoll(row->row->min, NULL, 10) : 0;
    long long max = row->row->max ? strtoll(row->row->max, NULL, 10) : 0;
    switch (row->row->type) {
    case SCHEMA_INTEGER:
        snprintf(text, sizeof text, "%lld", min - 1);
        row_refused(test, row, row->row->name, text, row->row->name);
        snprintf(text, sizeof text, "%lld", max + 1);
        row_refused(test, row, row->row->name, text, "is too large");
        return;
    case SCHEMA_DURATION:
        if (min > 0)
            row_refused(test, row, row->row->name, "0s", "is too small");
        snprintf(text, sizeof text, "%lld%s", max + 1, strpbrk(row->row->max, "smhdwy"));
        row_refused(test, row, row->row->name, text, "is too large");
        return;
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
        assert_true(max > 0 && max + 2 < (long long)sizeof text);
        memset(text, 'a', (size_t)max + 1);
        text[0] = row->row->type == SCHEMA_PATH ? '/' : 'a';
        text[max + 1] = '\0';
        row_refused(test, row, row->row->name, text, "is too long");
        if (min > 0)
            row_refused(test, row, row->row->name, "''", row->row->name);
        return;
    default:
        return;
    }
}

static void H22_each_key_misspelt_is_refused_and_the_right_one_named(void **state)
{
    rows_each(*state, row_misspelt);
}

static void H22_each_key_may_be_missing_or_is_missed(void **state)
{
    rows_each(*state, row_missing);
}

static void H22_each_key_refuses_the_wrong_type(void **state)
{
    rows_each(*state, row_of_wrong_type);
}

static void H22_each_key_refuses_what_is_huge_in_few_words(void **state)
{
    rows_each(*state, row_huge);
}

static void H22_each_key_refuses_what_is_out_of_range(void **state)
{
    rows_each(*state, row_out_of_range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, config_test_setup, config_test_teardown)
        TEST(H22_each_key_misspelt_is_refused_and_the_right_one_named),
        TEST(H22_each_key_may_be_missing_or_is_missed),
        TEST(H22_each_key_refuses_the_wrong_type),
        TEST(H22_each_key_refuses_what_is_huge_in_few_words),
        TEST(H22_each_key_refuses_what_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
