// SPDX-License-Identifier: Apache-2.0
#include "dialect/template.h"

#include <string.h>
#include <time.h>

#include "base/env.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "config/schema.h"

#define TEMPLATE_PIECES_MAX 64
#define TEMPLATE_TRY_CAP ((size_t)64 * 1024)

static const struct {
    struct str name;
    enum template_word word;
} template_words[] = {
    {{"code", 4}, TEMPLATE_CODE},
    {{"message", 7}, TEMPLATE_MESSAGE},
    {{"number", 6}, TEMPLATE_NUMBER},
    {{"status", 6}, TEMPLATE_STATUS},
    {{"request_id", 10}, TEMPLATE_REQUEST_ID},
    {{"time", 4}, TEMPLATE_TIME},
};
#define TEMPLATE_WORDS (sizeof template_words / sizeof *template_words)

// The length of a {word} at the start of the text, or 0: JSON's own braces are followed by
// something else than a lower-case letter.
static size_t template_word_len(struct str text)
{
    size_t end = 1;
    if (text.len < 3 || text.ptr[0] != '{')
        return 0;
    while (end < text.len && ((text.ptr[end] >= 'a' && text.ptr[end] <= 'z') ||
                              text.ptr[end] == '_'))
        end++;
    return end > 1 && end < text.len && text.ptr[end] == '}' ? end + 1 : 0;
}

static const char *template_unknown(struct str name, struct arena *arena)
{
    struct schema_names names = {.count = 0};
    for (size_t i = 0; i < TEMPLATE_WORDS; i++)
        names.names[names.count++] = template_words[i].name.ptr;
    const char *nearest = schema_nearest(name, &names);
    struct buf text;
    buf_init_arena(&text, arena, 160);
    buf_addf(&text, "has the unknown word {%.*s}", STR_ARG(name));
    if (nearest)
        buf_addf(&text, ". Did you mean {%s}?", nearest);
    else
        buf_add(&text, STR(" (known are code, message, number, status, request_id, time)"));
    buf_add_char(&text, '\0');
    return text.failed ? "has an unknown word" : text.ptr;
}

static const char *template_word_name(enum template_word word)
{
    size_t i = 0;
    while (i < TEMPLATE_WORDS - 1 && template_words[i].word != word)
        i++;
    return template_words[i].name.ptr;
}

static bool template_find(struct str name, enum template_word *ret_word)
{
    for (size_t i = 0; i < TEMPLATE_WORDS; i++)
        if (str_equal(template_words[i].name, name)) {
            *ret_word = template_words[i].word;
            return true;
        }
    return false;
}

enum twoleg_error template_try(const struct dialect_template *template,
                               const struct template_values *values)
{
    struct arena scratch;
    struct buf out;
    arena_init(&scratch, NULL, TEMPLATE_TRY_CAP);
    buf_init_arena(&out, &scratch, 1024);
    template_write(template, values, true, &out);
    enum twoleg_error error = out.failed                        ? TWOLEG_NO_MEMORY
                              : json_check(buf_str(&out), NULL) ? TWOLEG_MALFORMED
                                                                : TWOLEG_NONE;
    arena_finish(&scratch);
    return error;
}

// Which word stands for a text, but has no quotes around it; else what is wrong at all.
static const char *template_json_problem(const struct dialect_template *template,
                                         struct arena *arena)
{
    bool quoted = false, escaped = false;
    for (size_t i = 0; i < template->count; i++) {
        const struct template_piece *piece = &template->pieces[i];
        for (size_t k = 0; k < piece->literal.len; k++) {
            char c = piece->literal.ptr[k];
            quoted = quoted != (c == '"' && !escaped);
            escaped = c == '\\' && !escaped;
        }
        bool bare = piece->word == TEMPLATE_NUMBER || piece->word == TEMPLATE_STATUS;
        if (piece->word == TEMPLATE_LITERAL || quoted || bare)
            continue;
        const char *name = template_word_name(piece->word);
        struct buf text;
        buf_init_arena(&text, arena, 160);
        buf_addf(&text, "has {%s} without quotes: a text is written \"{%s}\" in JSON", name, name);
        buf_add_char(&text, '\0');
        return text.failed ? NULL : text.ptr;
    }
    return "is no JSON: with a text for each of its words it must be one value, such as "
           "{\"error\":\"{code}\",\"number\":{number}}";
}

// JSON is good when it is good with the longest and with the shortest that words can stand for.
static enum twoleg_error template_check_json(const struct dialect_template *template,
                                             struct arena *arena, const char **ret_problem)
{
    static const struct template_values samples[] = {
        {.code = {"a\"\\\n", 4}, .message = {"}\"]\x80", 4}, .request_id = {"\"", 1},
         .number = -1, .status = 599},
        {.code = {"", 0}, .message = {"", 0}, .request_id = {"", 0}},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        enum twoleg_error error = template_try(template, &samples[i]);
        if (error)
            *ret_problem = template_json_problem(template, arena);
        if (error)
            return *ret_problem ? error : TWOLEG_NO_MEMORY;
    }
    return TWOLEG_NONE;
}

static enum twoleg_error template_cut(struct str text, struct template_piece *pieces,
                                      size_t *ret_count, struct arena *arena,
                                      const char **ret_problem)
{
    size_t count = 0;
    while (text.len) {
        if (count == TEMPLATE_PIECES_MAX) {
            *ret_problem = "has more than 64 pieces";
            return TWOLEG_MALFORMED;
        }
        size_t len = template_word_len(text);
        struct template_piece *piece = &pieces[count++];
        *piece = (struct template_piece){TEMPLATE_LITERAL, STR_NONE};
        if (len) {
            struct str name = str_slice(text, 1, len - 1);
            if (!template_find(name, &piece->word)) {
                *ret_problem = template_unknown(name, arena);
                return TWOLEG_MALFORMED;
            }
        } else {
            len = 1;
            while (len < text.len && !template_word_len(str_slice(text, len, text.len)))
                len++;
            piece->literal = str_slice(text, 0, len);
        }
        text = str_slice(text, len, text.len);
    }
    *ret_count = count;
    return TWOLEG_NONE;
}

enum twoleg_error template_compile(struct str text, bool json, struct arena *arena,
                                   struct dialect_template *ret_template,
                                   const char **ret_problem)
{
    struct template_piece pieces[TEMPLATE_PIECES_MAX];
    struct dialect_template template = {.pieces = pieces};
    enum twoleg_error error = template_cut(text, pieces, &template.count, arena, ret_problem);
    if (!error && json && template.count)
        error = template_check_json(&template, arena, ret_problem);
    if (error)
        return error;
    struct template_piece *kept = arena_array(arena, template.count + 1, sizeof *kept);
    if (!kept)
        return TWOLEG_NO_MEMORY;
    memcpy(kept, pieces, template.count * sizeof *kept);
    *ret_template = (struct dialect_template){.pieces = kept, .count = template.count};
    return TWOLEG_NONE;
}

bool template_has(const struct dialect_template *template, enum template_word word)
{
    for (size_t i = 0; i < template->count; i++)
        if (template->pieces[i].word == word)
            return true;
    return false;
}

static void template_write_time(int64_t now_us, struct buf *out)
{
    struct tm parts;
    time_t seconds = (time_t)(now_us / SECOND_US);
    char text[32];
    if (gmtime_r(&seconds, &parts))
        buf_add(out, str_of(text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

// Without the quotes: they are the template's.
static void template_write_text(struct str text, bool json, struct buf *out)
{
    if (json)
        json_escape(out, text);
    else
        buf_add(out, text);
}

void template_write(const struct dialect_template *template, const struct template_values *values,
                    bool json, struct buf *out)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct template_piece *piece = &template->pieces[i];
        switch (piece->word) {
        case TEMPLATE_LITERAL:
            buf_add(out, piece->literal);
            break;
        case TEMPLATE_CODE:
            template_write_text(values->code, json, out);
            break;
        case TEMPLATE_MESSAGE:
            template_write_text(values->message, json, out);
            break;
        case TEMPLATE_NUMBER:
            buf_add_i64(out, values->number);
            break;
        case TEMPLATE_STATUS:
            buf_add_u64(out, values->status);
            break;
        case TEMPLATE_REQUEST_ID:
            template_write_text(values->request_id, json, out);
            break;
        case TEMPLATE_TIME:
            template_write_time(values->now_us, out);
            break;
        }
    }
}
