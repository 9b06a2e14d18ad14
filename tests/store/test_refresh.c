// SPDX-License-Identifier: Apache-2.0
// Verbs on families of refresh tokens, and what reads then say.
#include "refresh_test.h"

static void a_family_is_found_by_its_number(void **state)
{
    struct test_store *test = *state;
    struct refresh_family made = family_of(UINT64_MAX);
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    size_t told = test->told.count;
    assert_null(find(test, UINT64_MAX));
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    assert_int_equal(test->told.count, told); // nobody keeps it
    for (int life = 0; life < 2; life++) {
        struct refresh_family *family = find(test, UINT64_MAX);
        assert_non_null(family);
        assert_true(family->number == UINT64_MAX && family->application == 11);
        assert_true(family->account == ACCOUNT_DEFAULT && family->user == ANN);
        assert_true(family->generation == 5 && family->user_generation == 5);
        assert_true(family->epoch == UINT32_MAX && family->key == UINT32_MAX);
        assert_true(family->api == TEST_API && !family->has_previous);
        test_assert_str(family->scope, "sms");
        assert_memory_equal(&family->current, &made.current, sizeof made.current);
        assert_int_equal(family->rotated_us, TEST_NOW - 1); // not the batch's time
        assert_int_equal(family->idle_us, TEST_NOW + HOUR);
        assert_int_equal(family->expires_us, TEST_NOW + 2 * HOUR);
        assert_int_equal(family->tokens_until_s, TEST_NOW / SECOND_US + 600);
        assert_int_equal(family->credential, 1011);
        test_close(test);
        test_open(test);
    }
}

// RFC 9700 section 4.14.2: one compare-and-set. Of two with the same token one is too late.
static void rfc9700_4_14_2_a_token_is_rotated_once(void **state)
{
    struct test_store *test = *state;
    struct refresh_family made = family_of(1);
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    assert_int_equal(rotate(test, 1, 1, 2), TWOLEG_NONE);
    assert_int_equal(rotate(test, 1, 1, 3), TWOLEG_VERSION_CONFLICT);
    assert_int_equal(rotate(test, 2, 1, 3), TWOLEG_VERSION_CONFLICT); // no such family
    struct refresh_family *family = find(test, 1);
    struct sha256 first = hash_of(1), second = hash_of(2);
    assert_true(family->has_previous && family->key == 4);
    assert_memory_equal(&family->previous, &first, sizeof first);
    assert_memory_equal(&family->current, &second, sizeof second);
    assert_int_equal(family->rotated_us, TEST_NOW - 2);
    assert_int_equal(family->idle_us, TEST_NOW + HOUR + 1);
    assert_int_equal(family->expires_us, TEST_NOW + 2 * HOUR); // use does not put it off
    assert_int_equal(rotate(test, 1, 2, 3), TWOLEG_NONE);
    assert_memory_equal(&find(test, 1)->previous, &second, sizeof second);
}

// With the tokens of a secret the logins end that it has now. Whoever has found one of them good a
// moment before does not take it over with another secret.
static void G1_a_family_leaves_no_secret_whose_tokens_were_revoked(void **state)
{
    struct test_store *test = *state;
    struct store_verb revoke = {.number = 1011};
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    for (uint64_t number = 1; number <= 2; number++) {
        struct refresh_family made = family_of(number);
        assert_int_equal(add(test, &made), TWOLEG_NONE);
    }
    assert_int_equal(rotate(test, 1, 1, 2), TWOLEG_NONE);
    assert_true(find(test, 1)->credential == UINT64_MAX);
    assert_int_equal(test_one(test, VERB_CREDENTIAL_REVOKE, ACCOUNT_DEFAULT, &revoke),
                     TWOLEG_NONE);
    assert_int_equal(rotate(test, 2, 2, 3), TWOLEG_VERSION_CONFLICT);
    assert_int_equal(find(test, 2)->credential, 1011);
    assert_int_equal(rotate(test, 1, 2, 3), TWOLEG_NONE); // the other secret's, all the same
}

// Another access token came with a refresh token that is good still: what is known only grows.
static void rfc7009_2_1_a_later_access_token_is_noted(void **state)
{
    struct test_store *test = *state;
    struct refresh_family made = family_of(1);
    const int64_t until_s = made.tokens_until_s;
    struct store_verb note = {.rotate = {.family = 1, .current = hash_of(1)}};
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    for (int more = -1; more <= 1; more++) {
        note.rotate.tokens_until_s = until_s + more;
        assert_int_equal(test_one(test, VERB_REFRESH_NOTE, ACCOUNT_DEFAULT, &note), TWOLEG_NONE);
        assert_int_equal(find(test, 1)->tokens_until_s, until_s + (more > 0));
    }
    assert_int_equal(rotate(test, 1, 1, 2), TWOLEG_NONE);
    note.rotate.tokens_until_s = until_s + 2;
    assert_int_equal(test_one(test, VERB_REFRESH_NOTE, ACCOUNT_DEFAULT, &note),
                     TWOLEG_VERSION_CONFLICT);
    assert_int_equal(find(test, 1)->tokens_until_s, until_s + 1);
    note.rotate.current = hash_of(2);
    for (int alone = 1; alone >= 0; alone--) {
        assert_int_equal(end_family(test, 1, alone), TWOLEG_NONE);
        assert_int_equal(test_one(test, VERB_REFRESH_NOTE, ACCOUNT_DEFAULT, &note),
                         TWOLEG_VERSION_CONFLICT);
    }
}

static void what_was_changed_meanwhile_begins_no_family(void **state)
{
    struct test_store *test = *state;
    struct store_verb act = {.update = {.number = 11, .fields = FIELD_GENERATION,
                                        .generation = 6}};
    struct refresh_family made = family_of(1);
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    made.user_generation = 6;
    assert_int_equal(add(test, &made), TWOLEG_VERSION_CONFLICT);
    assert_int_equal(update_user(test, ANN, FIELD_GENERATION, STATUS_ACTIVE, 6), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &act), TWOLEG_NONE);
    made.number = 2;
    assert_int_equal(add(test, &made), TWOLEG_VERSION_CONFLICT);
    made.generation = 6;
    made.user = 99;
    assert_int_equal(add(test, &made), TWOLEG_VERSION_CONFLICT);
    act = (struct store_verb){.number = 11};
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &act), TWOLEG_NONE);
    made.user = ANN;
    assert_int_equal(add(test, &made), TWOLEG_VERSION_CONFLICT);
    assert_null(find(test, 2));
}

static void families_end_with_what_they_came_from(void **state)
{
    struct test_store *test = *state;
    struct refresh_family made;
    struct store_verb gone = {.number = ANN};
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    for (uint64_t number = 1; number <= 3; number++) {
        made = family_of(number);
        assert_int_equal(add(test, &made), TWOLEG_NONE);
    }
    assert_int_equal(end_family(test, 1, false), TWOLEG_NONE);
    assert_int_equal(end_family(test, 1, false), TWOLEG_NONE);
    assert_int_equal(count(test, 1, 3), 2);
    assert_int_equal(update_user(test, ANN, FIELD_STATUS, STATUS_DISABLED, 0), TWOLEG_NONE);
    assert_int_equal(count(test, 1, 3), 2); // --keep-tokens may enable it again
    assert_int_equal(update_user(test, ANN, FIELD_PASSWORD | FIELD_GENERATION, STATUS_ACTIVE, 8),
                     TWOLEG_NONE);
    assert_int_equal(count(test, 1, 3), 0);
    made.user_generation = 8;
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_USER_DELETE, STORE_OPERATOR, &gone), TWOLEG_NONE);
    assert_int_equal(count(test, 1, 3), 0);
}

static enum twoleg_error set_grants(struct test_store *test, uint64_t application, unsigned grants)
{
    struct store_verb verb = {.update = {.number = application, .fields = FIELD_GRANTS,
                                         .grants = grants}};
    return test_one(test, VERB_APPLICATION_UPDATE, STORE_OPERATOR, &verb);
}

// The application no longer may refresh: what it holds must not wake when it may again.
static void rfc6749_6_families_end_for_good_with_the_grant(void **state)
{
    struct test_store *test = *state;
    static const unsigned without[] = {GRANTS_DEFAULT, GRANT_BIT(GRANT_PASSWORD)};
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    struct refresh_family other = family_of(9);
    other.application = 12;
    assert_int_equal(add(test, &other), TWOLEG_NONE);
    for (unsigned i = 0; i < sizeof without / sizeof *without; i++) {
        struct refresh_family made = family_of(1 + i), late = family_of(5);
        assert_int_equal(add(test, &made), TWOLEG_NONE);
        assert_int_equal(set_grants(test, 11, TEST_GRANTS & ~GRANTS_DEFAULT), TWOLEG_NONE);
        assert_true(find(test, 1 + i)->idle_us > 0); // it still has the grant
        assert_int_equal(set_grants(test, 11, without[i]), TWOLEG_NONE);
        assert_int_equal(find(test, 1 + i)->idle_us, 0);
        // Granted before, and late: it would be asleep until the grant is given back.
        assert_int_equal(add(test, &late), TWOLEG_VERSION_CONFLICT);
        assert_int_equal(set_grants(test, 11, TEST_GRANTS), TWOLEG_NONE);
        assert_int_equal(find(test, 1 + i)->idle_us, 0);
        assert_int_equal(rotate(test, 1 + i, 1 + i, 20), TWOLEG_VERSION_CONFLICT);
    }
    assert_true(find(test, 9)->idle_us > 0); // of another application
    struct refresh_family next = family_of(4);
    assert_int_equal(add(test, &next), TWOLEG_NONE);
    assert_int_equal(rotate(test, 4, 4, 20), TWOLEG_NONE);
    assert_true(find(test, 4)->idle_us > 0);
}

// RFC 7009 section 2.1: the end of a family is told, and kept as long as one of its tokens lives.
static void rfc7009_2_1_the_end_of_a_family_is_kept_for_its_access_tokens(void **state)
{
    struct test_store *test = *state;
    const int64_t now_s = TEST_NOW / SECOND_US;
    // One that is not rotated; that once had a longer life; that once had none to end.
    const int64_t until_s[] = {now_s + 700, now_s + 100, REFRESH_TOKENS_LASTING};
    const int64_t kept_s[] = {now_s + 700, now_s + 600, 0};
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    for (unsigned i = 0; i < 3; i++) {
        struct refresh_family made = family_of(1 + i);
        int64_t found_s = -1;
        assert_int_equal(add(test, &made), TWOLEG_NONE);
        assert_int_equal(rotate_until(test, made.number, 1 + i, 50 + i, until_s[i]), TWOLEG_NONE);
        assert_int_equal(rotate_until(test, made.number, 50 + i, 60 + i, 1), TWOLEG_NONE);
        size_t told = test->told.count;
        assert_int_equal(end_family(test, made.number, false), TWOLEG_NONE);
        assert_int_equal(test->told.count, told + 1);
        assert_int_equal(test->told.changes[told].kind, CHANGE_REVOCATION);
        assert_int_equal(ended(test, made.number, &found_s), 1);
        assert_int_equal(found_s, kept_s[i]);
        assert_int_equal(end_family(test, made.number, false), TWOLEG_NONE);
        assert_int_equal(test->told.count, told + 1); // it is over
    }
    test_close(test);
    test_open(test);
    int64_t kept = -1;
    assert_int_equal(ended(test, 3, &kept), 1);
    // It went, as the oldest of too many, while it was to be ended.
    assert_int_equal(end_found(test, 8, false, now_s + 50), TWOLEG_NONE);
    assert_int_equal(ended(test, 8, &kept), 1);
    assert_int_equal(kept, now_s + 50);
    // Of a family from before schema 6 no token says that it is of it.
    struct refresh_family old = family_of(9);
    old.tokens_until_s = 0;
    assert_int_equal(add(test, &old), TWOLEG_NONE);
    assert_int_equal(end_family(test, 9, false), TWOLEG_NONE);
    assert_int_equal(ended(test, 9, &kept), 0);
    assert_null(find(test, 9));
}

// The limit holds for the ends of families as well; but a family ends, if alone.
static void rfc7009_2_1_where_no_more_is_revoked_a_family_ends_alone(void **state)
{
    struct test_store *test = *state;
    struct refresh_family made = family_of(1), dead = family_of(2);
    int64_t kept;
    dead.tokens_until_s = 2;
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    assert_int_equal(add(test, &dead), TWOLEG_NONE);
    test_revoke_many(test, 0, REVOCATIONS_PER_APPLICATION, TEST_NOW, TEST_NOW / SECOND_US + 100);
    assert_int_equal(end_family(test, 1, false), TWOLEG_LIMIT);
    assert_non_null(find(test, 1)); // all or nothing
    assert_int_equal(end_family(test, 1, true), TWOLEG_NONE);
    assert_true(refresh_family_is_buried(find(test, 1)));
    assert_int_equal(ended(test, 1, &kept), 0);
    assert_int_equal(end_family(test, 2, false), TWOLEG_NONE); // its tokens are dead without it
    assert_null(find(test, 2));
    assert_int_equal(ended(test, 2, &kept), 0);
}

// A token of a request that waited lives a little longer than was noted: it is not taken for dead.
static void rfc7009_2_1_access_tokens_are_dead_when_the_last_that_may_be_has_expired(void **state)
{
    struct test_store *test = *state;
    const int64_t dead_us = TEST_NOW + (600 + REFRESH_OUTLIVES_S) * SECOND_US;
    struct refresh_family made = family_of(1);
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    test_revoke_many(test, 0, REVOCATIONS_PER_APPLICATION, TEST_NOW, 0);
    assert_int_equal(end_at(test, 1, TEST_NOW + 601 * SECOND_US), TWOLEG_LIMIT);
    assert_int_equal(end_at(test, 1, dead_us - 1), TWOLEG_LIMIT);
    assert_non_null(find(test, 1));
    assert_int_equal(end_at(test, 1, dead_us), TWOLEG_NONE);
    assert_null(find(test, 1));
}

static void of_a_deleted_application_a_family_ends_too(void **state)
{
    struct test_store *test = *state;
    struct refresh_family made = family_of(1);
    struct store_verb gone = {.number = 11};
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    assert_int_equal(test_one(test, VERB_APPLICATION_DELETE, STORE_OPERATOR, &gone), TWOLEG_NONE);
    assert_int_equal(end_family(test, 1, false), TWOLEG_NONE);
    assert_null(find(test, 1));
}

static void a_commit_that_fails_rotates_nothing(void **state)
{
    struct test_store *test = *state;
    struct refresh_family made = family_of(1);
    assert_int_equal(make_user(test, ANN, "ann"), TWOLEG_NONE);
    assert_int_equal(add(test, &made), TWOLEG_NONE);
    unsigned at = 1;
    for (unsigned nth = 1; nth < 40; nth++) {
        fault_arm(FAULT_STORE, nth, false);
        enum twoleg_error error = rotate(test, 1, at, at + 1);
        fault_arm(FAULT_STORE, 0, false);
        // What a failed commit has left nobody knows, so the store has stopped.
        if (store_stopped(test->store))
            return;
        assert_int_equal(error, TWOLEG_STORE_FAILED);
        struct sha256 current = hash_of(at);
        assert_memory_equal(&find(test, 1)->current, &current, sizeof current);
    }
    fail_msg("no commit failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_APPLICATIONS(a_family_is_found_by_its_number),
        WITH_APPLICATIONS(rfc9700_4_14_2_a_token_is_rotated_once),
        WITH_APPLICATIONS(G1_a_family_leaves_no_secret_whose_tokens_were_revoked),
        WITH_APPLICATIONS(rfc7009_2_1_a_later_access_token_is_noted),
        WITH_APPLICATIONS(what_was_changed_meanwhile_begins_no_family),
        WITH_APPLICATIONS(families_end_with_what_they_came_from),
        WITH_APPLICATIONS(rfc6749_6_families_end_for_good_with_the_grant),
        WITH_APPLICATIONS(rfc7009_2_1_the_end_of_a_family_is_kept_for_its_access_tokens),
        WITH_APPLICATIONS(rfc7009_2_1_where_no_more_is_revoked_a_family_ends_alone),
        WITH_APPLICATIONS(rfc7009_2_1_access_tokens_are_dead_when_the_last_that_may_be_has_expired),
        WITH_APPLICATIONS(of_a_deleted_application_a_family_ends_too),
        WITH_APPLICATIONS(a_commit_that_fails_rotates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
