// SPDX-License-Identifier: Apache-2.0
// Readers without locks while a writer changes, grows, deletes and re-creates: what was
// acknowledged before a look-up began must be seen by it. Run under ThreadSanitizer too.
#include "registry_test.h"

#define READERS 3
#define ROUNDS 150
#define GROWN 600
#define HOT 50     // its generation is raised in each round
#define RENEWED 51 // "renewed" is deleted and created again with the next number

struct race {
    struct test_registry *on;
    atomic_bool stop;
    _Atomic uint64_t generation; // of HOT, acknowledged
    _Atomic uint64_t deleted;    // numbers of "renewed" up to this one are acknowledged as deleted
    _Atomic uint64_t revoked;    // tokens 1 to this one are revoked
    _Atomic uint64_t grown;      // applications "grown-1" to this one are there
    _Atomic unsigned wrong;
};

static struct token_id race_token(uint64_t number)
{
    struct token_id id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

#define RACE(race, holds) \
    do { \
        if (!(holds)) { \
            fprintf(stderr, "line %d: not " #holds "\n", __LINE__); \
            atomic_fetch_add(&(race)->wrong, 1); \
        } \
    } while (0)

static void race_load(struct race *race, unsigned reader, uint64_t number)
{
    struct test_job job = {.done = false};
    // A parked request holds nothing.
    epoch_leave(&race->on->epoch, reader);
    if (registry_load(race->on->registry, number, &job.job) == TWOLEG_NONE)
        (void)test_job_wait(&job);
    epoch_enter(&race->on->epoch, reader);
}

static void race_read_hot(struct race *race, unsigned reader)
{
    struct registry_view view;
    uint64_t acknowledged = atomic_load(&race->generation);
    enum twoleg_error error = registry_client(race->on->registry, STR("hot"), &view);
    RACE(race, error == TWOLEG_NONE || error == TWOLEG_WAIT);
    RACE(race, view.number == HOT && view.state.generation >= acknowledged);
    if (error == TWOLEG_WAIT) {
        race_load(race, reader, HOT);
        return;
    }
    RACE(race, view.body->state.generation >= acknowledged);
    RACE(race, str_equal(view.body->client_id, STR("hot")));
    RACE(race, view.body->secret_count == 1 && view.body->secrets[0].number == HOT + 1000);
}

static void race_read_renewed(struct race *race, unsigned reader)
{
    struct registry_view view;
    uint64_t deleted = atomic_load(&race->deleted);
    enum twoleg_error error = registry_client(race->on->registry, STR("renewed"), &view);
    if (error == TWOLEG_CLIENT_UNKNOWN)
        return; // between its deletion and its creation
    RACE(race, view.number > deleted);
    if (error == TWOLEG_NONE)
        RACE(race, view.body->number == view.number);
    else
        race_load(race, reader, view.number);
    if (deleted)
        RACE(race, registry_application(race->on->registry, deleted, &view) == TWOLEG_NOT_FOUND);
}

static void race_read_grown(struct race *race, unsigned turn)
{
    struct registry_view view;
    uint64_t grown = atomic_load(&race->grown);
    uint64_t number = grown ? 1 + turn % grown : 0;
    if (!number)
        return;
    char id[32];
    snprintf(id, sizeof id, "grown-%llu", (unsigned long long)number);
    enum twoleg_error error = registry_client(race->on->registry, str_from(id), &view);
    RACE(race, error == TWOLEG_NONE || error == TWOLEG_WAIT);
    RACE(race, view.number == 100000 + number);
    uint64_t revoked = atomic_load(&race->revoked);
    struct token_id token = race_token(revoked ? 1 + turn % revoked : 0);
    RACE(race, registry_token_revoked(race->on->registry, &token) == (revoked > 0));
    RACE(race, registry_apis(race->on->registry)->count >= 1);
}

static void *race_read(void *argument)
{
    struct race *race = argument;
    unsigned reader;
    if (!epoch_register(&race->on->epoch, &reader))
        return NULL;
    epoch_enter(&race->on->epoch, reader);
    for (unsigned turn = 0; !atomic_load(&race->stop); turn++) {
        race_read_hot(race, reader);
        race_read_renewed(race, reader);
        race_read_grown(race, turn);
        epoch_enter(&race->on->epoch, reader);
    }
    epoch_leave(&race->on->epoch, reader);
    return NULL;
}

static void race_raise(struct race *race, uint64_t generation)
{
    struct store_verb verb = {0};
    verb.update.number = HOT;
    verb.update.fields = FIELD_GENERATION;
    verb.update.generation = generation;
    assert_int_equal(test_one(race->on->test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb),
                     TWOLEG_NONE);
    atomic_store(&race->generation, generation);
}

static void race_grow(struct race *race, uint64_t from, uint64_t to)
{
    for (uint64_t number = from; number <= to; number++) {
        char id[32];
        snprintf(id, sizeof id, "grown-%llu", (unsigned long long)number);
        assert_int_equal(test_make_application(race->on->test, 100000 + number, id), TWOLEG_NONE);
        struct store_verb verb = {0};
        verb.revoke.id = race_token(number);
        verb.revoke.application = HOT;
        verb.revoke.expires_s = TEST_NOW / SECOND_US + 1000000;
        assert_int_equal(test_one(race->on->test, VERB_TOKEN_REVOKE, STORE_OPERATOR, &verb),
                         TWOLEG_NONE);
        atomic_store(&race->grown, number);
        atomic_store(&race->revoked, number);
    }
}

static void readers_see_what_was_acknowledged(void **state)
{
    struct race race = {.on = *state};
    struct test_registry *on = race.on;
    registry_close(on);
    registry_open(on, 1); // evicts all the time
    pthread_t readers[READERS];
    assert_int_equal(test_make_application(on->test, HOT, "hot"), TWOLEG_NONE);
    assert_int_equal(test_make_application(on->test, RENEWED, "renewed"), TWOLEG_NONE);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, race_read, &race), 0);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        race_raise(&race, 100 + round);
        assert_int_equal(registry_test_delete(on->test, RENEWED + round), TWOLEG_NONE);
        atomic_store(&race.deleted, RENEWED + round);
        assert_int_equal(test_make_application(on->test, RENEWED + round + 1, "renewed"),
                         TWOLEG_NONE);
        race_grow(&race, round * GROWN / ROUNDS + 1, (round + 1) * GROWN / ROUNDS);
        if (round % 16 == 0)
            registry_purge(on->registry, TEST_NOW / SECOND_US);
    }
    atomic_store(&race.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&race.wrong), 0);
    struct registry_figures figures = registry_figures(on->registry);
    assert_int_equal(figures.applications, GROWN + 2);
    assert_int_equal(figures.revocations, GROWN);
    assert_true(figures.loads > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_see_what_was_acknowledged, registry_setup,
                                        registry_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
