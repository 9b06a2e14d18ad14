// SPDX-License-Identifier: Apache-2.0
// Dialect files that are wrong are refused with the line and what would be right.
#include <stdio.h>

#include "dialect/set.h"
#include "dialect_test.h"

#define HEAD "name: x\ntitle: X\n"
#define PATHS "endpoints:\n  - path: /t\n"
#define FIELDS HEAD PATHS "success:\n  fields:\n"
#define JWT "token: {format: jwt}\n"
#define TOKEN "    - {name: a, source: access_token}\n"

static int setup(void **state)
{
    return dialect_world_create(state, NULL);
}

// The report as it would be printed.
static enum twoleg_error load(struct dialect_world *w, const char *text, struct str *ret_report)
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

static const struct {
    const char *text;
    const char *report; // its start
} wrong[] = {
    {HEAD "colour: red\n", "x.yaml:3:1: unknown key \"colour\""},
    {HEAD PATHS "    method: [GET]\n",
     "x.yaml:5:5: endpoints[0]: unknown key \"method\". Did you mean"},
    {HEAD "success:\n  fields:\n    - {name: a, source: acces_token}\n",
     "x.yaml:5:25: success.fields[0].source: \"acces_token\" is not one of its words. Did you mean "
     "\"access_token\"?"},
    {HEAD "endpoints:\n  - path: /t\n  - path: /t\n    methods: [GET]\n",
     "x.yaml:5:5: endpoints[1]: the path \"/t\" stands there twice, first in line 4"},
    {HEAD "endpoints:\n  - {path: /t/a}\n  - {path: /T/A, fold_case: true}\n",
     "x.yaml:5:5: endpoints[1]: the path \"/T/A\" stands there twice"},
    {HEAD "endpoints:\n  - {path: '/{a}/t'}\n  - {path: '/{b}/t'}\n",
     "x.yaml:5:5: endpoints[1]: the path \"/{b}/t\" stands there twice"},
    // One hole each: neither is the more exact one.
    {HEAD "endpoints:\n  - {path: '/{a}/t'}\n  - {path: '/b/{c}'}\n",
     "x.yaml:5:5: endpoints[1]: the path \"/b/{c}\" stands there twice, first in line 4"},
    {HEAD "endpoints:\n  - path: token\n",
     "x.yaml:4:5: endpoints[0]: path \"token\" does not start with /"},
    {HEAD "endpoints:\n  - path: /a//b\n",
     "x.yaml:4:5: endpoints[0]: path \"/a//b\" has an empty segment"},
    {HEAD "endpoints:\n  - path: /a/../b\n",
     "x.yaml:4:5: endpoints[0]: path \"/a/../b\" has an empty segment, . or .."},
    {HEAD "endpoints:\n  - path: /a/\n", "x.yaml:4:5: endpoints[0]: path \"/a/\" ends with /"},
    {HEAD "endpoints:\n  - path: '/a{b}'\n",
     "x.yaml:4:5: endpoints[0]: path \"/a{b}\" has braces"},
    {HEAD "endpoints:\n  - path: /admin/v1\n",
     "x.yaml:4:5: endpoints[0]: path \"/admin/v1\" is a path of the server's own"},
    {HEAD "endpoints:\n  - path: /OAuth/Introspect\n",
     "x.yaml:4:5: endpoints[0]: path \"/OAuth/Introspect\" is a path of the server's own"},
    {HEAD PATHS "grants:\n  - {name: a, is: client_credentials}\n  - {name: a, is: "
     "client_credentials}\n",
     "x.yaml:7:5: grants[1]: the name \"a\" stands there twice, first in line 6"},
    {HEAD PATHS "parameters:\n  - {name: a, is: scope}\n  - {name: b, is: scope}\n",
     "x.yaml:7:5: parameters: \"b\" has the meaning of \"a\" in line 6"},
    {HEAD PATHS "parameters:\n  - {name: scope, is: client_id}\n",
     "x.yaml:"}, // the name of the scope that rfc6749 has
    {HEAD PATHS "parameters:\n  - {name: a, in: [body, body]}\n",
     "x.yaml:6:5: parameters: \"a\" names one place twice"},
    {HEAD PATHS "parameters:\n  - {name: authorization, in: [header]}\n",
     "x.yaml:6:5: parameters: \"authorization\" is a header that means something else"},
    {HEAD PATHS "parameters:\n  - {name: g, is: grant_type, default: password}\n",
     "x.yaml:6:5: parameters: \"g\" has a default that is no name of client_credentials"},
    {HEAD PATHS "parameters:\n  - {name: g, is: client_secret, default: s}\n",
     "x.yaml:6:5: parameters: \"g\" may have no default"},
    {HEAD PATHS "parameters:\n  - {name: g, is: scope, equals: s}\n",
     "x.yaml:6:5: parameters: \"g\" may have no equals"},
    {HEAD PATHS "parameters:\n  - {name: key, is: token}\n",
     "x.yaml:6:5: parameters: \"key\" is of introspection, which speaks rfc6749"},
    {"name: rfc6749\ntitle: X\nparameters:\n  - {name: key, is: token}\n",
     "x.yaml:4:5: parameters: \"key\" is of introspection"},
    {"name: rfc6749\ntitle: X\nparameters:\n  - {name: token, is: token, in: [query]}\n",
     "x.yaml:4:5: parameters: \"token\" is of introspection"},
    {HEAD PATHS "parameters:\n  - {name: access_token, in: [query]}\n",
     "x.yaml:6:5: parameters: \"access_token\" is never taken from a query"},
    {HEAD PATHS "parameters:\n  - {name: g, claim: tenant}\n",
     "x.yaml:6:5: parameters: \"g\" has a claim, which needs token.format: jwt"},
    {HEAD PATHS "parameters:\n  - {name: g, claim: tenant}\ntoken: {format: sealed}\n",
     "x.yaml:7:1: parameters: \"g\" has a claim, which needs token.format: jwt"},
    {HEAD PATHS "base: zoom\ntoken: {format: sealed}\n",
     "x.yaml:6:1: parameters: \"account_id\" has a claim, which needs token.format: jwt"},
    {HEAD PATHS JWT "parameters:\n  - {name: g, is: scope, claim: tenant}\n",
     "x.yaml:7:5: parameters: \"g\" may have no claim"},
    {HEAD PATHS JWT "parameters:\n  - {name: g, claim: a}\n  - {name: h, claim: a}\n",
     "x.yaml:8:5: parameters: \"h\" has the claim of \"g\" in line 7"},
    {HEAD PATHS JWT "parameters:\n  - {name: g, claim: A-b}\n",
     "x.yaml:7:22: parameters[0].claim: \"A-b\" "},
    {HEAD PATHS "scope:\n  omitted: default\n",
     "x.yaml:6:3: scope: omitted: default needs default"},
    {HEAD PATHS "scope:\n  default: a\n", "x.yaml:6:3: scope: default stands there"},
    {HEAD PATHS "scope: {omitted: default, default: 'a\"b'}\n", "x.yaml:5:8: scope: default holds"},
    {HEAD PATHS "token: {alphabet: hex, length: 40}\n",
     "x.yaml:5:8: token: alphabet, length, prefix, suffix and checksum are of format: reference"},
    {HEAD PATHS "token:\n  format: sealed\n  prefix: a\n", "x.yaml:6:3: token: alphabet, length"},
    {HEAD "base: smscx\ntoken: {suffix: a}\n", "x.yaml:4:8: token: alphabet, length"},
    {HEAD PATHS "token: {reissue: same}\n",
     "x.yaml:5:8: token: reissue: same needs format: reference"},
    {HEAD PATHS "token: {format: jwt, reissue: same}\n", "x.yaml:5:8: token: reissue: same needs"},
    {HEAD PATHS "token: {format: sealed, reissue: replace}\n",
     "x.yaml:5:8: token: reissue: replace needs format: reference"},
    {HEAD "base: marketo\ntoken: {format: sealed, reissue: same}\n",
     "x.yaml:4:8: token: reissue: same needs"},
    {HEAD PATHS "token: {format: reference, reissue: often}\n",
     "x.yaml:5:37: token.reissue: \"often\" is not one of its words"},
    {HEAD PATHS "token: {format: reference, length: 40}\n",
     "x.yaml:5:8: token: alphabet must say of what the tokens are made: alphanumeric, hex or uuid"},
    {HEAD PATHS "token: {format: reference, checksum: true}\n",
     "x.yaml:5:8: token: alphabet must say"},
    {HEAD PATHS "token: {format: reference, alphabet: base32, length: 40}\n",
     "x.yaml:5:38: token.alphabet: \"base32\" is not one of its words"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 29}\n",
     "x.yaml:5:8: token: 29 hex digits can be guessed: length must be 30 or more, which is 120 "
     "bits at random"},
    {HEAD PATHS "token: {format: reference, alphabet: hex}\n",
     "x.yaml:5:8: token: 0 hex digits can be guessed: length must be 30"},
    {HEAD PATHS "token: {format: reference, alphabet: alphanumeric, length: 20}\n",
     "x.yaml:5:8: token: 20 letters and digits can be guessed: length must be 21 or more"},
    {HEAD PATHS "token: {format: reference, alphabet: uuid, length: 32}\n",
     "x.yaml:5:8: token: length is 32, but a UUID has 36"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 121}\n",
     "x.yaml:5:51: token.length: \"121\" is too large"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 114, checksum: true, "
                "prefix: a}\n",
     "x.yaml:5:8: token: 121 characters with prefix, suffix and checksum: more than 120 could be a "
     "token of another format"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 40, prefix: 'a b'}\n",
     "x.yaml:5:63: token.prefix: \"a b\" has a character that is not allowed"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 40, suffix: '\"'}\n",
     "x.yaml:5:63: token.suffix: "},
    {HEAD PATHS "success:\n  fields:\n    - {name: a, value: b}\n",
     "x.yaml:6:3: success.fields: none has source access_token"},
    {FIELDS TOKEN "    - {name: a, value: b}\n",
     "x.yaml:8:7: success.fields[1]: \"a\" is named twice, first in line 7"},
    {FIELDS TOKEN "    - {name: b, under: [a], value: b}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" is named twice"},
    {FIELDS "    - {name: a, under: [d], source: access_token}\n    - {name: b, value: c}\n"
            "    - {name: c, under: [d], value: d}\n",
     "x.yaml:9:7: success.fields[2]: \"c\" "},
    {HEAD PATHS "success:\n  fields:\n    - {name: a, source: access_token, type: number}\n",
     "x.yaml:7:7: success.fields[0]: \"a\" has a type in which its source cannot be written"},
    {FIELDS TOKEN "    - {name: b, value: x, type: number}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [not_found], status: 200}\n",
     "x.yaml:7:7: errors.rows: not_found needs a status of 400 to 599"},
    {FIELDS TOKEN "    - {name: b, value: '{}', type: array}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, value: '[1,]', type: array}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, value: '{\"a\":1,\"a\":2}', type: object}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, source: client_id, type: object}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has a type in which its source cannot be written"},
    {HEAD PATHS "resource:\n  unavailable: '{\"a\":{message}}'\n",
     "x.yaml:6:3: resource.unavailable: the template has {message} without quotes: a text is "
     "written \"{message}\" in JSON"},
    {HEAD PATHS "success:\n  status: 302\n", "x.yaml:6:11: success.status: \"302\" is too large"},
    {HEAD PATHS "success:\n  headers: ['Set-Cookie: a=b']\n",
     "x.yaml:6:3: success.headers[0]: \"Set-Cookie: a=b\" is a header that is the server's own "
     "to set"},
    {HEAD PATHS "success:\n  headers: ['x-content-type-options: none']\n",
     "x.yaml:6:3: success.headers[0]: \"x-content-type-options: none\" is a header that is the "
     "server's own to set"},
    // A gzip that is none: no client could read a token.
    {HEAD PATHS "success:\n  headers: ['Content-Encoding: gzip']\n",
     "x.yaml:6:3: success.headers[0]: \"Content-Encoding: gzip\" is a header that is the server's"},
    {HEAD PATHS "errors:\n  rows:\n    - when: [scope]\n      status: 400\n      code: a\n"
                "      headers: ['X-A: b', 'cdn-cache-control: max-age=60']\n",
     "x.yaml:7:7: errors.rows.headers[1]: \"cdn-cache-control: max-age=60\" is a header that is"},
    {HEAD PATHS "success:\n  headers: [X-Y: 1]\n",
     "x.yaml:6:13: success.headers[0]: a mapping stands here (text, 3 to 512 bytes of the form "
     "'Name: value')\n"},
    {HEAD PATHS "success:\n  headers: ['X-Y']\n",
     "x.yaml:6:3: success.headers[0]: \"X-Y\" is not of the form Name: value"},
    {HEAD PATHS "success:\n  headers: ['X(Y): 1']\n",
     "x.yaml:6:3: success.headers[0]: \"X(Y): 1\" is not of the form Name: value"},
    {HEAD PATHS "success:\n  content_type: Text/HTML\n",
     "x.yaml:6:3: success.content_type: \"Text/HTML\" may be one that browsers run: it must be "
     "application/json"},
    {HEAD PATHS "errors:\n  content_type: text/html\n  body: '<script>alert(1)</script>'\n",
     "x.yaml:6:3: errors.content_type: \"text/html\" may be one that browsers run"},
    {HEAD PATHS "resource:\n  content_type: text/html\n  forbidden: '<script>'\n",
     "x.yaml:6:3: resource.content_type: \"text/html\" may be one that browsers run"},
    {HEAD PATHS "errors:\n  body: '{\"a\":1,\"{code}\":2}'\n  rows:\n"
                "    - {when: [client], status: 401, code: a}\n",
     "x.yaml:8:7: errors.rows: the template is no JSON with the words of this row"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client, scope], status: 403}\n",
     "x.yaml:7:7: errors.rows: the template has {code}: a code is missing for scope, client\n"},
    {HEAD PATHS "errors:\n  body: empty\n  rows:\n    - when: [user]\n      status: 403\n"
                "      body: '{\"e\":\"{code}\"}'\n",
     "x.yaml:8:7: errors.rows: the template has {code}: a code is missing for user\n"},
    // The base needs none.
    {HEAD "base: rti-sms\nerrors:\n  body: '{\"e\":\"{code}\"}'\n  rows:\n"
          "    - {when: [client], status: 401, code: a}\n",
     "x.yaml:5:3: errors.rows: the template has {code}: a code is missing for media_type, "
     "malformed, in_query, missing, grant, grant_refused, scope, target, client_missing, "
     "client_malformed\n"},
    {HEAD PATHS "errors:\n  body: '{\"error\":{code}}'\n",
     "x.yaml:6:3: errors.body: the template has {code} without quotes"},
    {HEAD PATHS "errors:\n  body: '{\"error\":\"{cod}\"}'\n",
     "x.yaml:6:3: errors.body: the template has the unknown word {cod}. Did you mean {code}?"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client], status: 302}\n",
     "x.yaml:7:7: errors.rows: status 302 is neither 200 nor an error"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [unavailable], status: 400, code: a}\n",
     "x.yaml:7:7: errors.rows: unavailable needs a status of 500 to 599"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client, client_unknown], status: 401}\n",
     "x.yaml:7:23: errors.rows[0].when: \"client_unknown\" is not one of its words"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client], status: 401, code: a}\n"
                "    - {when: [client], status: 400, code: a}\n",
     "x.yaml:8:7: errors.rows[1]: \"client\" has a row already, in line 7"},
    {HEAD PATHS "resource:\n  status: 200\n", "x.yaml:6:3: resource: unknown key \"status\""},
    {HEAD PATHS "resource:\n  header: X-Auth-Client-Id\n",
     "x.yaml:6:3: resource.header: \"X-Auth-Client-Id\" is a header that means something else"},
    {HEAD PATHS "resource:\n  header: cookie\n",
     "x.yaml:6:3: resource.header: \"cookie\" is a header that means something else"},
    {HEAD PATHS "resource:\n  forbidden: '{'\n",
     "x.yaml:6:3: resource.forbidden: the template is no JSON: with a text"},
    {HEAD "base: nobody\n", "x.yaml:3:1: base: there is no dialect \"nobody\""},
    {"title: X\n" PATHS, "x.yaml:1:1: \"name\" is missing"},
};

// What a browser might take for a page, or for a list of which it takes the last (E1).
static const char *const run_types[] = {
    "text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/xml",
    "application/xml", "text/javascript", "multipart/x-mixed-replace", "message/rfc822",
    "text/css", "application/pdf", "unknown/unknown", "*/*", "application/json, text/html",
    "application/json;a=b, text/html", "application/json;a=\"b\"", "application/json;",
    "application/json;charset", "text/plain text/html", "json", "application/x, text/a+json",
    "text/html;a=+json", "text/plain\\t", "text/x+json", "/json", "application/+json x",
};
static const char *const still_types[] = {
    "application/json", "Application/JSON ; charset=UTF-8", "application/problem+json",
    "text/plain",
    "text/json;charset=utf-8", "application/jwt", "application/x-www-form-urlencoded",
    "application/vnd.x.v2+JSON; a=b; c=d",
};

static void rfc9110_8_3_every_section_takes_the_content_types_that_no_browser_runs(void **state)
{
    static const char *const sections[] = {"success", "errors", "resource"};
    struct dialect_world *w = *state;
    struct str report;
    char text[256];
    for (size_t s = 0; s < COUNT(sections); s++)
        for (size_t i = 0; i < COUNT(run_types) + COUNT(still_types); i++) {
            bool run = i < COUNT(run_types);
            const char *type = run ? run_types[i] : still_types[i - COUNT(run_types)];
            snprintf(text, sizeof text, HEAD "%s: {content_type: '%s'}\n", sections[s], type);
            check_error(load(w, text, &report), run ? TWOLEG_MALFORMED : TWOLEG_NONE, text);
        }
}

static void a_template_is_json_under_each_type_that_is(void **state)
{
    static const char *const types[] = {"application/json", "text/json", "application/problem+json",
                                        "text/plain"};
    struct dialect_world *w = *state;
    struct str report;
    char text[256];
    for (size_t i = 0; i < COUNT(types); i++) {
        snprintf(text, sizeof text, HEAD "errors: {content_type: '%s; charset=utf-8', "
                 "body: '{\"a\":{message},}'}\n", types[i]);
        bool json = i + 1 < COUNT(types);
        check_error(load(w, text, &report), json ? TWOLEG_MALFORMED : TWOLEG_NONE, text);
    }
}

static void bad_files_are_refused_with_line_and_reason(void **state)
{
    struct dialect_world *w = *state;
    unsigned failures = 0;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct str report;
        check_error(load(w, wrong[i].text, &report), TWOLEG_MALFORMED, wrong[i].text);
        if (str_starts_with(report, str_from(wrong[i].report)))
            continue;
        print_error("%s\ngives: %.*s\nand not: %s\n", wrong[i].text, STR_ARG(report),
                    wrong[i].report);
        failures++;
    }
    assert_int_equal(failures, 0);
}

// Said once, at the key, with what would be right; a row's own body at its own key.
static void a_wrong_template_is_said_once_where_it_stands(void **state)
{
    static const struct {
        const char *text, *report;
    } templates[] = {
        {HEAD "errors:\n  number: 1\n  body: '{\"a\\\\\":\"{code}\",\"detail\":{message}}'\n",
         "x.yaml:5:3: errors.body: the template has {message} without quotes: a text is written "
         "\"{message}\" in JSON\n"},
        {HEAD "errors:\n  rows:\n    - when: [client]\n      status: 401\n      body: '[{time}]'\n",
         "x.yaml:7:7: errors.rows.body: the template has {time} without quotes: a text is written "
         "\"{time}\" in JSON\n"},
        {HEAD "resource:\n  challenge: none\n  forbidden: '{status}{number}'\n",
         "x.yaml:5:3: resource.forbidden: the template is no JSON: with a text for each of its "
         "words it must be one value, such as {\"error\":\"{code}\",\"number\":{number}}\n"},
        {FIELDS TOKEN TOKEN TOKEN,
         "x.yaml:6:3: success.fields: more than one has source access_token\n"
         "x.yaml:8:7: success.fields[1]: \"a\" is named twice, first in line 7\n"
         "x.yaml:9:7: success.fields[2]: \"a\" is named twice, first in line 7\n"},
        {HEAD "base: rti-sms\nerrors: {content_type: application/json, body: '{code}'}\n",
         "x.yaml:4:42: errors.body: the template has {code} without quotes: a text is written "
         "\"{code}\" in JSON\n"},
    };
    struct dialect_world *w = *state;
    struct str report;
    for (size_t i = 0; i < COUNT(templates); i++) {
        check_error(load(w, templates[i].text, &report), TWOLEG_MALFORMED, templates[i].text);
        check_str(report, templates[i].report);
    }
}

// In each row that leaves its words to us, whatever the error: an unknown client, one that has a
// secret which is compared slowly, a user.
static void B2_a_row_without_words_says_one_thing_of_all_that_ids_could_be_told_by(void **state)
{
    static const struct {
        enum dialect_condition condition;
        unsigned errors;
        const char *body;
    } each[] = {
        {CONDITION_CLIENT, 8, "\"client authentication failed\""},
        {CONDITION_USER, 10, "\"the user's credentials or the refresh token are not good\""},
        {CONDITION_LIMITED, 4, "\"too many failures of authentication\""},
    };
    struct dialect_world *w = *state;
    struct str report;
    assert_int_equal(load(w, HEAD "errors:\n  body: '\"{message}\"'\n  rows:\n"
                             "    - {when: [client, user, limited], status: 403}\n", &report),
                     TWOLEG_NONE);
    for (size_t i = 0; i < COUNT(each); i++) {
        unsigned errors = 0;
        for (unsigned error = 1; error < TWOLEG_ERRORS; error++) {
            if (dialect_condition((enum twoleg_error)error) != each[i].condition)
                continue;
            refuse_and_check(w, (enum twoleg_error)error, 403, each[i].body);
            errors++;
        }
        assert_int_equal(errors, each[i].errors);
    }
}

static void the_words_for_a_wrong_body_are_those_of_the_dialect(void **state)
{
    static const struct {
        const char *bodies, *words;
    } each[] = {
        {"form", "application/x-www-form-urlencoded"},
        {"json_as_form", "application/x-www-form-urlencoded"},
        {"json", "application/json"},
        {"json, form_as_json", "application/json"},
        {"empty", "empty"},
        {"form, json, json_as_form", "application/x-www-form-urlencoded or application/json"},
        {"json, unlabelled, empty", "application/json, without Content-Type or empty"},
    };
    struct dialect_world *w = *state;
    struct str report;
    char text[160];
    for (size_t i = 0; i < COUNT(each); i++) {
        snprintf(text, sizeof text, HEAD "bodies: [%s]\nerrors: {body: '\"{message}\"'}\n",
                 each[i].bodies);
        assert_int_equal(load(w, text, &report), TWOLEG_NONE);
        snprintf(text, sizeof text, "\"the body must be %s\"", each[i].words);
        refuse_and_check(w, TWOLEG_MEDIA_TYPE, 400, text);
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
    // What only introspection has is no parameter of any token endpoint: its names are free.
    assert_int_equal(load(w, HEAD "parameters:\n  - {name: token, is: client_secret}\n", &report),
                     TWOLEG_NONE);
    assert_int_equal(w->dialect->parameters.count, 8);
    assert_int_equal(load(w, "name: rfc6749\ntitle: X\n" PATHS, &report), TWOLEG_NONE);
    assert_int_equal(w->dialect->success.fields.count, 5); // of the one that was shipped
    assert_int_equal(load(w, HEAD "errors:\n  body: '{\"e\":\"{code}\"}'\n", &report), TWOLEG_NONE);
    refuse_and_check(w, TWOLEG_SECRET_WRONG, 401, "{\"e\":\"invalid_client\"}");
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
        WORLD(rfc9110_8_3_every_section_takes_the_content_types_that_no_browser_runs),
        WORLD(a_template_is_json_under_each_type_that_is),
        WORLD(bad_files_are_refused_with_line_and_reason),
        WORLD(a_wrong_template_is_said_once_where_it_stands),
        WORLD(B2_a_row_without_words_says_one_thing_of_all_that_ids_could_be_told_by),
        WORLD(the_words_for_a_wrong_body_are_those_of_the_dialect),
        WORLD(a_file_says_only_how_it_differs),
        WORLD(rfc6749_5_2_no_basic_challenge_is_taken_over_where_no_basic_is_taken),
        WORLD(tokens_look_as_the_file_says),
        WORLD(a_spelled_out_path_goes_before_a_hole),
        WORLD(a_base_is_compiled_once_and_a_dialect_is_small),
        WORLD(of_dialects_that_nobody_speaks_the_shapes_of_tokens_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
