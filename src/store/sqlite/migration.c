// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/migration.h"

#include <stdio.h>
#include <unistd.h>

#include "store/sqlite/copy.h"

#define SCHEMA_TEXT_(number) #number
#define SCHEMA_TEXT(number) SCHEMA_TEXT_(number)

static const struct migration_step migration_steps[] = {
#define SCHEMA(number, text) {number, text},
#include "store/schema.def"
#undef SCHEMA
};

const struct migration_plan migration_plan = {
    migration_steps, sizeof migration_steps / sizeof migration_steps[0]};

enum twoleg_error migration_check(struct database *database, const struct migration_plan *plan,
                               unsigned *ret_version, char ret_reason[static 256])
{
    int64_t tables = database_ask(database, "SELECT count(*) FROM sqlite_schema");
    int64_t id = database_ask(database, "PRAGMA application_id");
    if (tables < 0 || id < 0)
        return database_explain(database, sqlite3_extended_errcode(database->db), ret_reason);
    if (tables == 0 && id == 0) {
        *ret_version = 0;
        return TWOLEG_NONE;
    }
    if (id != DATABASE_APPLICATION_ID) {
        snprintf(ret_reason, 256, "is not a twoleg store");
        return TWOLEG_REFUSED;
    }
    int64_t needed = database_ask(database, "SELECT max(version) FROM schema_version");
    int64_t reached = database_ask(database, "PRAGMA user_version");
    if (needed < 1 || reached < 0)
        return database_explain(database, sqlite3_extended_errcode(database->db), ret_reason);
    if (needed > plan->steps[plan->count - 1].version) {
        snprintf(ret_reason, 256,
                 "was written by a newer twoleg (schema %lld; this one knows schema %u): "
                 "use that release, or restore a backup from before",
                 (long long)needed, plan->steps[plan->count - 1].version);
        return TWOLEG_REFUSED;
    }
    // The first release left no user_version.
    *ret_version = (unsigned)(reached > needed ? reached : needed);
    return TWOLEG_NONE;
}

// Part of the step's transaction, as all that lies in the file.
static enum twoleg_error migration_note(struct database *database, unsigned version)
{
    char sql[48];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %u", version);
    return database_execute(database, sql);
}

static enum twoleg_error migration_step_run(struct database *database,
                                            const struct migration_step *step)
{
    enum twoleg_error error = database_execute(database, "BEGIN IMMEDIATE");
    if (!error && step->version == 1)
        error = database_execute(
            database, "PRAGMA application_id = " SCHEMA_TEXT(DATABASE_APPLICATION_ID));
    if (!error)
        error = database_execute(database, step->sql);
    if (!error)
        error = migration_note(database, step->version);
    if (!error)
        error = database_execute(database, "COMMIT");
    if (error)
        database_rollback(database);
    return error;
}

static enum twoleg_error migration_keep(struct database *database, const struct folder *folder,
                                     unsigned version, char ret_reason[static 256])
{
    char name[32];
    char path[PATH_MAX];
    char reason[COPY_REASON] = "the name is too long";
    enum twoleg_error error = TWOLEG_TOO_LONG;
    // One that is there comes from a migration that was cut short: older than what is copied now.
    snprintf(name, sizeof name, "before-%03u.db.tmp", version + 1);
    unlinkat(folder->fd, name, 0);
    snprintf(name, sizeof name, "before-%03u.db", version + 1);
    unlinkat(folder->fd, name, 0);
    if (folder_join(folder, name, path))
        error = copy_out(database, path, reason);
    if (error)
        snprintf(ret_reason, 256, "cannot be copied before its migration: %.200s", reason);
    return error;
}

enum twoleg_error migration_run(struct database *database, const struct folder *folder,
                                 const struct migration_plan *plan, unsigned version,
                                 char ret_reason[static 256])
{
    unsigned last = plan->steps[plan->count - 1].version;
    bool kept = version > 0 && version < last; // an empty one has nothing to be kept
    enum twoleg_error error =
        kept ? migration_keep(database, folder, version, ret_reason) : TWOLEG_NONE;
    for (unsigned i = 0; i < plan->count && !error; i++) {
        if (plan->steps[i].version <= version)
            continue;
        error = migration_step_run(database, &plan->steps[i]);
        if (error)
            snprintf(ret_reason, 256, "cannot take schema %u: %s", plan->steps[i].version,
                     sqlite3_errmsg(database->db));
    }
    if (kept && !error)
        snprintf(ret_reason, 256, "was brought from schema %u to %u; before-%03u.db beside it is "
                 "what it was before", version, last, version + 1);
    return error;
}
