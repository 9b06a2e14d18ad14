// SPDX-License-Identifier: Apache-2.0
// Shapes of reference tokens: what they hold, and which texts fit them.
#include "model_test.h"

#include <math.h>

#include "codec/base62.h"
#include "model/token_shape.h"

static const struct token_shape hex = {.alphabet = TOKEN_HEX, .length = 40};
static const struct token_shape uuid = {.alphabet = TOKEN_UUID, .length = 36};
static const struct token_shape letters = {.alphabet = TOKEN_BASE62, .length = 28};
static const struct token_shape dressed = {.alphabet = TOKEN_HEX, .length = 32,
                                           .prefix = {"a-", 2}, .suffix = {"==", 2}};

// The bits of the places of one kind.
static double bits(const struct token_shape *shape, enum token_place_kind kind)
{
    struct token_layout layout = token_shape_layout(shape);
    double sum = 0;
    for (size_t i = 0; i < shape->length; i++) {
        struct token_place place = token_layout_place(&layout, i);
        sum += place.kind == kind ? log2(place.count) : 0;
    }
    return sum;
}

// Never under 120 random bits, and never more than 40 that are not.
static void design_3_1_no_shape_holds_less_than_120_random_bits(void **state)
{
    (void)state;
    unsigned good = 0;
    for (enum token_alphabet alphabet = TOKEN_BASE62; alphabet <= TOKEN_UUID; alphabet++) {
        for (size_t length = 0; length <= TOKEN_SHAPE_TEXT_MAX + 1; length++) {
            struct token_shape shape = {.alphabet = alphabet, .length = length};
            if (token_shape_check(&shape))
                continue;
            good++;
            assert_true(bits(&shape, PLACE_RANDOM) >= 120);
            double slot = bits(&shape, PLACE_SLOT), tag = bits(&shape, PLACE_TAG);
            assert_true(slot + tag <= 40 && slot <= 12);
            // A slot is a luxury: most of what is there is tag.
            assert_true(slot == 0 || tag >= slot);
            assert_true(fabs(log2(token_shape_slots(&shape)) - slot) < 1e-9);
        }
    }
    assert_int_equal(good, (120 - 20) + (120 - 29) + 1);
}

static void the_shapes_of_the_seed_systems(void **state)
{
    (void)state;
    assert_int_equal(token_shape_check(&hex), TWOLEG_NONE);
    assert_int_equal(bits(&hex, PLACE_RANDOM), 120);
    assert_int_equal(bits(&hex, PLACE_SLOT), 12);
    assert_int_equal(bits(&hex, PLACE_TAG), 28);
    assert_int_equal(token_shape_check(&letters), TWOLEG_NONE);
    assert_int_equal((int)bits(&letters, PLACE_RANDOM), 130);
    assert_int_equal((int)bits(&letters, PLACE_TAG), 23);
    assert_int_equal(token_shape_check(&uuid), TWOLEG_NONE);
    assert_int_equal(bits(&uuid, PLACE_RANDOM), 120);
    assert_int_equal(bits(&uuid, PLACE_TAG), 2);
    assert_int_equal(token_shape_check(&dressed), TWOLEG_NONE);
    assert_int_equal(token_shape_check(&token_shape_default), TWOLEG_NONE);
    assert_int_equal(token_shape_size(&token_shape_default), 37);
    assert_int_equal((int)bits(&token_shape_default, PLACE_RANDOM), 125);
}

#define FOUR {"abcd", 4}
#define BLANK {"a b", 3}
#define LINE {"\n", 1}
#define ACCENT {"\xc3\xa9", 2}

static void a_shape_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct token_shape shape;
        enum twoleg_error error;
    } rows[] = {
        {{.alphabet = TOKEN_HEX, .length = 29}, TWOLEG_RANGE},
        {{.alphabet = TOKEN_BASE62, .length = 20}, TWOLEG_RANGE},
        {{.alphabet = TOKEN_UUID, .length = 32}, TWOLEG_RANGE},
        {{.alphabet = TOKEN_UUID, .length = 37}, TWOLEG_RANGE},
        {{.alphabet = TOKEN_HEX, .length = SIZE_MAX}, TWOLEG_RANGE},
        {{.alphabet = TOKEN_HEX, .length = 117, .prefix = FOUR}, TWOLEG_RANGE},
        {{.alphabet = TOKEN_HEX, .length = 115, .checksum = true}, TWOLEG_RANGE},
        {{.alphabet = TOKEN_HEX, .length = 114, .checksum = true}, TWOLEG_NONE},
        {{.alphabet = TOKEN_HEX, .length = 40, .prefix = BLANK}, TWOLEG_MALFORMED},
        {{.alphabet = TOKEN_HEX, .length = 40, .suffix = LINE}, TWOLEG_MALFORMED},
        {{.alphabet = TOKEN_HEX, .length = 40, .suffix = ACCENT}, TWOLEG_MALFORMED},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_error(token_shape_check(&rows[i].shape), rows[i].error, "shape");
}

static bool fits(const struct token_shape *shape, const char *text)
{
    return token_shape_fits(shape, str_from(text));
}

static void a_text_fits_in_one_spelling(void **state)
{
    (void)state;
    assert_true(fits(&hex, "0123456789abcdef0123456789abcdef01234567"));
    assert_false(fits(&hex, "0123456789abcdef0123456789abcdef0123456"));
    assert_false(fits(&hex, "0123456789abcdef0123456789abcdef012345678"));
    assert_false(fits(&hex, "0123456789Abcdef0123456789abcdef01234567"));
    assert_false(fits(&hex, "0123456789abcdeg0123456789abcdef01234567"));
    assert_true(fits(&uuid, "01234567-89ab-4def-8123-456789abcdef"));
    assert_true(fits(&uuid, "01234567-89ab-4def-b123-456789abcdef"));
    assert_false(fits(&uuid, "01234567-89ab-4def-c123-456789abcdef"));
    assert_false(fits(&uuid, "01234567-89ab-3def-8123-456789abcdef"));
    assert_false(fits(&uuid, "01234567-89AB-4def-8123-456789abcdef"));
    assert_false(fits(&uuid, "0123456789ab-4def-8123-456789abcdef-"));
    assert_true(fits(&dressed, "a-0123456789abcdef0123456789abcdef=="));
    assert_false(fits(&dressed, "A-0123456789abcdef0123456789abcdef=="));
    assert_false(fits(&dressed, "a-0123456789abcdef0123456789abcdef=_"));
    assert_true(fits(&letters, "0123456789ABCDEFGHIJabcdefgh"));
    assert_false(fits(&letters, "0123456789ABCDEFGHIJabcdef_h"));
    assert_false(token_shape_fits(&letters, str_of("0123456789ABCDEFGHIJabcdef\0h", 28)));
    assert_false(token_shape_fits(&hex, STR_NONE));
}

static void a_checksum_must_be_right(void **state)
{
    (void)state;
    char memory[64];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    buf_add(&text, STR("tlr_0123456789ABCDEFGHIJabcdefg"));
    credential_checksum_append(&text, 0);
    assert_true(token_shape_fits(&token_shape_default, buf_str(&text)));
    memory[10] = 'Z';
    assert_false(token_shape_fits(&token_shape_default, buf_str(&text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(design_3_1_no_shape_holds_less_than_120_random_bits),
        cmocka_unit_test(the_shapes_of_the_seed_systems),
        cmocka_unit_test(a_shape_that_is_none_is_refused),
        cmocka_unit_test(a_text_fits_in_one_spelling),
        cmocka_unit_test(a_checksum_must_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
