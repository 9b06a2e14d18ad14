// SPDX-License-Identifier: Apache-2.0
#include "model/scope.h"

#include "base/buf.h"
#include "codec/utf8.h"
#include "model/application.h"

#define SCOPE_WORDS_MAX 256

bool scope_word_valid(struct str word)
{
    return word.len <= SCOPE_NAME_MAX && text_is_scope_token(word);
}

static void scope_swap(struct str *a, struct str *b)
{
    struct str kept = *a;
    *a = *b;
    *b = kept;
}

static void scope_sift(struct str *words, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && str_compare(words[child], words[child + 1]) < 0)
            child++;
        if (str_compare(words[at], words[child]) >= 0)
            return;
        scope_swap(&words[at], &words[child]);
    }
}

// A heap sort: qsort allocates from some length on, and whoever asks chooses the words.
static void scope_sort(struct str *words, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        scope_sift(words, i, count);
    for (size_t end = count; end > 1; end--) {
        scope_swap(&words[0], &words[end - 1]);
        scope_sift(words, 0, end - 1);
    }
}

static enum twoleg_error scope_words(struct str text, struct str *words, size_t *ret_count)
{
    struct str word;
    size_t count = 0;
    while (str_word(&text, &word)) {
        if (!scope_word_valid(word))
            return TWOLEG_SCOPE_MALFORMED;
        if (count == SCOPE_WORDS_MAX)
            return TWOLEG_TOO_LONG;
        words[count++] = word;
    }
    *ret_count = count;
    return TWOLEG_NONE;
}

// Most texts come in order already: then the words need no copy.
static bool scope_is_normal(struct str text, const struct str *words, size_t count)
{
    size_t len = count ? count - 1 : 0;
    for (size_t i = 0; i < count; i++) {
        len += words[i].len;
        if (i && str_compare(words[i - 1], words[i]) >= 0)
            return false;
    }
    return len == text.len;
}

enum twoleg_error scope_normalise(struct arena *arena, struct str text, struct str *ret_scope)
{
    // Clearing 4 KiB would cost more than the rest: only what was written is read.
    struct str words[SCOPE_WORDS_MAX] __attribute__((uninitialized));
    size_t count;
    if (text.len > SCOPE_TEXT_MAX)
        return TWOLEG_TOO_LONG;
    enum twoleg_error error = scope_words(text, words, &count);
    if (error)
        return error;
    if (scope_is_normal(text, words, count)) {
        *ret_scope = text;
        return TWOLEG_NONE;
    }
    scope_sort(words, count);
    struct buf out;
    buf_init(&out, arena_alloc(arena, text.len), text.len);
    if (!out.ptr)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (i && str_equal(words[i - 1], words[i]))
            continue;
        buf_add_word(&out, words[i]);
    }
    *ret_scope = buf_str(&out);
    return TWOLEG_NONE;
}

bool scope_contains(struct str whole, struct str part)
{
    struct str word;
    if (str_equal(whole, part))
        return true;
    while (str_word(&part, &word))
        if (!str_has_word(whole, word))
            return false;
    return true;
}

static bool scope_in_any(struct str word, const struct str *wholes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_has_word(wholes[i], word))
            return true;
    return false;
}

enum twoleg_error scope_intersect(struct arena *arena, struct str a, const struct str *wholes,
                                  size_t count, struct str *ret_scope)
{
    if (count == 1 && scope_contains(wholes[0], a)) {
        *ret_scope = a;
        return TWOLEG_NONE;
    }
    struct buf out;
    buf_init(&out, arena_alloc(arena, a.len), a.len);
    if (!out.ptr)
        return TWOLEG_NO_MEMORY;
    struct str word;
    while (str_word(&a, &word)) {
        if (!scope_in_any(word, wholes, count))
            continue;
        buf_add_word(&out, word);
    }
    *ret_scope = buf_str(&out);
    return TWOLEG_NONE;
}
