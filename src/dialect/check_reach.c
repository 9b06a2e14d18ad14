// SPDX-License-Identifier: Apache-2.0
// Endpoints that nobody could use: what a grant needs must have a way in.
#include "dialect/inside.h"
#include "dialect/schema.h"

static bool reach_needs(const struct dialect *dialect, const struct dialect_parameter *parameter,
                        enum grant_kind grant)
{
    if (parameter->required && !parameter->fallback.ptr)
        return true;
    switch ((enum dialect_meaning)parameter->is) {
    case MEANING_GRANT_TYPE: // its default is client_credentials
        return !parameter->fallback.ptr || grant != GRANT_CLIENT_CREDENTIALS;
    case MEANING_CLIENT_ID:
    case MEANING_CLIENT_SECRET:
        return !(dialect->client.methods & DIALECT_BASIC);
    case MEANING_USERNAME:
    case MEANING_PASSWORD:
        return grant == GRANT_PASSWORD;
    case MEANING_REFRESH_TOKEN:
        return grant == GRANT_REFRESH_TOKEN;
    default:
        return false;
    }
}

static bool reach_comes(const struct dialect_parameter *parameter, bool body)
{
    const unsigned *places = parameter->in.items;
    for (size_t i = 0; i < parameter->in.count; i++)
        if (places[i] != PLACE_BODY || body)
            return true;
    return false;
}

// What a request with or without a body lacks; NULL: nothing.
static const struct dialect_parameter *reach_lacks(const struct dialect *dialect,
                                                   enum grant_kind grant, bool body)
{
    const struct dialect_parameter *items = dialect->parameters.items;
    for (size_t i = 0; i < dialect->parameters.count; i++)
        if (reach_needs(dialect, &items[i], grant) && !reach_comes(&items[i], body))
            return &items[i];
    return NULL;
}

// Endpoints of the base were looked at with it, but for what this file says of their requests.
static struct config_mark reach_mark(const struct dialect_loader *loader)
{
    static const char *const keys[] = {"bodies", "parameters", "client"};
    struct config_mark mark = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !mark.line; i++)
        mark = dialect_key_mark(loader, keys[i]);
    return mark;
}

static void reach_refuse(struct dialect_loader *loader, struct config_mark mark,
                         const struct dialect_endpoint *endpoint, enum grant_kind grant,
                         const struct dialect_parameter *lacking)
{
    DIALECT_REFUSE(loader, mark,
                   "endpoints: nobody can ask for %s at \"%.*s\": \"%.*s\" is read from the body, "
                   "and %s",
                   dialect_grant_word(grant), STR_ARG(endpoint->path), STR_ARG(lacking->name),
                   endpoint->methods & HTTP_POST ? "bodies reads none" : "GET has none");
}

// Of one's own each grant must be within reach, of one of the base's any.
static void reach_look(struct dialect_loader *loader, const struct dialect_endpoint *endpoint,
                       bool own, struct config_mark mark)
{
    const unsigned read = BODY_FORM | BODY_JSON | BODY_JSON_AS_FORM | BODY_FORM_AS_JSON;
    const struct dialect *d = loader->dialect;
    const struct dialect_parameter *lacking = NULL;
    enum grant_kind grant = GRANTS;
    bool body = (endpoint->methods & HTTP_POST) && (d->bodies & read);
    for (unsigned each = GRANTS; each-- > GRANT_CLIENT_CREDENTIALS;) {
        const struct dialect_parameter *lacks = reach_lacks(d, (enum grant_kind)each, body);
        if (!(endpoint->grants & GRANT_BIT(each)))
            continue;
        if (!lacks && !own)
            return;
        grant = lacks ? (enum grant_kind)each : grant;
        lacking = lacks ? lacks : lacking;
    }
    if (lacking)
        reach_refuse(loader, mark, endpoint, grant, lacking);
}

void dialect_check_reach(struct dialect_loader *loader)
{
    const struct dialect *d = loader->dialect;
    const struct dialect_endpoint *items = d->endpoints.items;
    bool own = !loader->base || items != loader->base->endpoints.items;
    for (size_t i = 0; i < d->endpoints.count; i++) {
        struct config_mark mark = own ? items[i].mark : reach_mark(loader);
        if (mark.line)
            reach_look(loader, &items[i], own, mark);
    }
}
