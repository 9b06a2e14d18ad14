// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/verb.h"

// The budget's text, which must live until the statement's end.
struct application_budget_text {
    char memory[BUDGET_TEXT_MAX];
};

static struct str application_budget_text(struct application_budget_text *text,
                                          const struct budget *budget)
{
    struct buf out;
    buf_init(&out, text->memory, sizeof text->memory);
    budget_format(&out, budget);
    return buf_str(&out);
}

static enum twoleg_error application_insert(struct round *round,
                                            const struct application *application)
{
    struct statement add = statement_begin(round->database, SQL_APPLICATION_ADD);
    statement_number(&add, application->number);
    statement_number(&add, application->account);
    statement_text(&add, application->client_id);
    statement_text(&add, application->name);
    statement_int(&add, application->state.status);
    statement_number(&add, application->state.generation);
    statement_int(&add, application->format);
    statement_int(&add, application->ttl_us);
    statement_int(&add, round->now_us);
    struct application_budget_text budget;
    statement_text(&add, application_budget_text(&budget, &application->budget));
    statement_int(&add, application->budget.mode);
    statement_int(&add, application->grants >> GRANT_CLIENT_CREDENTIALS);
    statement_text(&add, application->dialects.ptr ? application->dialects : STR(""));
    return statement_run(&add);
}

enum twoleg_error verb_application_create(struct round *round, const struct store_verb *verb)
{
    const struct application *application = verb->application;
    if (verb->account != STORE_OPERATOR && verb->account != application->account)
        return TWOLEG_NOT_FOUND;
    if (application->state.status == STATUS_DELETED)
        return TWOLEG_RANGE;
    struct verb_entity head = {application->number, application->account, 1,
                               application->state};
    bool first;
    enum twoleg_error error = application_insert(round, application);
    if (!error)
        error = round_touch(round, head.number, head.version, 0, &first);
    for (size_t i = 0; i < application->api_count && !error; i++)
        error = verb_application_api_add(round, verb->account, &head, &application->apis[i]);
    for (size_t i = 0; i < application->secret_count && !error; i++)
        error = verb_secret_add(round, &head, &application->secrets[i]);
    return error ? error : verb_entity_changed(round, ENTITY_APPLICATION, head.number);
}

void verb_bind_text(struct statement *update, bool given, struct str value)
{
    if (given)
        statement_text(update, value);
    else
        statement_null(update);
}

void verb_bind_field(struct statement *update, bool given, int64_t value)
{
    if (given)
        statement_int(update, value);
    else
        statement_null(update);
}

enum twoleg_error verb_application_update(struct round *round, const struct store_verb *verb)
{
    uint64_t number = verb->update.number;
    unsigned fields = verb->update.fields;
    // Deleting has a verb of its own, which buries the rest too.
    if ((fields & FIELD_STATUS) && verb->update.status == STATUS_DELETED)
        return TWOLEG_RANGE;
    struct verb_entity head;
    enum twoleg_error error = verb_entity_touch(round, ENTITY_APPLICATION, number, verb, &head);
    if (error)
        return error;
    fields = verb_entity_fields(&head, fields, verb->update.status);
    uint64_t generation = verb_entity_generation(&head, verb->update.generation);
    struct statement update = statement_begin(round->database, SQL_APPLICATION_UPDATE);
    statement_number(&update, number);
    verb_bind_text(&update, fields & FIELD_NAME, verb->update.name);
    verb_bind_field(&update, fields & FIELD_STATUS, verb->update.status);
    verb_bind_field(&update, fields & FIELD_GENERATION, (int64_t)generation);
    verb_bind_field(&update, fields & FIELD_FORMAT, verb->update.format);
    verb_bind_field(&update, fields & FIELD_TTL, verb->update.ttl_us);
    struct application_budget_text budget;
    verb_bind_text(&update, fields & FIELD_BUDGET,
                   application_budget_text(&budget, &verb->update.budget));
    verb_bind_field(&update, fields & FIELD_BUDGET_MODE, verb->update.budget.mode);
    verb_bind_field(&update, fields & FIELD_GRANTS,
                    verb->update.grants >> GRANT_CLIENT_CREDENTIALS);
    verb_bind_text(&update, fields & FIELD_DIALECTS, verb->update.dialects);
    error = statement_run(&update);
    if (fields & FIELD_GENERATION)
        round->revocations.left = ROUND_SWEEPS; // of the earlier one none is needed any more
    return error ? error : verb_entity_changed(round, ENTITY_APPLICATION, number);
}

enum twoleg_error verb_application_delete(struct round *round, const struct store_verb *verb)
{
    uint64_t number = verb->number;
    uint64_t now = (uint64_t)round->now_us;
    struct verb_entity head;
    enum twoleg_error error = verb_entity_touch(round, ENTITY_APPLICATION, number, verb, &head);
    if (!error)
        error = verb_simple_two(round, SQL_APPLICATION_BURY, number, now);
    if (!error)
        error = verb_simple_two(round, SQL_SECRET_CLEAR, number, now);
    if (!error)
        error = verb_simple(round, SQL_APPLICATION_SCOPE_CLEAR, number);
    if (!error)
        error = verb_simple(round, SQL_APPLICATION_API_CLEAR, number);
    // The number is dead for ever: what singles out some of its tokens has nothing left to say.
    if (!error)
        error = verb_simple(round, SQL_CREDENTIAL_CLEAR, number);
    // Its tokens may be millions, and its revocations many: they leave in slices.
    round->tokens.left = round->revocations.left = ROUND_SWEEPS;
    return error ? error : verb_entity_changed(round, ENTITY_APPLICATION, number);
}
