// SPDX-License-Identifier: Apache-2.0
// The tables of the registry alone: growth, removal, equal keys, and what a reader may still hold.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "registry/body.h"
#include "registry/id_set.h"
#include "registry/pointer_table.h"

struct entry {
    char before[8];
    uint64_t key;
};

static struct entry entries[1000];

static void fill(struct pointer_table *table, struct epoch *epoch)
{
    assert_int_equal(pointer_table_init(table, offsetof(struct entry, key)), TWOLEG_NONE);
    for (uint64_t i = 0; i < 1000; i++) {
        entries[i].key = i + 1;
        assert_int_equal(pointer_table_add(table, epoch, &entries[i]), TWOLEG_NONE);
    }
}

static void entries_are_found_until_they_are_removed(void **state)
{
    (void)state;
    struct pointer_table table;
    struct epoch epoch;
    epoch_init(&epoch);
    fill(&table, &epoch);
    for (uint64_t i = 0; i < 1000; i += 2)
        pointer_table_remove(&table, &entries[i]);
    pointer_table_remove(&table, &entries[0]);
    for (uint64_t i = 0; i < 1000; i++)
        assert_ptr_equal(pointer_table_find(&table, i + 1), i % 2 ? &entries[i] : NULL);
    assert_null(pointer_table_find(&table, 1001));
    assert_int_equal(table.live, 500);
    size_t at = 0;
    size_t seen = 0;
    while (pointer_table_each(&table, &at))
        seen++;
    assert_int_equal(seen, 500);
    pointer_table_finish(&table);
    epoch_finish(&epoch);
}

static void removed_places_do_not_fill_the_table(void **state)
{
    (void)state;
    struct pointer_table table;
    struct epoch epoch;
    epoch_init(&epoch);
    assert_int_equal(pointer_table_init(&table, offsetof(struct entry, key)), TWOLEG_NONE);
    for (uint64_t i = 0; i < 100000; i++) {
        struct entry *entry = &entries[i % 1000];
        entry->key = i + 1;
        assert_int_equal(pointer_table_add(&table, &epoch, entry), TWOLEG_NONE);
        assert_ptr_equal(pointer_table_find(&table, i + 1), entry);
        pointer_table_remove(&table, entry);
        assert_null(pointer_table_find(&table, i + 1));
        assert_true(table.used <= 64);
    }
    pointer_table_finish(&table);
    epoch_finish(&epoch);
}

static void equal_keys_are_all_found(void **state)
{
    (void)state;
    struct pointer_table table;
    struct epoch epoch;
    epoch_init(&epoch);
    assert_int_equal(pointer_table_init(&table, offsetof(struct entry, key)), TWOLEG_NONE);
    for (uint64_t i = 0; i < 200; i++) {
        entries[i].key = 7;
        assert_int_equal(pointer_table_add(&table, &epoch, &entries[i]), TWOLEG_NONE);
    }
    pointer_table_remove(&table, &entries[100]);
    struct pointer_search search = pointer_table_search(&table, 7);
    size_t seen = 0;
    for (struct entry *entry; (entry = pointer_search_next(&search)); seen++)
        assert_ptr_not_equal(entry, &entries[100]);
    assert_int_equal(seen, 199);
    pointer_table_finish(&table);
    epoch_finish(&epoch);
}

static void a_search_outlives_the_growth_of_its_table(void **state)
{
    (void)state;
    struct pointer_table table;
    struct epoch epoch;
    unsigned reader;
    epoch_init(&epoch);
    assert_true(epoch_register(&epoch, &reader));
    epoch_enter(&epoch, reader);
    assert_int_equal(pointer_table_init(&table, offsetof(struct entry, key)), TWOLEG_NONE);
    entries[0].key = 1;
    assert_int_equal(pointer_table_add(&table, &epoch, &entries[0]), TWOLEG_NONE);
    struct pointer_search search = pointer_table_search(&table, 1);
    for (uint64_t i = 1; i < 1000; i++) {
        entries[i].key = i + 1;
        assert_int_equal(pointer_table_add(&table, &epoch, &entries[i]), TWOLEG_NONE);
    }
    assert_true(epoch.retired_count > 0);
    assert_ptr_equal(pointer_search_next(&search), &entries[0]);
    assert_null(pointer_search_next(&search));
    epoch_leave(&epoch, reader);
    epoch_collect(&epoch);
    assert_int_equal(epoch.retired_count, 0);
    pointer_table_finish(&table);
    epoch_finish(&epoch);
}

static void without_memory_a_table_is_as_before(void **state)
{
    (void)state;
    struct pointer_table table;
    struct epoch epoch;
    epoch_init(&epoch);
    assert_int_equal(pointer_table_init(&table, offsetof(struct entry, key)), TWOLEG_NONE);
    size_t added = 0;
    fault_arm(FAULT_MEMORY, 1, true);
    while (added < 1000) {
        entries[added].key = added + 1;
        if (pointer_table_add(&table, &epoch, &entries[added]))
            break;
        added++;
    }
    fault_arm(FAULT_MEMORY, 0, false);
    assert_true(added > 0 && added < 64);
    for (uint64_t i = 0; i < added; i++)
        assert_ptr_equal(pointer_table_find(&table, i + 1), &entries[i]);
    assert_null(pointer_table_find(&table, added + 1));
    pointer_table_finish(&table);
    epoch_finish(&epoch);
}

static const struct siphash_key hash = {1, 2};

static void ids_stay_until_they_may_be_forgotten(void **state)
{
    (void)state;
    struct id_set set;
    struct epoch epoch;
    unsigned reader;
    epoch_init(&epoch);
    assert_true(epoch_register(&epoch, &reader));
    epoch_enter(&epoch, reader);
    assert_int_equal(id_set_init(&set, &epoch, &hash), TWOLEG_NONE);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(id_set_add(&set, (struct id_key){{i, 0}}, (int64_t)i), TWOLEG_NONE);
    // Readers may be in any of the cells that it outgrew.
    assert_true(epoch.retired_count >= 6);
    assert_int_equal(set.count, 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_true(id_set_has(&set, (struct id_key){{i, 0}}));
        assert_false(id_set_has(&set, (struct id_key){{i, 1}}));
    }
    id_set_purge(&set, 500);
    // 0 was never to be forgotten; 1 to 500 had until then.
    assert_true(id_set_has(&set, (struct id_key){{0, 0}}));
    assert_false(id_set_has(&set, (struct id_key){{500, 0}}));
    assert_true(id_set_has(&set, (struct id_key){{501, 0}}));
    assert_int_equal(set.count, 500);
    epoch_leave(&epoch, reader);
    id_set_finish(&set);
    epoch_finish(&epoch);
}

static enum twoleg_error add_part(struct id_set *set, uint64_t part)
{
    struct id_entry listed[ID_SET_MANY];
    for (uint64_t i = 0; i < ID_SET_MANY; i++) {
        struct id_key key = {{part, i < ID_SET_MANY - 1 ? i : i - 1}}; // the last one twice
        listed[i] = (struct id_entry){key, (int64_t)i};
    }
    return id_set_add_many(set, listed, ID_SET_MANY);
}

static void many_ids_at_once_are_as_good_as_one_by_one(void **state)
{
    (void)state;
    struct id_set set;
    struct epoch epoch;
    unsigned reader;
    epoch_init(&epoch);
    assert_true(epoch_register(&epoch, &reader));
    epoch_enter(&epoch, reader);
    assert_int_equal(id_set_init(&set, &epoch, &hash), TWOLEG_NONE);
    assert_int_equal(id_set_reserve(&set, 100 * ID_SET_MANY), TWOLEG_NONE);
    assert_int_equal(epoch.retired_count, 1);
    for (uint64_t part = 0; part < 100; part++)
        assert_int_equal(add_part(&set, part), TWOLEG_NONE);
    assert_int_equal(epoch.retired_count, 1); // what was reserved has sufficed
    assert_int_equal(set.count, 100 * (ID_SET_MANY - 1));
    assert_true(id_set_has(&set, (struct id_key){{99, 62}}));
    assert_false(id_set_has(&set, (struct id_key){{99, 63}}));
    id_set_purge(&set, ID_SET_MANY - 2); // the later time of the last one counts
    assert_int_equal(set.count, 100 * 2);
    assert_true(id_set_has(&set, (struct id_key){{7, 62}}));
    assert_true(id_set_has(&set, (struct id_key){{7, 0}})); // never
    assert_false(id_set_has(&set, (struct id_key){{7, 1}}));
    fault_arm(FAULT_MEMORY, 1, true);
    enum twoleg_error error = id_set_reserve(&set, 1000000);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_int_equal(error, TWOLEG_NO_MEMORY);
    assert_int_equal(set.count, 100 * 2);
    epoch_leave(&epoch, reader);
    id_set_finish(&set);
    epoch_finish(&epoch);
}

static void the_later_time_counts(void **state)
{
    (void)state;
    struct id_set set;
    struct epoch epoch;
    const struct id_key a = {{1, 1}};
    const struct id_key b = {{2, 2}};
    epoch_init(&epoch);
    assert_int_equal(id_set_init(&set, &epoch, &hash), TWOLEG_NONE);
    assert_int_equal(id_set_add(&set, a, 100), TWOLEG_NONE);
    assert_int_equal(id_set_add(&set, a, 50), TWOLEG_NONE);
    assert_int_equal(id_set_add(&set, b, 0), TWOLEG_NONE);
    assert_int_equal(id_set_add(&set, b, 50), TWOLEG_NONE);
    assert_int_equal(set.count, 2);
    id_set_purge(&set, 99);
    assert_true(id_set_has(&set, a));
    id_set_purge(&set, 1000);
    assert_false(id_set_has(&set, a));
    assert_true(id_set_has(&set, b));
    fault_arm(FAULT_MEMORY, 1, true);
    enum twoleg_error error = TWOLEG_NONE;
    for (uint64_t i = 0; i < 1000 && !error; i++)
        error = id_set_add(&set, (struct id_key){{i, 9}}, 0);
    fault_arm(FAULT_MEMORY, 0, false);
    assert_int_equal(error, TWOLEG_NO_MEMORY);
    assert_true(id_set_has(&set, b));
    id_set_finish(&set);
    epoch_finish(&epoch);
}

static void a_body_is_a_copy_of_its_own(void **state)
{
    (void)state;
    char id[] = "billing";
    char words[] = "a b";
    struct application_api api = {.api = 3, .requests = true, .scopes = {words, 3}};
    struct secret secret = {.number = 4, .label = {id, 4}, .slow_hash = STR_NONE};
    struct application application = {.number = 1,
                                      .client_id = {id, 7},
                                      .apis = &api,
                                      .api_count = 1,
                                      .secrets = &secret,
                                      .secret_count = 1};
    struct body *body = body_create(&application);
    assert_non_null(body);
    memset(id, 'x', 7);
    memset(words, 'x', 3);
    api.api = 99;
    assert_true(str_equal(body->application.client_id, STR("billing")));
    assert_true(str_equal(body->application.apis[0].scopes, STR("a b")));
    assert_int_equal(body->application.apis[0].api, 3);
    assert_true(str_equal(body->application.secrets[0].label, STR("bill")));
    assert_null(body->application.secrets[0].slow_hash.ptr);
    assert_null(body->application.name.ptr);
    body_destroy(body);
}

static void sieve_drops_the_oldest_that_is_not_hot(void **state)
{
    (void)state;
    struct body_list list = {0};
    struct body bodies[4] = {0};
    assert_null(body_list_victim(&list));
    for (size_t i = 0; i < 4; i++)
        body_list_add(&list, &bodies[i]);
    body_touch(&bodies[0]);
    body_touch(&bodies[0]);
    body_touch(&bodies[1]); // once: by whom it was loaded for
    assert_ptr_equal(body_list_victim(&list), &bodies[1]);
    body_list_remove(&list, &bodies[1]);
    assert_ptr_equal(body_list_victim(&list), &bodies[2]);
    body_list_remove(&list, &bodies[2]);
    assert_ptr_equal(body_list_victim(&list), &bodies[3]);
    body_list_remove(&list, &bodies[3]);
    // The hand is past the newest: it starts again at the oldest, whose mark it took.
    assert_ptr_equal(body_list_victim(&list), &bodies[0]);
    body_list_remove(&list, &bodies[0]);
    assert_int_equal(list.count, 0);
    assert_null(list.newest);
    assert_null(list.oldest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_until_they_are_removed),
        cmocka_unit_test(removed_places_do_not_fill_the_table),
        cmocka_unit_test(equal_keys_are_all_found),
        cmocka_unit_test(a_search_outlives_the_growth_of_its_table),
        cmocka_unit_test(without_memory_a_table_is_as_before),
        cmocka_unit_test(ids_stay_until_they_may_be_forgotten),
        cmocka_unit_test(many_ids_at_once_are_as_good_as_one_by_one),
        cmocka_unit_test(the_later_time_counts),
        cmocka_unit_test(a_body_is_a_copy_of_its_own),
        cmocka_unit_test(sieve_drops_the_oldest_that_is_not_hot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
