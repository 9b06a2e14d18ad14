// SPDX-License-Identifier: Apache-2.0
// What guesses take from their limits, and from whom (rows B1, B2, B15).
#include "endpoint/limit.h"

#include <stdio.h>

#include "http/listener.h"
#include "unit/model/model_test.h"

#define HOUR INT64_C(3600000000)
#define APPLICATION 11
#define OTHER 12 // application

struct test_limits {
    struct env env;
    struct metrics metrics;
    struct http_listener listener;
    struct server server;
    struct snapshot snapshot;
    struct endpoint_context context;
    struct http_request request;
    int64_t retry_us;
    uint64_t digests; // that were made so far
};

// The keys of the tables, the same in each run: which names share cells is not left to chance.
static void limits_fix_keys(struct env *env)
{
    for (size_t i = 0; i < sizeof env->random; i++)
        env->random[i] = (uint8_t)(i * 37 + i / 7);
    env->random_left = sizeof env->random;
}

static int limits_setup(void **state)
{
    struct test_limits *t = calloc(1, sizeof *t);
    if (!t)
        return -1;
    env_init(&t->env);
    limits_fix_keys(&t->env);
    t->env.boot_us = 5 * HOUR;
    t->server.limits = endpoint_limits_create(&t->env);
    t->snapshot.config.passwords_per_user = (struct rate){3, 3, HOUR};
    t->snapshot.config.slow_hashes_per_client = (struct rate){4, 4, HOUR};
    t->context = (struct endpoint_context){.server = &t->server, .snapshot = &t->snapshot};
    t->request = (struct http_request){.env = &t->env,
                                       .metrics = &t->metrics,
                                       .listener = &t->listener,
                                       .context = &t->context,
                                       .peer = {.family = ADDRESS_V4, .bytes = {192, 0, 2, 1}}};
    *state = t;
    return t->server.limits ? 0 : -1;
}

static int limits_teardown(void **state)
{
    struct test_limits *t = *state;
    endpoint_limits_destroy(t->server.limits);
    free(t);
    return 0;
}

static void from(struct test_limits *t, uint8_t last)
{
    t->request.peer.bytes[3] = last;
}

static struct endpoint_guess at_user(uint64_t application, struct str username)
{
    return (struct endpoint_guess){
        .application = application, .of_user = true, .account = 1, .username = username};
}

static struct endpoint_guess at_secret(uint64_t application)
{
    return (struct endpoint_guess){.application = application};
}

// Of a guess that nobody has made yet.
static struct sha256 another(struct test_limits *t)
{
    t->digests++;
    return sha256(str_of(&t->digests, sizeof t->digests));
}

static bool compares(struct test_limits *t, struct endpoint_guess guess, struct sha256 digest,
                     struct endpoint_taken *ret_taken)
{
    return endpoint_limit_guess(&t->request, &guess, &digest, ret_taken, &t->retry_us) ==
           TWOLEG_NONE;
}

// How many of so many different ones may be compared.
static unsigned guess(struct test_limits *t, struct endpoint_guess guess, unsigned count)
{
    struct endpoint_taken taken;
    unsigned compared = 0;
    for (unsigned i = 0; i < count; i++)
        compared += compares(t, guess, another(t), &taken);
    return compared;
}

// One guess at each of so many names.
static unsigned guess_names(struct test_limits *t, const char *kind, unsigned count)
{
    unsigned compared = 0;
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s %u", kind, i);
        compared += guess(t, at_user(APPLICATION, str_from(name)), 1);
    }
    return compared;
}

static bool believes(struct test_limits *t, struct endpoint_guess guess)
{
    return endpoint_limit_believes(&t->request, &guess);
}

static void B1_each_name_has_its_limit_from_each_address(void **state)
{
    struct test_limits *t = *state;
    assert_int_equal(guess(t, at_user(APPLICATION, STR("a")), 5), 3);
    assert_true(t->retry_us == HOUR / 3);
    assert_int_equal(guess(t, at_user(OTHER, STR("a")), 5), 0);
    assert_int_equal(guess(t, at_user(APPLICATION, STR("b")), 5), 3);
    from(t, 2);
    assert_int_equal(guess(t, at_user(APPLICATION, STR("a")), 5), 3);
    assert_int_equal(guess(t, at_secret(APPLICATION), 5), 4);
    assert_int_equal(guess(t, at_secret(OTHER), 5), 4);
}

// Of one application, whatever rates are set: here they are the same.
static void B1_guesses_at_users_are_none_at_the_secret(void **state)
{
    struct test_limits *t = *state;
    t->snapshot.config.passwords_per_user = (struct rate){1, 1, 4096 * SECOND_US};
    t->snapshot.config.slow_hashes_per_client = (struct rate){4096, 4096, 4096 * SECOND_US};
    assert_int_equal(guess_names(t, "a", 5000), 4096);
    assert_int_equal(guess(t, at_secret(APPLICATION), 1), 1);
}

// Names that somebody makes up run dry at its own address and application; without that, as many as
// these make the table so busy that every user anywhere has to wait.
static void B15_names_made_up_at_one_address_keep_no_user_elsewhere_waiting(void **state)
{
    struct test_limits *t = *state;
    unsigned compared = guess_names(t, "made up", 400000);
    assert_in_range(compared, 10000, 20000);
    assert_int_equal(guess(t, at_user(APPLICATION, STR("real")), 1), 0);
    assert_true(t->retry_us > 0 && t->retry_us < HOUR);
    assert_int_equal(guess(t, at_user(OTHER, STR("real")), 1), 1);
    assert_int_equal(guess(t, at_secret(APPLICATION), 1), 1);
    from(t, 2);
    // A few may share all their cells with such names: one in a hundred thousand.
    assert_in_range(guess_names(t, "real", 4000), 3998, 4000);
    assert_true(believes(t, at_user(APPLICATION, STR("real 1"))));
    t->env.boot_us += 2 * HOUR;
    from(t, 1);
    assert_int_equal(guess(t, at_user(APPLICATION, STR("real")), 5), 3);
}

// Whoever came again after the shorter one would be refused again.
static void of_two_limits_the_longer_wait_is_told(void **state)
{
    struct test_limits *t = *state;
    assert_int_equal(guess(t, at_user(APPLICATION, STR("a")), 3), 3);
    guess_names(t, "made up", 40000);
    assert_int_equal(guess(t, at_user(APPLICATION, STR("real")), 1), 0);
    assert_true(t->retry_us < HOUR / 1000);
    assert_int_equal(guess(t, at_user(APPLICATION, STR("a")), 1), 0);
    assert_true(t->retry_us == HOUR / 3);
}

// Who was right there lately goes on when they have run dry.
static void B1_made_up_names_keep_nobody_waiting_who_was_right_there(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess real = at_user(APPLICATION, STR("real"));
    guess_names(t, "made up", 40000);
    assert_int_equal(guess(t, real, 1), 0);
    assert_true(believes(t, real));
    // Guesses at it are counted all the same.
    guess(t, real, 28);
    assert_true(believes(t, real));
    guess(t, real, 1);
    assert_false(believes(t, real));
    assert_true(believes(t, at_user(APPLICATION, STR("real, too"))));
    guess_names(t, "made up", 400000);
    assert_false(believes(t, at_user(APPLICATION, STR("real, too"))));
    from(t, 2);
    assert_true(believes(t, at_user(APPLICATION, STR("real, too"))));
}

static void B1_what_tells_right_from_wrong_is_ten_times_the_limit(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess guesses[] = {at_secret(APPLICATION),
                                             at_user(APPLICATION, STR("a"))};
    const unsigned limits[] = {4, 3};
    for (size_t i = 0; i < COUNT(guesses); i++) {
        struct endpoint_taken taken;
        const struct sha256 same = another(t);
        assert_int_equal(guess(t, guesses[i], limits[i] * 10 - 2), limits[i]);
        // Once more the same tells nothing new.
        for (unsigned again = 0; again < 100; again++)
            assert_false(compares(t, guesses[i], same, &taken));
        assert_true(believes(t, guesses[i]));
        assert_int_equal(guess(t, guesses[i], 1), 0);
        assert_false(believes(t, guesses[i]));
        from(t, 2);
        assert_true(believes(t, guesses[i]));
        from(t, 1);
    }
}

// Right ones without end, each of them compared.
static void B1_who_is_right_takes_nothing(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess guesses[] = {at_secret(APPLICATION),
                                             at_user(APPLICATION, STR("a"))};
    for (size_t i = 0; i < COUNT(guesses); i++) {
        struct endpoint_taken taken;
        for (unsigned right = 0; right < 100; right++) {
            const struct sha256 digest = another(t);
            assert_true(compares(t, guesses[i], digest, &taken));
            endpoint_limit_right(&t->request, &digest, &taken);
            endpoint_limit_right(&t->request, &digest, &taken); // its handler runs again
        }
        assert_int_equal(guess(t, guesses[i], 100), i == 0 ? 4 : 3);
        assert_false(believes(t, guesses[i]));
    }
}

// Compared while nobody was there any more, or refused by the gate: what it took comes back with
// who is let in with the same, and with nobody else.
static void B1_what_a_right_one_took_waits_for_who_is_let_in(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess guesses[] = {at_secret(APPLICATION),
                                             at_user(APPLICATION, STR("a"))};
    for (size_t i = 0; i < COUNT(guesses); i++) {
        struct endpoint_taken taken;
        for (unsigned right = 0; right < 100; right++) {
            const struct sha256 digest = another(t), other = another(t);
            assert_true(compares(t, guesses[i], digest, &taken));
            assert_false(endpoint_limit_has_unclaimed(&t->request));
            endpoint_limit_unclaimed(t->server.limits, &digest, &taken);
            assert_true(endpoint_limit_has_unclaimed(&t->request));
            endpoint_limit_right(&t->request, &other, NULL);
            assert_true(endpoint_limit_has_unclaimed(&t->request));
            endpoint_limit_right(&t->request, &digest, NULL);
            assert_false(endpoint_limit_has_unclaimed(&t->request));
            endpoint_limit_right(&t->request, &digest, NULL);
        }
        assert_int_equal(guess(t, guesses[i], 100), i == 0 ? 4 : 3);
        assert_false(believes(t, guesses[i]));
    }
}

// Nor what was given back before, and none is counted that others have driven out of the table.
static void B15_what_waits_for_somebody_is_driven_out_by_others(void **state)
{
    struct test_limits *t = *state;
    const struct sha256 first = another(t);
    struct endpoint_taken taken;
    assert_true(compares(t, at_secret(APPLICATION), first, &taken));
    endpoint_limit_right(&t->request, &first, &taken);
    endpoint_limit_unclaimed(t->server.limits, &first, &taken);
    assert_false(endpoint_limit_has_unclaimed(&t->request));
    t->snapshot.config.slow_hashes_per_client = (struct rate){100000, 100000, HOUR};
    for (unsigned i = 0; i < 20000; i++) {
        const struct sha256 digest = another(t);
        assert_true(compares(t, at_secret(OTHER), digest, &taken));
        endpoint_limit_unclaimed(t->server.limits, &digest, &taken);
    }
    assert_true(endpoint_limit_has_unclaimed(&t->request));
    assert_int_equal(guess(t, at_secret(OTHER), 80000), 80000);
    assert_false(endpoint_limit_has_unclaimed(&t->request));
    assert_int_equal(guess(t, at_secret(OTHER), 1), 0);
}

// Whose name is used up comes again soon for the sake of a comparison that has taken of it, by
// whatever application, and not for that of another name.
static void B1_a_wait_ends_soon_by_what_has_taken_of_the_same(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess ann = at_user(APPLICATION, STR("ann"));
    struct endpoint_taken of_ann, elsewhere, of_bob;
    assert_true(compares(t, at_user(APPLICATION, STR("bob")), another(t), &of_bob));
    assert_true(compares(t, ann, another(t), &of_ann));
    assert_true(compares(t, at_user(OTHER, STR("ann")), another(t), &elsewhere));
    assert_int_equal(guess(t, ann, 2), 1);
    assert_false(endpoint_limit_hangs_on(&t->request, &ann, &of_bob));
    assert_true(endpoint_limit_hangs_on(&t->request, &ann, &of_ann));
    assert_true(endpoint_limit_hangs_on(&t->request, &ann, &elsewhere));
    // Made up names have used up what the application has: bob's has taken of that.
    const struct endpoint_guess eve = at_user(APPLICATION, STR("eve"));
    guess_names(t, "made up", 40000);
    assert_int_equal(guess(t, eve, 1), 0);
    assert_true(endpoint_limit_hangs_on(&t->request, &eve, &of_bob));
    assert_false(endpoint_limit_hangs_on(&t->request, &eve, &elsewhere));
}

// Refused first, since guesses had used up the limit, and compared when there is one again, as
// often as that happens: what the first try has taken is given back, too.
static void B1_who_is_right_in_the_end_takes_nothing(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess guesses[] = {at_secret(APPLICATION),
                                             at_user(APPLICATION, STR("a"))};
    for (size_t i = 0; i < COUNT(guesses); i++) {
        const struct sha256 wrong = another(t);
        struct endpoint_taken held, taken;
        assert_true(compares(t, guesses[i], wrong, &held));
        guess(t, guesses[i], i == 0 ? 3 : 2);
        for (unsigned right = 0; right < 100; right++) {
            const struct sha256 digest = another(t);
            assert_false(compares(t, guesses[i], digest, &taken));
            endpoint_limit_not_compared(&held);
            assert_true(compares(t, guesses[i], digest, &taken));
            endpoint_limit_right(&t->request, &digest, &taken);
            assert_true(compares(t, guesses[i], wrong, &held));
            assert_true(believes(t, guesses[i]));
        }
    }
}

// Strangers go on when their own limits are used up.
static void B1_strangers_make_nothing_asked_for_anew(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess client = at_secret(APPLICATION);
    const struct sha256 digest = another(t);
    struct endpoint_taken taken;
    assert_int_equal(guess(t, client, 4), 4);
    for (unsigned again = 0; again < 100; again++) {
        assert_false(compares(t, client, digest, &taken));
        for (uint8_t i = 2; i < 10; i++) {
            from(t, i);
            guess(t, at_secret(OTHER), 500);
        }
        from(t, 1);
    }
    assert_true(believes(t, client));
}

// What was refused by a full pool is as good as an answer, if a right one is known without it.
static void B1_what_was_not_compared_was_asked_for_all_the_same(void **state)
{
    struct test_limits *t = *state;
    const struct endpoint_guess client = at_secret(APPLICATION);
    for (unsigned i = 0; i < 40; i++) {
        struct endpoint_taken taken;
        assert_true(believes(t, client));
        assert_true(compares(t, client, another(t), &taken));
        endpoint_limit_not_compared(&taken);
    }
    assert_false(believes(t, client));
    assert_int_equal(guess(t, client, 5), 4);
}

static void without_a_limit_everything_is_compared_and_believed(void **state)
{
    struct test_limits *t = *state;
    t->snapshot.config.passwords_per_user = (struct rate){0};
    t->snapshot.config.slow_hashes_per_client = (struct rate){0};
    assert_int_equal(guess(t, at_user(APPLICATION, STR("a")), 500), 500);
    assert_int_equal(guess(t, at_secret(APPLICATION), 500), 500);
    assert_true(believes(t, at_user(APPLICATION, STR("a"))));
    assert_true(believes(t, at_secret(APPLICATION)));
}

#define LIMITS(test) cmocka_unit_test_setup_teardown(test, limits_setup, limits_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIMITS(B1_each_name_has_its_limit_from_each_address),
        LIMITS(B1_guesses_at_users_are_none_at_the_secret),
        LIMITS(B15_names_made_up_at_one_address_keep_no_user_elsewhere_waiting),
        LIMITS(of_two_limits_the_longer_wait_is_told),
        LIMITS(B1_made_up_names_keep_nobody_waiting_who_was_right_there),
        LIMITS(B1_what_tells_right_from_wrong_is_ten_times_the_limit),
        LIMITS(B1_who_is_right_takes_nothing),
        LIMITS(B1_what_a_right_one_took_waits_for_who_is_let_in),
        LIMITS(B15_what_waits_for_somebody_is_driven_out_by_others),
        LIMITS(B1_a_wait_ends_soon_by_what_has_taken_of_the_same),
        LIMITS(B1_who_is_right_in_the_end_takes_nothing),
        LIMITS(B1_strangers_make_nothing_asked_for_anew),
        LIMITS(B1_what_was_not_compared_was_asked_for_all_the_same),
        LIMITS(without_a_limit_everything_is_compared_and_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
