// SPDX-License-Identifier: Apache-2.0
// The walker with a schema of its own: every type, every kind of error with its exact text.
#include "config_test.h"

#include "base/env.h"

struct leaf {
    struct config_mark mark;
    struct str name;
    int64_t life;
    struct schema_list words;
};

struct tree {
    bool flag;
    int64_t number, life, size;
    struct str text, url, path;
    unsigned word, words;
    struct schema_endpoint endpoint;
    struct cidr cidr;
    struct schema_list leaves;
};

static const char *const tree_words[] = {"red", "green", "blue", NULL};
static const struct schema_shape word_shape = {.words = tree_words};
static const struct schema_shape never_shape = {.never = true};
static const struct schema_shape letters_shape = {.characters = "abc",
                                                  .characters_text = "a, b and c"};
static const struct schema_row item_row = {.type = SCHEMA_TEXT, .max = "8"};
static const struct schema_shape items_shape = {.item = &item_row, .item_size = sizeof(struct str)};

static const struct schema_row leaf_rows[] = {
    {.name = "name", .type = SCHEMA_TEXT, .offset = offsetof(struct leaf, name), .required = true},
    {.name = "life",
     .type = SCHEMA_DURATION,
     .offset = offsetof(struct leaf, life),
     .fallback = "1m",
     .shape = &never_shape},
    {.name = "words",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct leaf, words),
     .max = "2",
     .shape = &items_shape},
};
static const struct schema_shape leaf_shape = {.rows = leaf_rows, .row_count = COUNT(leaf_rows)};
static const struct schema_row leaf_row = {.type = SCHEMA_OBJECT, .shape = &leaf_shape};
static const struct schema_shape leaves_shape = {.item = &leaf_row,
                                                 .item_size = sizeof(struct leaf)};

static const struct schema_row tree_rows[] = {
    {.name = "flag", .type = SCHEMA_BOOL, .offset = offsetof(struct tree, flag)},
    {.name = "number",
     .type = SCHEMA_INTEGER,
     .offset = offsetof(struct tree, number),
     .min = "2",
     .max = "9",
     .fallback = "3",
     .unit = "eggs"},
    {.name = "token_ttl",
     .type = SCHEMA_DURATION,
     .offset = offsetof(struct tree, life),
     .min = "1s",
     .max = "10y",
     .fallback = "1h"},
    {.name = "size",
     .type = SCHEMA_INTEGER,
     .offset = offsetof(struct tree, size),
     .max = "4096",
     .fallback = "64"},
    {.name = "text",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct tree, text),
     .min = "1",
     .max = "3",
     .shape = &letters_shape},
    {.name = "url", .type = SCHEMA_URL, .offset = offsetof(struct tree, url)},
    {.name = "path", .type = SCHEMA_PATH, .offset = offsetof(struct tree, path)},
    {.name = "word",
     .type = SCHEMA_WORD,
     .offset = offsetof(struct tree, word),
     .fallback = "green",
     .shape = &word_shape},
    {.name = "words",
     .type = SCHEMA_WORDS,
     .offset = offsetof(struct tree, words),
     .fallback = "blue",
     .shape = &word_shape},
    {.name = "endpoint", .type = SCHEMA_ENDPOINT, .offset = offsetof(struct tree, endpoint)},
    {.name = "cidr", .type = SCHEMA_CIDR, .offset = offsetof(struct tree, cidr)},
    {.name = "leaves",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct tree, leaves),
     .min = "1",
     .max = "3",
     .shape = &leaves_shape},
};
static const struct schema_shape tree_shape = {.rows = tree_rows, .row_count = COUNT(tree_rows)};

static enum twoleg_error tree_load(struct config_test *test, struct str text, struct tree *tree)
{
    const struct walk_source source = {.name = STR("t.yaml"), .text = text, .folder = STR("/f")};
    *tree = (struct tree){.flag = false};
    assert_true(config_report_init(&test->report, &test->arena));
    return walk_load(&source, &tree_shape, &test->arena, tree, NULL, &test->report);
}

static void tree_refused(struct config_test *test, const char *text, const char *wanted)
{
    struct tree tree;
    assert_int_equal(tree_load(test, str_from(text), &tree), TWOLEG_MALFORMED);
    assert_string_equal(config_test_print(test), wanted);
}

static void every_type_is_read(void **state)
{
    static const char text[] = "flag: true\n"
                               "number: 9\n"
                               "token_ttl: 90s\n"
                               "size: 1024\n"
                               "text: \"abc\"\n"
                               "url: https://[::1]:8443/a/b\n"
                               "path: keys/master\n"
                               "word: red\n"
                               "words: [blue, red]\n"
                               "endpoint: '[::1]:80'\n"
                               "cidr: 10.0.0.0/8\n"
                               "leaves:\n"
                               "  - {name: x, life: never, words: [a, 12]}\n"
                               "  - name: 7\n";
    struct tree tree;
    assert_int_equal(tree_load(*state, str_from(text), &tree), TWOLEG_NONE);
    assert_true(tree.flag);
    assert_int_equal(tree.number, 9);
    assert_int_equal(tree.life, 90 * SECOND_US);
    assert_int_equal(tree.size, 1024);
    assert_string_equal(tree.text.ptr, "abc");
    assert_string_equal(tree.url.ptr, "https://[::1]:8443/a/b");
    assert_string_equal(tree.path.ptr, "/f/keys/master");
    assert_int_equal(tree.word, 0);
    assert_int_equal(tree.words, 5);
    assert_int_equal(tree.endpoint.address.port, 80);
    assert_int_equal(tree.cidr.bits, 8);
    assert_int_equal(tree.leaves.count, 2);
    const struct leaf *leaves = tree.leaves.items;
    assert_int_equal(leaves[0].mark.line, 13);
    assert_int_equal(leaves[0].mark.column, 5);
    assert_int_equal(leaves[0].life, TIME_NEVER);
    assert_int_equal(leaves[0].words.count, 2);
    assert_string_equal(((const struct str *)leaves[0].words.items)[1].ptr, "12");
    assert_string_equal(leaves[1].name.ptr, "7");
    assert_int_equal(leaves[1].life, 60 * SECOND_US);
    assert_int_equal(leaves[1].words.count, 0);
}

static void an_empty_text_gives_the_defaults(void **state)
{
    static const char *const texts[] = {"", "# nothing\n", "---\n", "{}\n", "\xef\xbb\xbf", "~"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct tree tree;
        assert_int_equal(tree_load(*state, str_from(texts[i]), &tree), TWOLEG_NONE);
        assert_int_equal(tree.number, 3);
        assert_int_equal(tree.life, 3600 * SECOND_US);
        assert_int_equal(tree.word, 1);
        assert_int_equal(tree.words, 4);
        assert_int_equal(tree.leaves.count, 0);
        assert_int_equal(tree.text.len, 0);
    }
}

struct refusal {
    const char *text;
    const char *wanted;
};

static void refusals_have_exact_texts(void **state, const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tree_refused(*state, rows[i].text, rows[i].wanted);
}

static void H22_unknown_key(void **state)
{
    static const struct refusal rows[] = {
        {"flag: true\n  \ntoken_tll: 1h\n",
         "t.yaml:3:1: unknown key \"token_tll\". Did you mean \"token_ttl\"? (duration, 1s to 10y, "
         "default 1h)\n"},
        {"leaves: [{name: a, lief: 1s}]\n",
         "t.yaml:1:20: leaves[0]: unknown key \"lief\". Did you mean \"life\"? (duration or never, "
         "default 1m)\n"},
        {"leaves: [{name: a, \"\\n\\\"\": 1s}]\n",
         "t.yaml:1:20: leaves[0]: unknown key \"\\x0a\\\"\" (known are name, life, words)\n"},
    };
    refusals_have_exact_texts(state, rows, COUNT(rows));
}

static void H22_duplicate_key(void **state)
{
    static const struct refusal rows[] = {
        {"number: 4\nflag: true\nnumber: 4\n",
         "t.yaml:3:1: duplicate key \"number\", first given in line 1\n"},
        {"leaves:\n- name: a\n  name: b\n",
         "t.yaml:3:3: leaves[0]: duplicate key \"name\", first given in line 2\n"},
    };
    refusals_have_exact_texts(state, rows, COUNT(rows));
}

static void H22_wrong_type(void **state)
{
    static const struct refusal rows[] = {
        {"flag: yes\n", "t.yaml:1:7: flag: \"yes\" is neither true nor false (true or false)\n"},
        {"flag: 'true'\n", "t.yaml:1:7: flag: \"true\" is a quoted text (true or false)\n"},
        {"number: -4\n", "t.yaml:1:9: number: \"-4\" is not a whole number (whole number, 2 to 9 "
                         "eggs, default 3)\n"},
        {"token_ttl: soon\n",
         "t.yaml:1:12: token_ttl: \"soon\" is not a duration such as 90s, 15m, 1h or 7d (duration, "
         "1s to 10y, default 1h)\n"},
        {"token_ttl: never\n", "t.yaml:1:12: token_ttl: \"never\" is not allowed here (duration, "
                               "1s to 10y, default 1h)\n"},
        {"size: 3KB\n", "t.yaml:1:7: size: \"3KB\" is not a whole number (whole number, at most "
                        "4096, default 64)\n"},
        {"text: axb\n", "t.yaml:1:7: text: \"axb\" has a character that is not allowed (text, 1 "
                        "to 3 bytes of a, b and c)\n"},
        {"text: \"a\\0b\"\n", "t.yaml:1:7: text: \"a\\x00b\" has a control character (text, 1 to "
                              "3 bytes of a, b and c)\n"},
        {"cidr: 1.2.3.4/33\n", "t.yaml:1:7: cidr: \"1.2.3.4/33\" has too many bits, or bits set "
                               "behind its prefix (ADDR or ADDR/BITS)\n"},
        {"cidr: 1.2.3\n",
         "t.yaml:1:7: cidr: \"1.2.3\" is no address or prefix (ADDR or ADDR/BITS)\n"},
        {"endpoint: localhost\n", "t.yaml:1:11: endpoint: \"localhost\" is no listening address "
                                  "(ADDR:PORT or unix:PATH)\n"},
        {"endpoint: 127.0.0.1:65536\n", "t.yaml:1:11: endpoint: \"127.0.0.1:65536\" has a port "
                                        "above 65535 (ADDR:PORT or unix:PATH)\n"},
        {"word: gren\n", "t.yaml:1:7: word: \"gren\" is not one of its words. Did you mean "
                         "\"green\"? (red, green or blue, default green)\n"},
        {"word: [red]\n",
         "t.yaml:1:7: word: a list stands here (red, green or blue, default green)\n"},
        {"words: red\n",
         "t.yaml:1:8: words: a single value stands here (list of red, green and blue, default "
         "blue)\n"},
        {"words: [red, red]\n", "t.yaml:1:14: words: \"red\" stands there twice (list of red, "
                                "green and blue, default blue)\n"},
        {"words: []\n",
         "t.yaml:1:8: words: the list is empty (list of red, green and blue, default blue)\n"},
        {"number:\n",
         "t.yaml:1:8: number: has no value (whole number, 2 to 9 eggs, default 3)\n"},
        {"number: {a: b}\n", "t.yaml:1:9: number: a mapping stands here (whole number, 2 to 9 "
                             "eggs, default 3)\n"},
        {"leaves: 3\n", "t.yaml:1:9: leaves: a single value stands here (list of 1 to 3: mapping "
                        "with name (required), life, words)\n"},
        {"leaves: [3]\n", "t.yaml:1:10: leaves[0]: a single value stands here (mapping with name "
                          "(required), life, words)\n"},
        {"leaves: [{name: a, words: [[]]}]\n",
         "t.yaml:1:28: leaves[0].words[0]: a list stands here (text, at most 8 bytes)\n"},
    };
    refusals_have_exact_texts(state, rows, COUNT(rows));
}

static void H22_wrong_url(void **state)
{
    static const struct refusal rows[] = {
        {"url: ftp://a\n",
         "t.yaml:1:6: url: \"ftp://a\" does not start with https:// or http:// (http or https "
         "URL)\n"},
        {"url: https://a/b?c\n", "t.yaml:1:6: url: \"https://a/b?c\" has a query or fragment "
                                 "(http or https URL)\n"},
        {"url: \"https://a/b c\"\n", "t.yaml:1:6: url: \"https://a/b c\" has a character that no "
                                     "URL has (http or https URL)\n"},
    };
    refusals_have_exact_texts(state, rows, COUNT(rows));
    static const char *const hosts[] = {"",      "A",    "a:",     "a:65536", "u@a", "[1.2.3.4]",
                                        "[::1",  "a b",  "[::1]x", ":80",     "-a",  ".a",
                                        "a:80:8"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        char text[64];
        struct tree tree;
        snprintf(text, sizeof text, "url: 'http://%s/x'\n", hosts[i]);
        assert_int_equal(tree_load(*state, str_from(text), &tree), TWOLEG_MALFORMED);
        assert_non_null(strstr(config_test_print(*state), "has no good host name"));
    }
}

static void H22_out_of_range(void **state)
{
    static const struct refusal rows[] = {
        {"number: 1\n",
         "t.yaml:1:9: number: \"1\" is too small (whole number, 2 to 9 eggs, default 3)\n"},
        {"number: 99999999999999999999\n", "t.yaml:1:9: number: \"99999999999999999999\" is too "
                                           "large (whole number, 2 to 9 eggs, default 3)\n"},
        {"token_ttl: 0s\n",
         "t.yaml:1:12: token_ttl: \"0s\" is too small (duration, 1s to 10y, default 1h)\n"},
        {"token_ttl: 11y\n",
         "t.yaml:1:12: token_ttl: \"11y\" is too large (duration, 1s to 10y, default 1h)\n"},
        {"size: 5000\n",
         "t.yaml:1:7: size: \"5000\" is too large (whole number, at most 4096, default 64)\n"},
        {"text: ''\n",
         "t.yaml:1:7: text: \"\" is empty (text, 1 to 3 bytes of a, b and c)\n"},
        {"text: aaaa\n",
         "t.yaml:1:7: text: \"aaaa\" is too long (text, 1 to 3 bytes of a, b and c)\n"},
        {"leaves: []\n", "t.yaml:1:9: leaves: the list is empty (list of 1 to 3: mapping with "
                         "name (required), life, words)\n"},
        {"leaves: [1, 2, 3, 4]\n", "t.yaml:1:9: leaves: has too many items (list of 1 to 3: "
                                   "mapping with name (required), life, words)\n"},
    };
    refusals_have_exact_texts(state, rows, COUNT(rows));
}

static void H22_socket_path_is_bounded(void **state)
{
    struct config_test *test = *state;
    struct tree tree;
    // "/f/" and 104 letters are the 107 bytes that a socket's address holds.
    for (int letters = 104; letters <= 105; letters++) {
        char text[160];
        char name[128];
        memset(name, 'a', sizeof name);
        snprintf(text, sizeof text, "endpoint: unix:%.*s\n", letters, name);
        assert_int_equal(tree_load(test, str_from(text), &tree),
                         letters == 104 ? TWOLEG_NONE : TWOLEG_MALFORMED);
    }
    assert_non_null(strstr(config_test_print(test), "is too long: a socket's path has 107 bytes"));
    assert_int_equal(tree_load(test, STR("endpoint: 'unix:'\n"), &tree), TWOLEG_MALFORMED);
    assert_int_equal(tree_load(test, STR("endpoint: \"unix:/a\\0b\"\n"), &tree),
                     TWOLEG_MALFORMED);
}

static void H22_missing_member(void **state)
{
    tree_refused(*state, "leaves:\n  - life: 1s\n", "t.yaml:2:5: leaves[0]: \"name\" is missing "
                                                    "(text)\n");
}

static void H22_yaml_traps(void **state)
{
    static const struct refusal rows[] = {
        {"number: &a 4\n", "t.yaml:1:9: anchors (&) are not allowed\n"},
        {"leaves: &a [{name: x}]\n", "t.yaml:1:9: anchors (&) are not allowed\n"},
        {"number: *a\n", "t.yaml:1:9: aliases (*) are not allowed; write the value out\n"},
        {"number: &a 1\nleaves: [*a, {name: \"\u00e4\", words: *b}] # \u00e4\n*c : 1\ntext: aaaa\n",
         "t.yaml:1:9: anchors (&) are not allowed\n"
         "t.yaml:1:9: number: \"1\" is too small (whole number, 2 to 9 eggs, default 3)\n"
         "t.yaml:2:10: aliases (*) are not allowed; write the value out\n"
         "t.yaml:2:33: aliases (*) are not allowed; write the value out\n"
         "t.yaml:3:1: aliases (*) are not allowed; write the value out\n"
         "t.yaml:4:7: text: \"aaaa\" is too long (text, 1 to 3 bytes of a, b and c)\n"},
        {"number: !!int 4\n", "t.yaml:1:9: tags (!) are not allowed\n"},
        {"leaves: !x []\nnumber: 1\n",
         "t.yaml:1:9: leaves: the list is empty (list of 1 to 3: mapping with name (required), "
         "life, words)\n"
         "t.yaml:1:9: tags (!) are not allowed\n"
         "t.yaml:2:9: number: \"1\" is too small (whole number, 2 to 9 eggs, default 3)\n"},
        {"%TAG ! tag:x,1:\n---\nnumber: 4\n", "t.yaml:1:1: directives (%TAG) are not allowed\n"},
        {"number: 4\n---\nnumber: 5\n",
         "t.yaml:2:1: a second document begins; a file has only one\n"},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]\n", "t.yaml:1:17: nested deeper than 16 levels\n"},
        {"number: 4\n\tflag: true\n",
         "t.yaml:2:1: found a tab character that violates indentation (while scanning a plain "
         "scalar from line 1)\n"},
        {"number: 4\nflag: \xff\n", "t.yaml:2:7: invalid leading UTF-8 octet\n"},
        {"[number]: 4\n", "t.yaml:1:1: a list or mapping stands where a key belongs (mapping with "
                          "flag, number, token_ttl, size, text, url, path, word, words, endpoint, "
                          "cidr, leaves)\n"},
        {"- number\n", "t.yaml:1:1: a list stands here (mapping with flag, number, token_ttl, "
                       "size, text, url, path, word, words, endpoint, cidr, leaves)\n"},
    };
    refusals_have_exact_texts(state, rows, COUNT(rows));
}

static void H22_all_errors_are_reported_in_order(void **state)
{
    tree_refused(*state, "nummer: 4\nleaves: [{}, {name: a, life: x}]\nflag: 1\n",
                 "t.yaml:1:1: unknown key \"nummer\". Did you mean \"number\"? (whole number, 2 to "
                 "9 eggs, default 3)\n"
                 "t.yaml:2:10: leaves[0]: \"name\" is missing (text)\n"
                 "t.yaml:2:30: leaves[1].life: \"x\" is not a duration such as 90s, 15m, 1h or 7d "
                 "(duration or never, default 1m)\n"
                 "t.yaml:3:7: flag: \"1\" is neither true nor false (true or false)\n");
}

static void H22_huge_texts_are_bounded(void **state)
{
    struct config_test *test = *state;
    struct tree tree;
    struct buf text;
    buf_init_arena(&text, &test->arena, YAML_FILE_MAX);
    for (size_t i = 0; i < 30000; i++)
        buf_addf(&text, "key%zu: 1\n", i);
    assert_int_equal(tree_load(test, buf_str(&text), &tree), TWOLEG_MALFORMED);
    assert_int_equal(test->report.count, CONFIG_REPORT_MAX);
    assert_non_null(strstr(config_test_print(test), "too many problems: the rest is not shown\n"));
    text.len = 0;
    buf_add(&text, STR("leaves: ["));
    for (size_t i = 0; i < 70000; i++)
        buf_add(&text, STR("1, "));
    buf_add_char(&text, ']');
    assert_int_equal(tree_load(test, buf_str(&text), &tree), TWOLEG_MALFORMED);
    assert_string_equal(config_test_print(test), "t.yaml:1:196609: more than 65536 values\n");
    text.len = 0;
    for (size_t i = 0; i < 100000; i++)
        buf_add(&text, STR("a"));
    assert_int_equal(tree_load(test, buf_str(&text), &tree), TWOLEG_MALFORMED);
    text.len = 0;
    buf_add(&text, STR("number: "));
    for (size_t i = 0; i < 100000; i++)
        buf_add(&text, STR("9"));
    assert_int_equal(tree_load(test, buf_str(&text), &tree), TWOLEG_MALFORMED);
    assert_string_equal(config_test_print(test),
                        "t.yaml:1:9: number: "
                        "\"999999999999999999999999999999999999999999999999999999999999\"... "
                        "is too large (whole number, 2 to 9 eggs, default 3)\n");
}

static void the_nearest_name_is_near(void **state)
{
    (void)state;
    const struct schema_names names = {{"token_ttl", "data", "checks"}, 3};
    assert_string_equal(schema_nearest(STR("token_tll"), &names), "token_ttl");
    assert_string_equal(schema_nearest(STR("tokenttl"), &names), "token_ttl");
    assert_string_equal(schema_nearest(STR("date"), &names), "data");
    assert_null(schema_nearest(STR("listen"), &names));
    assert_null(schema_nearest(STR(""), &names));
    assert_null(schema_nearest(STR("x"), &names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(an_empty_text_gives_the_defaults),
        cmocka_unit_test(H22_unknown_key),
        cmocka_unit_test(H22_duplicate_key),
        cmocka_unit_test(H22_wrong_type),
        cmocka_unit_test(H22_wrong_url),
        cmocka_unit_test(H22_out_of_range),
        cmocka_unit_test(H22_socket_path_is_bounded),
        cmocka_unit_test(H22_missing_member),
        cmocka_unit_test(H22_yaml_traps),
        cmocka_unit_test(H22_all_errors_are_reported_in_order),
        cmocka_unit_test(H22_huge_texts_are_bounded),
        cmocka_unit_test(the_nearest_name_is_near),
    };
    return cmocka_run_group_tests(tests, config_test_setup, config_test_teardown);
}
