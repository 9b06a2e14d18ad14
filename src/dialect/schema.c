// SPDX-License-Identifier: Apache-2.0
#include "dialect/schema.h"

#include "dialect/dialect.h"

// The order of the words is the order of the enums in dialect.h.
static const char *const words_method[] = {"GET", "POST", NULL};
static const char *const words_grant[] = {"client_credentials", "password", "refresh_token", NULL};
static const char *const words_place[] = {"body", "query", "header", NULL};
static const char *const words_body[] = {"form",         "json",       "json_as_form",
                                         "form_as_json", "unlabelled", "empty", NULL};
static const char *const words_accept[] = {"any", "json", "required", NULL};
static const char *const words_meaning[] = {"extra", "grant_type", "client_id", "client_secret",
                                            "scope", "resource",   "token",     "token_type_hint",
                                            "username", "password", "refresh_token", NULL};
static const char *const words_client[] = {"basic", "parameters", NULL};
static const char *const words_basic[] = {"both", "decoded", "raw", NULL};
static const char *const words_separator[] = {"blank", "comma", "plus", NULL};
static const char *const words_omitted[] = {"all", "default", "none", NULL};
static const char *const words_unknown[] = {"refuse", "drop", NULL};
static const char *const words_format[] = {"application", "jwt", "sealed", "reference", NULL};
static const char *const words_alphabet[] = {"default", "alphanumeric", "hex", "uuid", NULL};
static const char *const words_reissue[] = {"new", "same", "replace", NULL};
static const char *const words_success[] = {"json", "form", "token", NULL};
static const char *const words_source[] = {"constant", "access_token", "expires_in", "expires_at",
                                           "issued_at", "scope", "client_id", "application",
                                           "resource", "request_id", "refresh_token",
                                           "refresh_expires_in", "username", NULL};
static const char *const words_type[] = {"string", "number", "boolean", "array",
                                         "null",   "object", NULL};
static const char *const words_unit[] = {"s", "ms", "text", NULL};
static const char *const words_empty[] = {"omit", "keep", "null", NULL};
static const char *const words_condition[] = {
#define CONDITION(id, word, text) word,
#include "dialect/conditions.def"
#undef CONDITION
    NULL};
_Static_assert(CONDITIONS <= 31, "the walker's limit of words");

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define WORDS(table) {.words = table}
#define ITEM(row, type) {.item = &(row), .item_size = sizeof(type)}
#define COUNTED(table) {.rows = table, .row_count = sizeof(table) / sizeof *(table)}
#define AT(type, member) .offset = offsetof(struct type, member)
#define AND_MARK(type, member) .mark = offsetof(struct type, member)

static const struct schema_shape shape_none = {.words = NULL};
static const struct schema_shape shape_name = {
    .characters = "abcdefghijklmnopqrstuvwxyz0123456789-",
    .characters_text = "lower-case letters, digits and -",
};
static const struct schema_shape shape_claim = {
    .characters = "abcdefghijklmnopqrstuvwxyz0123456789_",
    .characters_text = "lower-case letters, digits and _",
};
static const struct schema_shape shape_path = {
    .characters = LETTERS "/-._~{}",
    .characters_text = "letters, digits and / - . _ ~ { }",
};
static const struct schema_shape shape_token = { // RFC 9110 section 5.6.2
    .characters = LETTERS "!#$%&'*+-.^_`|~",
    .characters_text = "letters, digits and !#$%&'*+-.^_`|~",
};
// Those of RFC 6750 section 2.1, and a colon: what a client may put behind `Bearer` as it is.
static const struct schema_shape shape_affix = {
    .characters = LETTERS "-._~+/=:",
    .characters_text = "letters, digits and - . _ ~ + / = :",
};
static const struct schema_shape shape_method = WORDS(words_method);
static const struct schema_shape shape_grant = WORDS(words_grant);
static const struct schema_shape shape_place = WORDS(words_place);
static const struct schema_shape shape_body = WORDS(words_body);
static const struct schema_shape shape_accept = WORDS(words_accept);
static const struct schema_shape shape_meaning = WORDS(words_meaning);
static const struct schema_shape shape_client_method = WORDS(words_client);
static const struct schema_shape shape_basic = WORDS(words_basic);
static const struct schema_shape shape_separator = WORDS(words_separator);
static const struct schema_shape shape_omitted = WORDS(words_omitted);
static const struct schema_shape shape_unknown = WORDS(words_unknown);
static const struct schema_shape shape_format = WORDS(words_format);
static const struct schema_shape shape_alphabet = WORDS(words_alphabet);
static const struct schema_shape shape_reissue = WORDS(words_reissue);
static const struct schema_shape shape_success_body = WORDS(words_success);
static const struct schema_shape shape_source = WORDS(words_source);
static const struct schema_shape shape_type = WORDS(words_type);
static const struct schema_shape shape_unit = WORDS(words_unit);
static const struct schema_shape shape_empty = WORDS(words_empty);
static const struct schema_shape shape_condition = WORDS(words_condition);

static const struct schema_row row_place = {.type = SCHEMA_WORD, .shape = &shape_place};
static const struct schema_shape shape_places = ITEM(row_place, unsigned);
static const struct schema_row row_text = {
    .type = SCHEMA_TEXT, .min = "1", .max = "128", .shape = &shape_none};
static const struct schema_shape shape_texts = ITEM(row_text, struct str);
static const struct schema_row row_scheme = {
    .type = SCHEMA_TEXT, .min = "1", .max = "32", .shape = &shape_token};
static const struct schema_shape shape_schemes = ITEM(row_scheme, struct str);
// Without quotes YAML reads a mapping.
static const struct schema_shape shape_header = {.characters_text = "the form 'Name: value'"};
static const struct schema_row row_header = {
    .type = SCHEMA_TEXT, .min = "3", .max = "512", .shape = &shape_header};
static const struct schema_shape shape_headers = ITEM(row_header, struct str);

static const struct schema_row rows_endpoint[] = {
    {.name = "path", .type = SCHEMA_TEXT, AT(dialect_endpoint, path), .min = "2", .max = "128",
     .required = true, .shape = &shape_path},
    {.name = "methods", .type = SCHEMA_WORDS, AT(dialect_endpoint, methods), .fallback = "POST",
     .shape = &shape_method},
    {.name = "grants", .type = SCHEMA_WORDS, AT(dialect_endpoint, grants),
     .fallback = "client_credentials", .shape = &shape_grant},
    {.name = "trailing_slash", .type = SCHEMA_BOOL, AT(dialect_endpoint, trailing_slash),
     .fallback = "false", .shape = &shape_none},
    {.name = "fold_case", .type = SCHEMA_BOOL, AT(dialect_endpoint, fold_case),
     .fallback = "false", .shape = &shape_none},
};
static const struct schema_shape shape_endpoint = COUNTED(rows_endpoint);
static const struct schema_row row_endpoint = {.type = SCHEMA_OBJECT, .shape = &shape_endpoint};
static const struct schema_shape shape_endpoints = ITEM(row_endpoint, struct dialect_endpoint);

static const struct schema_row rows_grant[] = {
    {.name = "name", .type = SCHEMA_TEXT, AT(dialect_grant, name), .min = "1", .max = "64",
     .required = true, .shape = &shape_none},
    {.name = "is", .type = SCHEMA_WORD, AT(dialect_grant, is), .required = true,
     .shape = &shape_grant},
};
static const struct schema_shape shape_dialect_grant = COUNTED(rows_grant);
static const struct schema_row row_grant = {.type = SCHEMA_OBJECT, .shape = &shape_dialect_grant};
static const struct schema_shape shape_grants = ITEM(row_grant, struct dialect_grant);

static const struct schema_row rows_parameter[] = {
    {.name = "name", .type = SCHEMA_TEXT, AT(dialect_parameter, name), .min = "1", .max = "64",
     .required = true, .shape = &shape_token},
    {.name = "is", .type = SCHEMA_WORD, AT(dialect_parameter, is), .fallback = "extra",
     .shape = &shape_meaning},
    {.name = "in", .type = SCHEMA_LIST, AT(dialect_parameter, in), .min = "1", .max = "3",
     .fallback = "body", .shape = &shape_places},
    {.name = "required", .type = SCHEMA_BOOL, AT(dialect_parameter, required),
     .fallback = "false", .shape = &shape_none},
    {.name = "default", .type = SCHEMA_TEXT, AT(dialect_parameter, fallback), .min = "1",
     .max = "255", .shape = &shape_none},
    {.name = "equals", .type = SCHEMA_TEXT, AT(dialect_parameter, equals), .min = "1",
     .max = "255", .shape = &shape_none},
    {.name = "claim", .type = SCHEMA_TEXT, AT(dialect_parameter, claim), .min = "1", .max = "32",
     .shape = &shape_claim},
};
static const struct schema_shape shape_parameter = COUNTED(rows_parameter);
static const struct schema_row row_parameter = {.type = SCHEMA_OBJECT, .shape = &shape_parameter};
static const struct schema_shape shape_parameters = ITEM(row_parameter, struct dialect_parameter);

static const struct schema_row rows_client[] = {
    {.name = "methods", .type = SCHEMA_WORDS, AT(dialect_client, methods), .required = true,
     .shape = &shape_client_method},
    {.name = "basic", .type = SCHEMA_WORD, AT(dialect_client, basic), .fallback = "both",
     .shape = &shape_basic},
    {.name = "trim", .type = SCHEMA_BOOL, AT(dialect_client, trim), .fallback = "false",
     .shape = &shape_none},
};
static const struct schema_shape shape_client = COUNTED(rows_client);

static const struct schema_row rows_scope[] = {
    {.name = "separator", .type = SCHEMA_WORD, AT(dialect_scope, separator), .fallback = "blank",
     .shape = &shape_separator},
    {.name = "omitted", .type = SCHEMA_WORD, AT(dialect_scope, omitted), .fallback = "all",
     .shape = &shape_omitted},
    {.name = "default", .type = SCHEMA_TEXT, AT(dialect_scope, words), .min = "1", .max = "1024",
     .shape = &shape_none},
    {.name = "unknown", .type = SCHEMA_WORD, AT(dialect_scope, unknown), .fallback = "refuse",
     .shape = &shape_unknown},
    {.name = "order", .type = SCHEMA_TEXT, AT(dialect_scope, order), .min = "1", .max = "1024",
     .shape = &shape_none},
};
static const struct schema_shape shape_scope = COUNTED(rows_scope);

static const struct schema_row rows_token[] = {
    {.name = "format", .type = SCHEMA_WORD, AT(dialect_token, format), .fallback = "application",
     .shape = &shape_format},
    {.name = "alphabet", .type = SCHEMA_WORD, AT(dialect_token, alphabet), .fallback = "default",
     .shape = &shape_alphabet},
    {.name = "length", .type = SCHEMA_INTEGER, AT(dialect_token, length), .max = "120",
     .fallback = "0", .shape = &shape_none},
    {.name = "prefix", .type = SCHEMA_TEXT, AT(dialect_token, prefix), .min = "1", .max = "64",
     .shape = &shape_affix},
    {.name = "suffix", .type = SCHEMA_TEXT, AT(dialect_token, suffix), .min = "1", .max = "64",
     .shape = &shape_affix},
    {.name = "checksum", .type = SCHEMA_BOOL, AT(dialect_token, checksum), .fallback = "false",
     .shape = &shape_none},
    {.name = "reissue", .type = SCHEMA_WORD, AT(dialect_token, reissue), .fallback = "new",
     .shape = &shape_reissue},
};
static const struct schema_shape shape_dialect_token = COUNTED(rows_token);

static const struct schema_row rows_field[] = {
    {.name = "name", .type = SCHEMA_TEXT, AT(dialect_field, name), .min = "1", .max = "64",
     .required = true, .shape = &shape_none},
    {.name = "under", .type = SCHEMA_LIST, AT(dialect_field, under), .min = "1", .max = "4",
     .shape = &shape_texts},
    {.name = "source", .type = SCHEMA_WORD, AT(dialect_field, source), .fallback = "constant",
     .shape = &shape_source},
    {.name = "type", .type = SCHEMA_WORD, AT(dialect_field, type), .fallback = "string",
     .shape = &shape_type},
    {.name = "unit", .type = SCHEMA_WORD, AT(dialect_field, unit), .fallback = "s",
     .shape = &shape_unit},
    {.name = "minus", .type = SCHEMA_INTEGER, AT(dialect_field, minus), .max = "60000",
     .fallback = "0", .shape = &shape_none},
    {.name = "value", .type = SCHEMA_TEXT, AT(dialect_field, value), .max = "1024",
     .shape = &shape_none},
    {.name = "empty", .type = SCHEMA_WORD, AT(dialect_field, empty), .fallback = "omit",
     .shape = &shape_empty},
    {.name = "never", .type = SCHEMA_INTEGER, AT(dialect_field, never), .max = "9007199254740991",
     .fallback = "0", .shape = &shape_none},
};
static const struct schema_shape shape_field = COUNTED(rows_field);
static const struct schema_row row_field = {.type = SCHEMA_OBJECT, .shape = &shape_field};
static const struct schema_shape shape_fields = ITEM(row_field, struct dialect_field);

static const struct schema_row rows_success[] = {
    {.name = "status", .type = SCHEMA_INTEGER, AT(dialect_success, status), .min = "200",
     .max = "201", .fallback = "200", .shape = &shape_none},
    {.name = "body", .type = SCHEMA_WORD, AT(dialect_success, body), .fallback = "json",
     .shape = &shape_success_body},
    {.name = "content_type", .type = SCHEMA_TEXT, AT(dialect_success, content_type), .min = "3",
     .max = "128", .shape = &shape_none},
    {.name = "headers", .type = SCHEMA_LIST, AT(dialect_success, headers), .max = "8",
     .shape = &shape_headers},
    {.name = "fields", .type = SCHEMA_LIST, AT(dialect_success, fields), .min = "1", .max = "32",
     .shape = &shape_fields},
};
static const struct schema_shape shape_success = COUNTED(rows_success);

static const struct schema_row rows_row[] = {
    {.name = "when", .type = SCHEMA_WORDS, AT(dialect_row, when), .required = true,
     .shape = &shape_condition},
    {.name = "status", .type = SCHEMA_INTEGER, AT(dialect_row, status), .min = "200",
     .max = "599", .required = true, .shape = &shape_none},
    {.name = "code", .type = SCHEMA_TEXT, AT(dialect_row, code), .max = "128",
     .shape = &shape_none},
    {.name = "message", .type = SCHEMA_TEXT, AT(dialect_row, message), .max = "255",
     .shape = &shape_none},
    {.name = "number", .type = SCHEMA_INTEGER, AT(dialect_row, number), .max = "9007199254740991",
     .fallback = "0", .shape = &shape_none},
    {.name = "retry_after", .type = SCHEMA_INTEGER, AT(dialect_row, retry_after), .max = "86400",
     .fallback = "0", .unit = "seconds", .shape = &shape_none},
    {.name = "body", .type = SCHEMA_TEXT, AT(dialect_row, body),
     AND_MARK(dialect_row, body_mark), .min = "1", .max = "2048", .shape = &shape_none},
    {.name = "headers", .type = SCHEMA_LIST, AT(dialect_row, headers), .max = "8",
     .shape = &shape_headers},
};
static const struct schema_shape shape_dialect_row = COUNTED(rows_row);
static const struct schema_row row_row = {.type = SCHEMA_OBJECT, .shape = &shape_dialect_row};
static const struct schema_shape shape_rows = ITEM(row_row, struct dialect_row);

static const struct schema_row rows_errors[] = {
    {.name = "body", .type = SCHEMA_TEXT, AT(dialect_errors, body),
     AND_MARK(dialect_errors, body_mark), .min = "1", .max = "2048", .shape = &shape_none},
    {.name = "content_type", .type = SCHEMA_TEXT, AT(dialect_errors, content_type), .min = "3",
     .max = "128", .shape = &shape_none},
    {.name = "challenge", .type = SCHEMA_TEXT, AT(dialect_errors, challenge), .min = "1",
     .max = "255", .shape = &shape_none},
    {.name = "number", .type = SCHEMA_INTEGER, AT(dialect_errors, number),
     .max = "9007199254740991", .fallback = "0", .shape = &shape_none},
    {.name = "rows", .type = SCHEMA_LIST, AT(dialect_errors, rows), .min = "1", .max = "31",
     .shape = &shape_rows},
};
static const struct schema_shape shape_errors = COUNTED(rows_errors);

static const struct schema_row rows_resource[] = {
    {.name = "schemes", .type = SCHEMA_LIST, AT(dialect_resource, schemes), .min = "1",
     .max = "8", .shape = &shape_schemes},
    {.name = "header", .type = SCHEMA_TEXT, AT(dialect_resource, header), .min = "1", .max = "64",
     .shape = &shape_token},
    {.name = "one_blank", .type = SCHEMA_BOOL, AT(dialect_resource, one_blank),
     .fallback = "true", .shape = &shape_none},
    {.name = "query", .type = SCHEMA_TEXT, AT(dialect_resource, query), .min = "1", .max = "64",
     .shape = &shape_token},
    {.name = "content_type", .type = SCHEMA_TEXT, AT(dialect_resource, content_type), .min = "3",
     .max = "128", .shape = &shape_none},
    {.name = "unauthorized", .type = SCHEMA_TEXT, AT(dialect_resource, unauthorized),
     AND_MARK(dialect_resource, unauthorized_mark), .min = "1", .max = "2048",
     .shape = &shape_none},
    {.name = "forbidden", .type = SCHEMA_TEXT, AT(dialect_resource, forbidden),
     AND_MARK(dialect_resource, forbidden_mark), .min = "1", .max = "2048", .shape = &shape_none},
    {.name = "unavailable", .type = SCHEMA_TEXT, AT(dialect_resource, unavailable),
     AND_MARK(dialect_resource, unavailable_mark), .min = "1", .max = "2048", .shape = &shape_none},
    {.name = "challenge", .type = SCHEMA_TEXT, AT(dialect_resource, challenge), .min = "1",
     .max = "255", .shape = &shape_none},
};
static const struct schema_shape shape_resource = COUNTED(rows_resource);

static const struct schema_row rows_dialect[] = {
    {.name = "name", .type = SCHEMA_TEXT, AT(dialect, name), .min = "1", .max = "32",
     .required = true, .shape = &shape_name},
    {.name = "title", .type = SCHEMA_TEXT, AT(dialect, title), .min = "1", .max = "128",
     .required = true, .shape = &shape_none},
    {.name = "example", .type = SCHEMA_TEXT, AT(dialect, example), .min = "1", .max = "512",
     .shape = &shape_none},
    {.name = "user_example", .type = SCHEMA_TEXT, AT(dialect, user_example), .min = "1",
     .max = "512", .shape = &shape_none},
    {.name = "base", .type = SCHEMA_TEXT, AT(dialect, base), .min = "1", .max = "32",
     .shape = &shape_name},
    {.name = "endpoints", .type = SCHEMA_LIST, AT(dialect, endpoints), .min = "1", .max = "16",
     .shape = &shape_endpoints},
    {.name = "bodies", .type = SCHEMA_WORDS, AT(dialect, bodies), .fallback = "form",
     .shape = &shape_body},
    {.name = "accept", .type = SCHEMA_WORD, AT(dialect, accept), .fallback = "any",
     .shape = &shape_accept},
    {.name = "grants", .type = SCHEMA_LIST, AT(dialect, grants), .min = "1", .max = "8",
     .shape = &shape_grants},
    {.name = "parameters", .type = SCHEMA_LIST, AT(dialect, parameters), .min = "1", .max = "16",
     .shape = &shape_parameters},
    {.name = "client", .type = SCHEMA_OBJECT, AT(dialect, client), .shape = &shape_client},
    {.name = "scope", .type = SCHEMA_OBJECT, AT(dialect, scope), .shape = &shape_scope},
    {.name = "token", .type = SCHEMA_OBJECT, AT(dialect, token), .shape = &shape_dialect_token},
    {.name = "success", .type = SCHEMA_OBJECT, AT(dialect, success), .shape = &shape_success},
    {.name = "errors", .type = SCHEMA_OBJECT, AT(dialect, errors), .shape = &shape_errors},
    {.name = "resource", .type = SCHEMA_OBJECT, AT(dialect, resource), .shape = &shape_resource},
};
static const struct schema_shape shape_dialect = COUNTED(rows_dialect);

const struct schema_shape *dialect_schema(void)
{
    return &shape_dialect;
}

const char *dialect_grant_word(unsigned grant)
{
    return words_grant[grant - GRANT_CLIENT_CREDENTIALS];
}

const char *dialect_meaning_word(unsigned meaning)
{
    return words_meaning[meaning];
}

const char *dialect_place_word(unsigned place)
{
    return words_place[place];
}
