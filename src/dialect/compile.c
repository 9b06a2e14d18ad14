// SPDX-License-Identifier: Apache-2.0
// Answers: checked as far as a file can be, and made into what is only copied later.
#include <string.h>

#include "codec/json_read.h"
#include "dialect/inside.h"

// ------------------------------------------------------------------------------------- headers

// Those that HTTP itself, or we for safety's sake, send; those that say of a body what no text can
// know before; those that tell a cache otherwise than no-store; and those that send a browser away.
static const char *const compile_headers_taken[] = {
    "Cache-Control",    "Connection",     "Content-Length", "Content-Type",
    "Date",             "Keep-Alive",     "Pragma",         "Retry-After",
    "Set-Cookie",       "Trailer",        "Upgrade",        "Strict-Transport-Security",
    "WWW-Authenticate", "X-Request-Id",   "Allow",          "Transfer-Encoding",
    "Content-Encoding", "Content-Range",  "Content-MD5",    "Content-Digest",
    "Repr-Digest",      "Proxy-Connection", "CDN-Cache-Control", "Surrogate-Control",
    "X-Accel-Expires",  "X-Content-Type-Options", "Location",        "Refresh",
};

static bool compile_is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

static const char *compile_header_problem(struct str line)
{
    struct str name = str_slice(line, 0, str_find(line, ':'));
    struct str value = str_slice(line, name.len + 1, line.len);
    if (name.len == line.len || !dialect_is_token(name))
        return "is not of the form Name: value";
    if (value.len < 2 || value.ptr[0] != ' ' || !compile_is_printable(value))
        return "has a value that is not one blank and visible ASCII";
    for (size_t i = 0; i < sizeof compile_headers_taken / sizeof *compile_headers_taken; i++)
        if (str_equal_nocase(name, str_from(compile_headers_taken[i])))
            return "is a header that is the server's own to set";
    return NULL;
}

static struct str compile_headers(struct dialect_loader *loader, const char *key,
                                  const struct schema_list *headers, struct config_mark mark)
{
    const struct str *lines = headers->items;
    struct buf out;
    if (headers->count == 0)
        return STR_NONE;
    buf_init_arena(&out, loader->arena, 256);
    for (size_t i = 0; i < headers->count; i++) {
        const char *problem = compile_header_problem(lines[i]);
        if (problem)
            DIALECT_REFUSE(loader, mark, "%s.headers[%zu]: \"%.*s\" %s", key, i,
                           STR_ARG(lines[i]), problem);
        buf_add(&out, lines[i]);
        buf_add(&out, STR("\r\n"));
    }
    loader->no_memory = loader->no_memory || out.failed;
    return buf_str(&out);
}

static void compile_value(struct dialect_loader *loader, struct config_mark mark, const char *key,
                          struct str value)
{
    if (!compile_is_printable(value))
        DIALECT_REFUSE(loader, mark, "%s: \"%.*s\" is not visible ASCII", key, STR_ARG(value));
}

// A quoted-string that has no end would take in whatever a client finds behind it (RFC 9110 section
// 5.6.4).
static void compile_challenge(struct dialect_loader *loader, struct config_mark mark,
                              const char *key, struct str challenge)
{
    bool quoted = false;
    compile_value(loader, mark, key, challenge);
    for (size_t i = 0; i < challenge.len; i++) {
        if (quoted && challenge.ptr[i] == '\\')
            i++;
        else if (challenge.ptr[i] == '"')
            quoted = !quoted;
    }
    if (quoted)
        DIALECT_REFUSE(loader, mark, "%s: the quotes of '%.*s' do not end", key,
                       STR_ARG(challenge));
}

// ------------------------------------------------------------------------------------- success

// What is wrong with the type that a source is written as.
static const char *compile_type_problem(const struct dialect_field *field)
{
    bool text = field->type == TYPE_STRING;
    switch ((enum dialect_source)field->source) {
    case SOURCE_CONSTANT:
        return NULL;
    case SOURCE_EXPIRES_IN:
    case SOURCE_EXPIRES_AT:
    case SOURCE_ISSUED_AT:
    case SOURCE_REFRESH_EXPIRES_IN:
        if (field->unit == UNIT_TEXT)
            break;
        return text || field->type == TYPE_NUMBER
                   ? NULL
                   : "has a type in which its source cannot be written: string and number can be";
    case SOURCE_SCOPE:
        return text || field->type == TYPE_ARRAY
                   ? NULL
                   : "has a type in which its source cannot be written: string and array can be";
    default:
        break;
    }
    return text ? NULL : "has a type in which its source cannot be written: string can be";
}

static bool compile_is_time(const struct dialect_field *field)
{
    return field->source == SOURCE_EXPIRES_IN || field->source == SOURCE_EXPIRES_AT ||
           field->source == SOURCE_ISSUED_AT || field->source == SOURCE_REFRESH_EXPIRES_IN;
}

static bool compile_constant_fits(const struct dialect_field *field)
{
    struct str value = str_trim(field->value, " ");
    char first = value.len ? value.ptr[0] : '\0';
    if (field->type == TYPE_BOOLEAN)
        return str_equal(value, STR("true")) || str_equal(value, STR("false"));
    if (field->type == TYPE_NUMBER)
        return (first == '-' || (first >= '0' && first <= '9')) && !json_check(value, NULL);
    if (field->type == TYPE_ARRAY || field->type == TYPE_OBJECT)
        return first == (field->type == TYPE_ARRAY ? '[' : '{') && !json_check(value, NULL);
    return (field->type == TYPE_NULL) == !field->value.ptr;
}

#define COMPILE_NEVER_MAX ((int64_t)7000 * 365 * 86400) // from now, in years that are not far off

static const char *compile_field_problem(const struct dialect_field *field)
{
    bool constant = field->source == SOURCE_CONSTANT;
    const char *type = compile_type_problem(field);
    if (type)
        return type;
    if (constant ? !compile_constant_fits(field) : field->value.ptr != NULL)
        return constant ? "has no value, or one that is not of its type"
                        : "has a value, which only a constant may have";
    if (constant && field->type == TYPE_STRING && !field->value.len && field->empty == EMPTY_OMIT)
        return "is never sent: an empty value needs empty: keep";
    if (field->source == SOURCE_ACCESS_TOKEN && field->empty != EMPTY_OMIT)
        return "is the token, which is never empty";
    if (field->empty == EMPTY_KEEP && field->type != TYPE_STRING && field->type != TYPE_ARRAY)
        return "cannot be kept when it is empty: it is no text";
    if (!compile_is_time(field) && field->unit != UNIT_S)
        return "has a unit, which only times have";
    if (field->never && field->source != SOURCE_EXPIRES_IN && field->source != SOURCE_EXPIRES_AT)
        return "has never, which only expires_in and expires_at may have";
    if (field->minus && field->source != SOURCE_EXPIRES_IN)
        return "has minus, which only expires_in may have";
    if (field->unit == UNIT_TEXT && field->never > COMPILE_NEVER_MAX)
        return "has never with which a year would have more than four digits";
    if (field->unit == UNIT_TEXT && field->source == SOURCE_EXPIRES_IN)
        return "has unit text, which only a point in time has";
    return NULL;
}

static size_t compile_shared(const struct schema_list *a, const struct schema_list *b)
{
    const struct str *one = a->items, *other = b->items;
    size_t i = 0;
    while (i < a->count && i < b->count && str_equal(one[i], other[i]))
        i++;
    return i;
}

// In one object no name may come twice, neither a field's nor that of an object within it.
static bool compile_fields_meet(const struct dialect_field *a, const struct dialect_field *b)
{
    const struct str *under_a = a->under.items, *under_b = b->under.items;
    size_t shared = compile_shared(&a->under, &b->under);
    struct str next_a = shared < a->under.count ? under_a[shared] : a->name;
    struct str next_b = shared < b->under.count ? under_b[shared] : b->name;
    return str_equal(next_a, next_b);
}

static void compile_nesting(struct dialect_loader *loader, const struct dialect_field *fields,
                            size_t at)
{
    for (size_t k = 0; k < at; k++) {
        bool twice = compile_fields_meet(&fields[at], &fields[k]);
        // Shares an object with one further up, but not with its neighbour.
        bool apart = compile_shared(&fields[at].under, &fields[k].under) >
                     compile_shared(&fields[at].under, &fields[at - 1].under);
        if (twice)
            DIALECT_REFUSE(loader, fields[at].mark,
                           "success.fields[%zu]: \"%.*s\" is named twice, first in line %u", at,
                           STR_ARG(fields[at].name), fields[k].mark.line);
        else if (apart)
            DIALECT_REFUSE(loader, fields[at].mark,
                           "success.fields[%zu]: \"%.*s\" stands apart from line %u, which is "
                           "under the same object: put them next to each other",
                           at, STR_ARG(fields[at].name), fields[k].mark.line);
        if (twice || apart)
            return;
    }
}

// With a field of the base it is this file's body that does not fit: its line is another file's.
static void compile_under(struct dialect_loader *loader, size_t at)
{
    const struct dialect_success *success = &loader->dialect->success;
    const struct dialect_field *fields = success->fields.items;
    if (loader->base && fields == loader->base->success.fields.items)
        DIALECT_REFUSE(loader, success->mark,
                       "success.body: %.*s's \"%.*s\" is under an object, which a form has not",
                       STR_ARG(loader->base->name), STR_ARG(fields[at].name));
    else
        DIALECT_REFUSE(loader, fields[at].mark,
                       "success.fields[%zu]: \"%.*s\" is under an object, which a form has not",
                       at, STR_ARG(fields[at].name));
}

// Who is told that an answer is JSON reads it as such, and finds none in a form or a bare token.
static void compile_success_type(struct dialect_loader *loader, struct dialect_success *success)
{
    static const struct {
        struct str type;
        const char *no_json;
    } bodies[] = {
        [SUCCESS_JSON] = {{"application/json", 16}, NULL},
        [SUCCESS_FORM] = {{"application/x-www-form-urlencoded", 33}, "a form"},
        [SUCCESS_TOKEN] = {{"text/plain; charset=utf-8", 25}, "a token without quotes"},
    };
    if (!success->content_type.ptr)
        success->content_type = bodies[success->body].type;
    dialect_compile_content_type(loader, success->mark, "success.content_type",
                                 success->content_type);
    if (bodies[success->body].no_json && dialect_content_is_json(success->content_type))
        DIALECT_REFUSE(loader, success->mark,
                       "success.content_type: \"%.*s\" is JSON, which %s is not",
                       STR_ARG(success->content_type), bodies[success->body].no_json);
}

// Where no answer has a place for the next refresh token none can be used.
static void compile_refreshes(struct dialect_loader *loader)
{
    const struct dialect *d = loader->dialect;
    const struct dialect_endpoint *items = d->endpoints.items;
    if (d->rules.refreshes || (loader->base && items == loader->base->endpoints.items))
        return;
    for (size_t i = 0; i < d->endpoints.count; i++)
        if (items[i].grants & GRANT_BIT(GRANT_REFRESH_TOKEN))
            DIALECT_REFUSE(loader, items[i].mark,
                           "endpoints[%zu]: its grants need a field of source refresh_token", i);
}

void dialect_compile_success(struct dialect_loader *loader)
{
    struct dialect_success *success = &loader->dialect->success;
    const struct dialect_field *fields = success->fields.items;
    size_t tokens = 0;
    bool refreshes = false;
    for (size_t i = 0; i < success->fields.count; i++) {
        const char *problem = compile_field_problem(&fields[i]);
        tokens += fields[i].source == SOURCE_ACCESS_TOKEN;
        refreshes = refreshes || fields[i].source == SOURCE_REFRESH_TOKEN;
        if (problem)
            DIALECT_REFUSE(loader, fields[i].mark, "success.fields[%zu]: \"%.*s\" %s", i,
                           STR_ARG(fields[i].name), problem);
        if (success->body == SUCCESS_FORM && fields[i].under.count)
            compile_under(loader, i);
        compile_nesting(loader, fields, i);
    }
    loader->dialect->rules.refreshes = refreshes && success->body != SUCCESS_TOKEN;
    compile_refreshes(loader);
    compile_success_type(loader, success);
    if (success->body != SUCCESS_TOKEN && tokens != 1)
        DIALECT_REFUSE(loader, success->mark, "success.fields: %s has source access_token",
                       tokens ? "more than one" : "none");
    success->header_lines = compile_headers(loader, "success", &success->headers, success->mark);
}

// ------------------------------------------------------------------------------------- errors

// Where a text of the base's is wrong with what else the file says, its section is named.
static struct config_mark compile_mark(struct config_mark key, struct config_mark section)
{
    return key.line ? key : section;
}

static void compile_template(struct dialect_loader *loader, struct config_mark mark,
                             const char *key, struct str text, bool json,
                             struct dialect_template *ret_template)
{
    const char *problem = NULL;
    if (str_equal(text, STR("empty")))
        text = STR("");
    enum twoleg_error error =
        template_compile(text, json, loader->arena, ret_template, &problem);
    if (error == TWOLEG_NO_MEMORY)
        loader->no_memory = true;
    else if (error)
        DIALECT_REFUSE(loader, mark, "%s: the template %s", key, problem);
}

// What /check refuses has no row, so no number.
static void compile_gate(struct dialect_loader *loader, struct config_mark mark, const char *key,
                         struct str text, struct dialect_template *ret_template)
{
    const struct dialect_resource *resource = &loader->dialect->resource;
    mark = compile_mark(mark, resource->mark);
    compile_template(loader, mark, key, text, dialect_content_is_json(resource->content_type),
                     ret_template);
    if (template_has(ret_template, TEMPLATE_NUMBER))
        DIALECT_REFUSE(loader, mark, "%s: the template has {number}, which is of errors.rows", key);
}

// What a row puts into its body may be a key that stands there already.
static void compile_row_json(struct dialect_loader *loader, const struct dialect_row *row,
                             struct config_mark mark)
{
    const struct template_values values = {.code = row->code, .message = row->message,
                                           .number = row->number,
                                           .status = (unsigned)row->status};
    enum twoleg_error error =
        row->template.count ? template_try(&row->template, &values) : TWOLEG_NONE;
    if (error == TWOLEG_NO_MEMORY)
        loader->no_memory = true;
    else if (error)
        DIALECT_REFUSE(loader, mark,
                       "errors.rows: the template is no JSON with the words of this row");
}

// Bits of the conditions that have no word of that kind, though their template does.
struct compile_lacking {
    unsigned code, number;
};

static void compile_find_lacking(const struct dialect_row *row, unsigned when,
                                 struct compile_lacking *lacking)
{
    if (!row->code.len && template_has(&row->template, TEMPLATE_CODE))
        lacking->code |= when;
    if (!row->number && template_has(&row->template, TEMPLATE_NUMBER))
        lacking->number |= when;
}

// An empty code is none that any client knows, and the number 0 is success to some of them. What a
// row stands for decides which one is right, so there is none to take for it.
static void compile_refuse_lacking(struct dialect_loader *loader, struct config_mark mark,
                                   const char *word, unsigned lacking)
{
    struct buf words;
    if (!lacking)
        return;
    buf_init_arena(&words, loader->arena, 256);
    for (unsigned c = 0; c < CONDITIONS; c++)
        if (lacking & 1u << c)
            buf_addf(&words, "%s%.*s", words.len ? ", " : "",
                     STR_ARG(dialect_condition_word((enum dialect_condition)c)));
    loader->no_memory = loader->no_memory || words.failed;
    DIALECT_REFUSE(loader, mark, "errors.rows: the template has {%s}: a %s is missing for %.*s",
                   word, word, STR_ARG(buf_str(&words)));
}

static void compile_need(struct dialect_loader *loader, struct config_mark mark,
                         const struct compile_lacking *lacking)
{
    compile_refuse_lacking(loader, mark, "code", lacking->code);
    compile_refuse_lacking(loader, mark, "number", lacking->number);
}

static void compile_row(struct dialect_loader *loader, struct dialect_row *row, bool own)
{
    const struct dialect *d = loader->dialect;
    struct config_mark mark = own ? row->mark : d->errors.mark;
    if (!row->number)
        row->number = d->errors.number;
    if (row->status != 200 && row->status < 400)
        DIALECT_REFUSE(loader, mark, "errors.rows: status %lld is neither 200 nor an error",
                       (long long)row->status);
    // Told to come again, nobody takes a refusal for an answer.
    if (row->when & 1u << CONDITION_UNAVAILABLE && row->status < 500)
        DIALECT_REFUSE(loader, mark, "errors.rows: unavailable needs a status of 500 to 599");
    // Else whoever looks for what else this server has would find it everywhere.
    if (row->when & 1u << CONDITION_NOT_FOUND && row->status < 400)
        DIALECT_REFUSE(loader, mark, "errors.rows: not_found needs a status of 400 to 599");
    compile_value(loader, mark, "errors.rows.code", row->code);
    compile_value(loader, mark, "errors.rows.message", row->message);
    // Nothing is said of the body of all where one of its own is wrong.
    row->template = row->body.len ? (struct dialect_template){0} : d->errors.template;
    if (row->body.len)
        compile_template(loader, own ? compile_mark(row->body_mark, mark) : mark,
                         "errors.rows.body", row->body, d->json_errors, &row->template);
    if (d->json_errors)
        compile_row_json(loader, row, mark);
    row->header_lines = compile_headers(loader, "errors.rows", &row->headers, mark);
}

// The file's rows, each condition in one of them at most.
static unsigned compile_own_rows(struct dialect_loader *loader)
{
    struct dialect *d = loader->dialect;
    struct dialect_row *rows = d->errors.rows.items;
    unsigned seen = 0;
    for (size_t i = 0; i < d->errors.rows.count; i++) {
        compile_row(loader, &rows[i], true);
        struct compile_lacking lacking = {0};
        compile_find_lacking(&rows[i], rows[i].when, &lacking);
        compile_need(loader, rows[i].mark, &lacking);
        for (unsigned c = 0; c < CONDITIONS; c++) {
            if (!(rows[i].when & 1u << c))
                continue;
            if (seen & 1u << c)
                DIALECT_REFUSE(loader, rows[i].mark,
                               "errors.rows[%zu]: \"%.*s\" has a row already, in line %u", i,
                               STR_ARG(dialect_condition_word((enum dialect_condition)c)),
                               d->by_condition[c]->mark.line);
            d->by_condition[c] = &rows[i];
        }
        seen |= rows[i].when;
    }
    return seen;
}

// A row of rfc6749 answers in this dialect's body.
static const struct dialect_row *compile_base_row(struct dialect_loader *loader, unsigned condition)
{
    struct dialect_row *copy = ARENA_NEW(loader->arena, struct dialect_row);
    if (!copy) {
        loader->no_memory = true;
        return loader->base->by_condition[condition];
    }
    *copy = *loader->base->by_condition[condition];
    compile_row(loader, copy, false);
    return copy;
}

// The words for a body that the dialect does not read: those of RFC 6749 are true of few others.
static void compile_body_words(struct dialect_loader *loader)
{
    static const struct {
        unsigned bodies;
        const char *name;
    } kinds[] = {
        {BODY_FORM | BODY_JSON_AS_FORM, "application/x-www-form-urlencoded"},
        {BODY_JSON | BODY_FORM_AS_JSON, "application/json"},
        {BODY_UNLABELLED, "without Content-Type"},
        {BODY_EMPTY, "empty"},
    };
    const char *names[sizeof kinds / sizeof *kinds];
    size_t count = 0;
    struct buf out;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (loader->dialect->bodies & kinds[i].bodies)
            names[count++] = kinds[i].name;
    buf_init_arena(&out, loader->arena, 128);
    for (size_t i = 0; i < count; i++)
        buf_addf(&out, "%s%s",
                 i == 0 ? "the body must be " : i + 1 == count ? " or " : ", ", names[i]);
    loader->no_memory = loader->no_memory || out.failed;
    loader->dialect->body_words = buf_str(&out);
}

void dialect_compile_errors(struct dialect_loader *loader)
{
    struct dialect *d = loader->dialect;
    d->json_errors = dialect_content_is_json(d->errors.content_type);
    dialect_compile_content_type(loader, d->errors.mark, "errors.content_type",
                                 d->errors.content_type);
    compile_challenge(loader, d->errors.mark, "errors.challenge", d->errors.challenge);
    compile_template(loader, compile_mark(d->errors.body_mark, d->errors.mark), "errors.body",
                     d->errors.body, d->json_errors, &d->errors.template);
    compile_body_words(loader);
    unsigned seen = compile_own_rows(loader);
    struct compile_lacking lacking = {0};
    for (unsigned c = 0; c < CONDITIONS; c++) {
        if (seen & 1u << c)
            continue;
        if (loader->base)
            d->by_condition[c] = compile_base_row(loader, c);
        else
            DIALECT_REFUSE(loader, d->errors.mark, "errors.rows: none is for \"%.*s\"",
                           STR_ARG(dialect_condition_word((enum dialect_condition)c)));
        if (loader->base)
            compile_find_lacking(d->by_condition[c], 1u << c, &lacking);
    }
    compile_need(loader, d->errors.mark, &lacking);
}

static bool compile_is_identity(struct str name)
{
    static const char *const identity[] = {
#define IDENTITY(id, header, words) header,
#include "model/identity.def"
#undef IDENTITY
    };
    for (size_t i = 0; i < sizeof identity / sizeof *identity; i++)
        if (str_equal_nocase(name, str_from(identity[i])))
            return true;
    return false;
}

void dialect_compile_resource(struct dialect_loader *loader)
{
    struct dialect *d = loader->dialect;
    struct dialect_resource *resource = &d->resource;
    d->token_in_query = !str_equal(resource->query, STR("none"));
    // What /check answers with is no client's to send, and Authorization is where tokens are.
    if (compile_is_identity(resource->header) ||
        (dialect_header_is_taken(resource->header) &&
         !str_equal_nocase(resource->header, STR("Authorization"))))
        DIALECT_REFUSE(loader, resource->mark,
                       "resource.header: \"%.*s\" is a header that means something else",
                       STR_ARG(resource->header));
    dialect_compile_content_type(loader, resource->mark, "resource.content_type",
                                 resource->content_type);
    compile_challenge(loader, resource->mark, "resource.challenge", resource->challenge);
    compile_gate(loader, resource->unauthorized_mark, "resource.unauthorized",
                 resource->unauthorized, &d->unauthorized);
    compile_gate(loader, resource->forbidden_mark, "resource.forbidden", resource->forbidden,
                 &d->forbidden);
    compile_gate(loader, resource->unavailable_mark, "resource.unavailable",
                 resource->unavailable, &d->unavailable);
}
