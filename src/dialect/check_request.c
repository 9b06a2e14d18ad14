// SPDX-License-Identifier: Apache-2.0
// What a dialect may say of requests: no two meanings for one thing, nothing that weakens the gate.
#include <string.h>

#include "dialect/inside.h"
#include "dialect/schema.h"
#include "model/scope.h"

static bool check_is_hole(struct str segment)
{
    return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

static const char *check_path(struct str path)
{
    struct str rest = path, segment;
    if (path.ptr[0] != '/')
        return "does not start with /";
    rest = str_slice(rest, 1, rest.len);
    while (str_split(&rest, '/', &segment)) {
        if (segment.len == 0 || str_equal(segment, STR(".")) || str_equal(segment, STR("..")))
            return rest.ptr ? "has an empty segment, . or .."
                            : "ends with / or a dot (trailing_slash: true takes both spellings)";
        bool braces = str_find(segment, '{') < segment.len || str_find(segment, '}') < segment.len;
        if (braces && !check_is_hole(segment))
            return "has braces that are not a whole segment such as {tenant}";
    }
    return dialect_path_is_ours(path) ? "is a path of the server's own" : NULL;
}

// Does some request stand at both, with no more reason to be the one's than the other's?
static bool check_paths_meet(const struct dialect_endpoint *a, const struct dialect_endpoint *b)
{
    struct str rest_a = a->path, rest_b = b->path, part_a, part_b;
    bool fold = a->fold_case || b->fold_case;
    size_t holes_a = 0, holes_b = 0;
    while (str_split(&rest_a, '/', &part_a)) {
        if (!str_split(&rest_b, '/', &part_b))
            return false;
        holes_a += check_is_hole(part_a);
        holes_b += check_is_hole(part_b);
        bool same = check_is_hole(part_a) || check_is_hole(part_b) ||
                    (fold ? str_equal_nocase(part_a, part_b) : str_equal(part_a, part_b));
        if (!same)
            return false;
    }
    return rest_b.ptr == NULL && holes_a == holes_b; // fewer holes come first
}

static void check_refuse_path(struct dialect_loader *loader, size_t at, size_t before)
{
    const struct dialect_endpoint *items = loader->dialect->endpoints.items;
    struct str path = items[at].path, first = items[before].path;
    if (str_equal(path, first))
        DIALECT_REFUSE(loader, items[at].mark,
                       "endpoints[%zu]: the path \"%.*s\" stands there twice, first in line %u", at,
                       STR_ARG(path), items[before].mark.line);
    else
        DIALECT_REFUSE(loader, items[at].mark,
                       "endpoints[%zu]: the path \"%.*s\" fits what \"%.*s\" in line %u fits, and "
                       "nothing says which of them is meant", at, STR_ARG(path), STR_ARG(first),
                       items[before].mark.line);
}

// The words of the file are not the bits of HTTP.
static unsigned check_methods(unsigned words)
{
    return (words & 1 ? (unsigned)HTTP_GET : 0) | (words & 2 ? (unsigned)HTTP_POST : 0);
}

static void check_endpoints(struct dialect_loader *loader)
{
    struct dialect_endpoint *items = loader->dialect->endpoints.items;
    if (loader->base && items == loader->base->endpoints.items)
        return; // looked at with the base
    for (size_t i = 0; i < loader->dialect->endpoints.count; i++) {
        const char *problem = check_path(items[i].path);
        items[i].methods = check_methods(items[i].methods);
        items[i].grants <<= GRANT_CLIENT_CREDENTIALS;
        if (problem)
            DIALECT_REFUSE(loader, items[i].mark, "endpoints[%zu]: path \"%.*s\" %s", i,
                           STR_ARG(items[i].path), problem);
        for (size_t k = 0; k < i; k++)
            if (check_paths_meet(&items[i], &items[k]))
                check_refuse_path(loader, i, k);
    }
}

static void check_grants(struct dialect_loader *loader)
{
    struct dialect_grant *items = loader->dialect->grants.items;
    bool own = !loader->base || items != loader->base->grants.items;
    for (size_t i = 0; own && i < loader->dialect->grants.count; i++) {
        items[i].is += GRANT_CLIENT_CREDENTIALS;
        for (size_t k = 0; k < i; k++)
            if (str_equal(items[i].name, items[k].name))
                DIALECT_REFUSE(loader, items[i].mark,
                               "grants[%zu]: the name \"%.*s\" stands there twice, first in line "
                               "%u",
                               i, STR_ARG(items[i].name), items[k].mark.line);
    }
}

// ------------------------------------------------------------------------------- parameters

static bool check_in(const struct dialect_parameter *parameter, enum dialect_place place)
{
    const unsigned *places = parameter->in.items;
    for (size_t i = 0; i < parameter->in.count; i++)
        if (places[i] == place)
            return true;
    return false;
}

bool dialect_header_is_taken(struct str name)
{
    static const char *const taken[] = {
        "Authorization",  "Host",              "Cookie",           "Connection",  "Content-Type",
        "Content-Length", "Transfer-Encoding", "Expect",           "Upgrade",     "Forwarded",
        "X-Forwarded-For", "Accept",           "Content-Encoding", "Proxy-Authorization"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (str_equal_nocase(name, str_from(taken[i])))
            return true;
    return false;
}

// An rfc6749 of somebody's own may repeat what the shipped one says of introspection, as it stands
// there: else a copy of that file would be wrong.
static bool check_is_repeated(const struct dialect_loader *loader,
                              const struct dialect_parameter *parameter)
{
    const struct schema_list *given = &loader->base->parameters;
    const struct dialect_parameter *items = given->items;
    size_t i = 0;
    while (i < given->count && items[i].is != parameter->is)
        i++;
    return str_equal(loader->dialect->name, STR("rfc6749")) && i < given->count &&
           str_equal(items[i].name, parameter->name) && parameter->in.count == 1 &&
           check_in(parameter, PLACE_BODY);
}

static const char *check_places(const struct dialect_loader *loader,
                                const struct dialect_parameter *parameter)
{
    const unsigned *places = parameter->in.items;
    for (size_t i = 1; i < parameter->in.count; i++)
        for (size_t k = 0; k < i; k++)
            if (places[i] == places[k])
                return "names one place twice";
    if (loader->base && dialect_is_of_introspection(parameter) &&
        !check_is_repeated(loader, parameter))
        return "is of introspection, which speaks rfc6749 whatever the host";
    if (check_in(parameter, PLACE_HEADER) && dialect_header_is_taken(parameter->name))
        return "is a header that means something else";
    if (check_in(parameter, PLACE_QUERY) && str_equal(parameter->name, STR("access_token")))
        return "is never taken from a query: there it would be somebody's token";
    return NULL;
}

// A grant that nobody asked for may be the one that gives the least only.
static bool check_default_is_safe(const struct dialect *dialect, struct str name)
{
    const struct dialect_grant *grants = dialect->grants.items;
    for (size_t i = 0; i < dialect->grants.count; i++)
        if (str_equal(grants[i].name, name))
            return grants[i].is == GRANT_CLIENT_CREDENTIALS;
    return false;
}

bool dialect_is_of_introspection(const struct dialect_parameter *parameter)
{
    return parameter->is == MEANING_TOKEN || parameter->is == MEANING_TOKEN_TYPE_HINT;
}

static const char *check_parameter(const struct dialect_loader *loader,
                                   const struct dialect_parameter *parameter)
{
    const struct dialect *dialect = loader->dialect;
    if (parameter->fallback.ptr && parameter->is != MEANING_GRANT_TYPE)
        return "may have no default: only grant_type may";
    if (parameter->fallback.ptr && !check_default_is_safe(dialect, parameter->fallback))
        return "has a default that is no name of client_credentials";
    if (parameter->equals.ptr && parameter->is != MEANING_EXTRA)
        return "may have no equals: only an extra parameter may";
    if (parameter->claim.ptr && parameter->is != MEANING_EXTRA)
        return "may have no claim: only an extra parameter may";
    return check_places(loader, parameter);
}

bool dialect_same_name(const struct dialect_parameter *a, const struct dialect_parameter *b)
{
    bool header = check_in(a, PLACE_HEADER) && check_in(b, PLACE_HEADER);
    return str_equal(a->name, b->name) || (header && str_equal_nocase(a->name, b->name));
}

// What two parameters must not share; NULL: they share nothing.
static const char *check_same(const struct dialect_parameter *a, const struct dialect_parameter *b)
{
    if (a->is != MEANING_EXTRA && a->is == b->is)
        return "meaning";
    if (a->claim.ptr && str_equal(a->claim, b->claim))
        return "claim";
    return dialect_same_name(a, b) ? "name" : NULL;
}

// Other formats have no room for what somebody else made up. With a parameter of the base it is
// this file's token that does not fit.
static void check_claim(struct dialect_loader *loader, const struct dialect_parameter *parameter)
{
    struct config_mark token = dialect_key_mark(loader, "token");
    if (parameter->claim.ptr && loader->dialect->token.format != FORMAT_JWT + 1)
        DIALECT_REFUSE(loader, token.line ? token : parameter->mark,
                       "parameters: \"%.*s\" has a claim, which needs token.format: jwt",
                       STR_ARG(parameter->name));
    loader->dialect->claims = loader->dialect->claims || parameter->claim.ptr;
}

static bool check_is_credential(const struct dialect_parameter *parameter)
{
    switch ((enum dialect_meaning)parameter->is) {
    case MEANING_CLIENT_ID:
    case MEANING_CLIENT_SECRET:
    case MEANING_USERNAME:
    case MEANING_PASSWORD:
    case MEANING_REFRESH_TOKEN:
        return true;
    default:
        return false;
    }
}

static bool check_has(const struct dialect *dialect, enum dialect_meaning meaning)
{
    const struct dialect_parameter *items = dialect->parameters.items;
    for (size_t i = 0; i < dialect->parameters.count; i++)
        if (items[i].is == meaning)
            return true;
    return false;
}

static bool check_names(const struct dialect *dialect, enum grant_kind grant)
{
    const struct dialect_grant *items = dialect->grants.items;
    for (size_t i = 0; i < dialect->grants.count; i++)
        if (items[i].is == grant)
            return true;
    return false;
}

// Meanings that one grant alone has.
static const struct {
    enum grant_kind grant;
    enum dialect_meaning meaning;
} check_needs[] = {
    {GRANT_PASSWORD, MEANING_USERNAME},
    {GRANT_PASSWORD, MEANING_PASSWORD},
    {GRANT_REFRESH_TOKEN, MEANING_REFRESH_TOKEN},
};
#define CHECK_NEEDS (sizeof check_needs / sizeof *check_needs)

static bool check_is_used(const struct dialect *dialect, const struct dialect_parameter *parameter)
{
    const struct dialect_endpoint *items = dialect->endpoints.items;
    size_t need = 0;
    while (need < CHECK_NEEDS && check_needs[need].meaning != (enum dialect_meaning)parameter->is)
        need++;
    bool used = need == CHECK_NEEDS;
    for (size_t i = 0; i < dialect->endpoints.count && !used; i++)
        used = items[i].grants & GRANT_BIT(check_needs[need].grant);
    return used;
}

static bool check_is_named_anew(const struct dialect *dialect,
                                const struct dialect_parameter *inherited)
{
    const struct dialect_parameter *items = dialect->parameters.items;
    for (size_t i = 0; i < dialect->parameters.count; i++)
        if (items[i].mark.line && dialect_same_name(&items[i], inherited))
            return true;
    return false;
}

// A gateway of client_credentials alone may call its client's ID and secret username and password:
// the base's parameters of a grant that it has not leave their names to the file's own.
static void check_give_way(struct dialect_loader *loader)
{
    struct schema_list *all = &loader->dialect->parameters;
    struct dialect_parameter *items = all->items;
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++)
        if (items[i].mark.line || check_is_used(loader->dialect, &items[i]) ||
            !check_is_named_anew(loader->dialect, &items[i]))
            items[kept++] = items[i];
    all->count = kept;
}

static void check_grants_named(struct dialect_loader *loader, size_t at,
                               const struct dialect_endpoint *endpoint)
{
    for (unsigned grant = GRANT_CLIENT_CREDENTIALS; grant < GRANTS; grant++)
        if ((endpoint->grants & GRANT_BIT(grant)) &&
            !check_names(loader->dialect, (enum grant_kind)grant))
            DIALECT_REFUSE(loader, endpoint->mark, "endpoints[%zu]: grants has none that is: %s",
                           at, dialect_grant_word(grant));
}

// A grant without the parameters that it is made of could never be had. Endpoints of the base were
// looked at with it.
static void check_grants_have(struct dialect_loader *loader)
{
    const struct dialect_endpoint *items = loader->dialect->endpoints.items;
    if (loader->base && items == loader->base->endpoints.items)
        return;
    for (size_t i = 0; i < loader->dialect->endpoints.count; i++) {
        check_grants_named(loader, i, &items[i]);
        for (size_t k = 0; k < CHECK_NEEDS; k++)
            if ((items[i].grants & GRANT_BIT(check_needs[k].grant)) &&
                !check_has(loader->dialect, check_needs[k].meaning))
                DIALECT_REFUSE(loader, items[i].mark,
                               "endpoints[%zu]: its grants need a parameter that is: %s", i,
                               dialect_meaning_word(check_needs[k].meaning));
    }
}

// With a parameter of the base it is this file's grants that do not fit: nothing else of the file
// could make it wrong.
static void check_alone(struct dialect_loader *loader, const struct dialect_parameter *parameter)
{
    const char *problem = check_parameter(loader, parameter);
    if (problem && parameter->mark.line)
        DIALECT_REFUSE(loader, parameter->mark, "parameters: \"%.*s\" %s",
                       STR_ARG(parameter->name), problem);
    else if (problem)
        DIALECT_REFUSE(loader, dialect_key_mark(loader, "grants"), "grants: %.*s's \"%.*s\" %s",
                       STR_ARG(loader->base->name), STR_ARG(parameter->name), problem);
}

// Extra ones have no meaning by which the file could say them anew.
static void check_refuse_inherited(struct dialect_loader *loader,
                                   const struct dialect_parameter *own,
                                   const struct dialect_parameter *inherited, const char *same)
{
    struct str base = loader->base->name;
    if (inherited->is == MEANING_EXTRA)
        DIALECT_REFUSE(loader, own->mark, "parameters: \"%.*s\" has the %s of %.*s's \"%.*s\"",
                       STR_ARG(own->name), same, STR_ARG(base), STR_ARG(inherited->name));
    else
        DIALECT_REFUSE(loader, own->mark,
                       "parameters: \"%.*s\" has the %s of %.*s's \"%.*s\": give that another one, "
                       "with a parameter that is: %s",
                       STR_ARG(own->name), same, STR_ARG(base), STR_ARG(inherited->name),
                       dialect_meaning_word(inherited->is));
}

// The file's own stand before those of the base.
static void check_beside(struct dialect_loader *loader, const struct dialect_parameter *later,
                         const struct dialect_parameter *earlier)
{
    const char *same = check_same(later, earlier);
    if (same && later->mark.line)
        DIALECT_REFUSE(loader, later->mark,
                       "parameters: \"%.*s\" has the %s of \"%.*s\" in line %u",
                       STR_ARG(later->name), same, STR_ARG(earlier->name), earlier->mark.line);
    else if (same)
        check_refuse_inherited(loader, earlier, later, same);
}

static void check_parameters(struct dialect_loader *loader)
{
    struct dialect *d = loader->dialect;
    const struct dialect_parameter *items = d->parameters.items;
    for (size_t i = 0; i < d->parameters.count; i++) {
        const struct dialect_parameter *each = &items[i];
        bool secret = check_is_credential(each);
        check_alone(loader, each);
        check_claim(loader, each);
        d->queries = d->queries || check_in(each, PLACE_QUERY);
        d->headers = d->headers || check_in(each, PLACE_HEADER);
        d->client_in_query = d->client_in_query || (secret && check_in(each, PLACE_QUERY));
        for (size_t k = 0; k < i; k++)
            check_beside(loader, each, &items[k]);
    }
    if (d->parameters.count > DIALECT_PARAMETERS_MAX)
        DIALECT_REFUSE(loader, items[0].mark, "parameters: more than %d with those of %.*s",
                       DIALECT_PARAMETERS_MAX, STR_ARG(loader->base->name));
}

// In an answer no word may come twice.
static void check_scope_order(struct dialect_loader *loader)
{
    struct dialect_scope *scope = &loader->dialect->scope;
    struct str sorted = STR_NONE;
    enum twoleg_error error =
        scope->order.ptr ? scope_normalise(loader->arena, scope->order, &sorted) : TWOLEG_NONE;
    if (error == TWOLEG_NO_MEMORY)
        loader->no_memory = true;
    else if (error || sorted.len != scope->order.len)
        DIALECT_REFUSE(loader, scope->mark,
                       "scope: order must be scopes with one blank between them, each once");
}

static void check_scope(struct dialect_loader *loader)
{
    struct dialect_scope *scope = &loader->dialect->scope;
    bool wanted = scope->omitted == SCOPE_DEFAULT;
    if (wanted != (scope->words.ptr != NULL))
        DIALECT_REFUSE(loader, scope->mark, "scope: %s",
                       wanted ? "omitted: default needs default, the words that are meant"
                              : "default stands there, but omitted is not default");
    if (!scope->words.ptr)
        return;
    enum twoleg_error error = scope_normalise(loader->arena, scope->words, &scope->words);
    if (error == TWOLEG_NO_MEMORY)
        loader->no_memory = true;
    else if (error)
        DIALECT_REFUSE(loader, scope->mark, "scope: default holds a word that is no scope");
}

void dialect_check_request(struct dialect_loader *loader)
{
    check_endpoints(loader);
    check_grants(loader);
    check_give_way(loader);
    check_parameters(loader);
    check_grants_have(loader);
    check_scope(loader);
    check_scope_order(loader);
}
