// SPDX-License-Identifier: Apache-2.0
// From a file to a dialect: read by the schema, filled up from rfc6749, checked, compiled.
#include <string.h>

#include "config/walk.h"
#include "dialect/inside.h"
#include "dialect/schema.h"

static void load_text(struct str *own, struct str base)
{
    if (!own->ptr)
        *own = base;
}

static void load_list(struct schema_list *own, struct schema_list base)
{
    if (own->count == 0)
        *own = base;
}

// A challenge names a scheme by which the client may come again (RFC 9110 section 11.6.1), and that
// of 401 the one that it came with (RFC 6749 section 5.2): Basic is none where it is not taken.
static struct str load_challenge(const struct dialect *d, struct str base)
{
    bool basic = str_equal_nocase(str_slice(base, 0, str_find(base, ' ')), STR("Basic"));
    return basic && !(d->client.methods & DIALECT_BASIC) ? STR("none") : base;
}

static void load_inherit_answers(struct dialect *d, const struct dialect *base)
{
    if (!d->success.mark.line)
        d->success = base->success;
    load_list(&d->success.fields, base->success.fields);
    load_list(&d->success.headers, base->success.headers);
    if (d->success.body == base->success.body) // else it is of another kind
        load_text(&d->success.content_type, base->success.content_type);
    if (!d->errors.mark.line)
        d->errors.number = base->errors.number;
    load_text(&d->errors.body, base->errors.body);
    load_text(&d->errors.content_type, base->errors.content_type);
    load_text(&d->errors.challenge, load_challenge(d, base->errors.challenge));
    if (!d->resource.mark.line)
        d->resource = base->resource;
    load_list(&d->resource.schemes, base->resource.schemes);
    load_text(&d->resource.header, base->resource.header);
    load_text(&d->resource.query, base->resource.query);
    load_text(&d->resource.content_type, base->resource.content_type);
    load_text(&d->resource.unauthorized, base->resource.unauthorized);
    load_text(&d->resource.forbidden, base->resource.forbidden);
    load_text(&d->resource.unavailable, base->resource.unavailable);
    load_text(&d->resource.challenge, base->resource.challenge);
}

// Extra ones have no meaning to us, but each has one of its own to whoever asks for it.
static bool load_has_parameter(const struct schema_list *parameters,
                               const struct dialect_parameter *wanted)
{
    const struct dialect_parameter *items = parameters->items;
    for (size_t i = 0; i < parameters->count; i++)
        if (items[i].is == wanted->is &&
            (wanted->is != MEANING_EXTRA || dialect_same_name(&items[i], wanted)))
            return true;
    return false;
}

// Behind the file's own parameters come those of the base whose meaning, or of extra ones whose
// name, none of them has. Their lines are another file's.
static void load_inherit_parameters(struct dialect_loader *loader)
{
    struct schema_list *own = &loader->dialect->parameters;
    const struct schema_list *base = &loader->base->parameters;
    const struct dialect_parameter *given = base->items;
    struct dialect_parameter *all =
        arena_array(loader->arena, own->count + base->count, sizeof *all);
    if (!all) {
        loader->no_memory = true;
        return;
    }
    size_t count = own->count;
    if (count)
        memcpy(all, own->items, count * sizeof *all);
    for (size_t i = 0; i < base->count; i++)
        if (!load_has_parameter(own, &given[i]) && !dialect_is_of_introspection(&given[i])) {
            all[count] = given[i];
            all[count++].mark = (struct config_mark){0};
        }
    *own = (struct schema_list){all, count};
}

struct config_mark dialect_key_mark(const struct dialect_loader *loader, const char *key)
{
    const struct schema_shape *schema = dialect_schema();
    size_t i = 0;
    while (i < schema->row_count - 1 && strcmp(schema->rows[i].name, key) != 0)
        i++;
    return loader->marks[i];
}

static void load_inherit(struct dialect_loader *loader)
{
    struct dialect *d = loader->dialect;
    const struct dialect *base = loader->base;
    load_list(&d->endpoints, base->endpoints);
    if (!dialect_key_mark(loader, "bodies").line)
        d->bodies = base->bodies;
    if (!dialect_key_mark(loader, "accept").line)
        d->accept = base->accept;
    load_list(&d->grants, base->grants);
    if (!d->client.mark.line)
        d->client = base->client;
    if (!d->scope.mark.line)
        d->scope = base->scope;
    if (d->scope.omitted == SCOPE_DEFAULT)
        load_text(&d->scope.words, base->scope.words);
    load_text(&d->scope.order, base->scope.order);
    if (!d->token.mark.line)
        d->token = base->token;
    load_inherit_answers(d, base);
    load_inherit_parameters(loader);
}

static void load_rules(struct dialect *d)
{
    d->rules = (struct request_rules){
        .basic_decoded = d->client.basic != 2,
        .basic_raw = d->client.basic != 1,
        .scope_omitted = (enum scope_omitted)d->scope.omitted,
        .scope_default = d->scope.words,
        .scope_drops_unknown = d->scope.unknown == 1,
        .has_format = d->token.format != 0,
        .format = (enum token_format)(d->token.format ? d->token.format - 1 : 0),
        .shape = d->token.alphabet ? &d->shape : NULL,
        .reissue = (enum reissue)d->token.reissue,
    };
}

static size_t load_problems(const struct config_report *report)
{
    return report->count + report->dropped;
}

// With the base itself. The rfc6749 that came with the program is not counted behind one of
// somebody's own.
static unsigned load_behind(const struct dialect *base)
{
    unsigned count = 1;
    for (; base->basis && !str_equal(base->name, STR("rfc6749")); base = base->basis)
        count++;
    return count;
}

// The rfc6749 that came with the program says everything; one of somebody's own differs from it.
// What stands behind the base is counted here, too: one that is known already is looked for in no
// depth, and the order of a configuration must not decide what is good.
static enum twoleg_error load_base(struct dialect_library *library, struct dialect_loader *loader,
                                   struct str text)
{
    struct dialect_library shipped = {.arena = library->arena, .report = library->report};
    struct str name = loader->dialect->base, last = STR("rfc6749");
    if (text.ptr == dialect_shipped(last).ptr)
        return TWOLEG_NONE;
    bool own_last = !name.len && str_equal(loader->dialect->name, last);
    library->depth++;
    enum twoleg_error error = dialect_find(own_last ? &shipped : library, name.len ? name : last,
                                           &loader->base);
    library->depth--;
    if (!error && load_behind(loader->base) > DIALECT_BASES_MAX)
        error = TWOLEG_LIMIT;
    struct config_mark mark = dialect_key_mark(loader, name.len ? "base" : "name");
    if (error == TWOLEG_NOT_FOUND)
        DIALECT_REFUSE(loader, mark, "base: there is no dialect \"%.*s\"", STR_ARG(name));
    else if (error == TWOLEG_LIMIT)
        DIALECT_REFUSE(loader, mark, "base: with \"%.*s\" more than %d dialects are behind each "
                       "other, or they are a ring", STR_ARG(name.len ? name : last),
                       DIALECT_BASES_MAX);
    else
        return error;
    return TWOLEG_MALFORMED;
}

static enum twoleg_error load_compile(struct dialect_loader *loader)
{
    if (loader->base)
        load_inherit(loader);
    if (loader->no_memory)
        return TWOLEG_NO_MEMORY;
    dialect_check_request(loader);
    dialect_check_reach(loader);
    dialect_compile_token(loader);
    load_rules(loader->dialect);
    dialect_compile_success(loader);
    dialect_compile_errors(loader);
    dialect_compile_resource(loader);
    return loader->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error dialect_load(struct dialect_library *library, struct str source, struct str text,
                               const struct dialect **ret_dialect)
{
    struct dialect *dialect = ARENA_NEW(library->arena, struct dialect);
    if (!dialect)
        return TWOLEG_NO_MEMORY;
    struct dialect_loader loader = {.source = source,
                                    .arena = library->arena,
                                    .report = library->report,
                                    .dialect = dialect};
    const struct walk_source file = {.name = source, .text = text};
    size_t before = load_problems(library->report);
    enum twoleg_error error = walk_load(&file, dialect_schema(), library->arena, dialect,
                                        loader.marks, library->report);
    if (!error)
        error = load_base(library, &loader, text);
    if (!error)
        error = load_compile(&loader);
    if (error)
        return error;
    if (load_problems(library->report) > before)
        return TWOLEG_MALFORMED;
    dialect->text = text;
    dialect->basis = loader.base;
    *ret_dialect = dialect;
    return TWOLEG_NONE;
}
