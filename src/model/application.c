// SPDX-License-Identifier: Apache-2.0
#include "model/application.h"

#include "model/scope.h"

#define APPLICATION_DIALECT_MAX 32
#define APPLICATION_ALL STR("all")

const struct application_api *application_find_api(const struct application *application,
                                                   uint64_t api)
{
    for (size_t i = 0; i < application->api_count; i++)
        if (application->apis[i].api == api)
            return &application->apis[i];
    return NULL;
}

bool application_serves_any(const struct application *application)
{
    for (size_t i = 0; i < application->api_count; i++)
        if (application->apis[i].serves)
            return true;
    return false;
}

bool application_speaks(const struct application *application, struct str dialect)
{
    return application->dialects.len == 0 ||
           (dialect.len && str_has_word(application->dialects, dialect));
}

static bool application_names_dialect(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return word.len <= APPLICATION_DIALECT_MAX && !str_equal(word, APPLICATION_ALL);
}

enum twoleg_error application_dialects_read(struct arena *arena, struct str text,
                                            struct str *ret_dialects)
{
    struct str words, word;
    if (str_equal(text, APPLICATION_ALL)) {
        *ret_dialects = STR("");
        return TWOLEG_NONE;
    }
    enum twoleg_error error = scope_normalise(arena, text, &words);
    if (error == TWOLEG_NO_MEMORY || error == TWOLEG_TOO_LONG)
        return error;
    // No name at all would be an application that nobody knows anywhere.
    if (error || words.len == 0)
        return TWOLEG_MALFORMED;
    struct str rest = words;
    while (str_word(&rest, &word))
        if (!application_names_dialect(word))
            return TWOLEG_MALFORMED;
    if (words.len > APPLICATION_DIALECTS_MAX)
        return TWOLEG_TOO_LONG;
    *ret_dialects = words;
    return TWOLEG_NONE;
}

struct str application_dialects_text(const struct application *application)
{
    return application->dialects.len ? application->dialects : APPLICATION_ALL;
}

static const struct str token_formats[TOKEN_FORMATS] = {
    [FORMAT_JWT] = {"jwt", 3},
    [FORMAT_SEALED] = {"sealed", 6},
    [FORMAT_REFERENCE] = {"reference", 9},
};

// A list shows the rows of a newer release too.
struct str token_format_name(enum token_format format)
{
    return format < TOKEN_FORMATS ? token_formats[format] : STR("unknown");
}

bool token_format_from(struct str name, enum token_format *ret_format)
{
    for (enum token_format format = 0; format < TOKEN_FORMATS; format++) {
        if (!str_equal(name, token_formats[format]))
            continue;
        *ret_format = format;
        return true;
    }
    return false;
}

struct str entity_status_name(enum entity_status status)
{
    switch (status) {
    case STATUS_ACTIVE:
        return STR("active");
    case STATUS_DISABLED:
        return STR("disabled");
    case STATUS_DELETED:
        return STR("deleted");
    }
    return STR("unknown");
}

static const struct {
    enum secret_scheme scheme;
    struct str name;
} secret_schemes[] = {
    {SECRET_KEYED, {"hmac", 4}},
    {SECRET_ARGON2, {"argon2id", 8}},
    {SECRET_ARGON2_SHA256, {"argon2id-sha256", 15}},
    {SECRET_ARGON2I, {"argon2i", 7}},
    {SECRET_BCRYPT, {"bcrypt", 6}},
    {SECRET_PBKDF2, {"pbkdf2-sha256", 13}},
};

struct str secret_scheme_name(enum secret_scheme scheme)
{
    for (size_t i = 0; i < sizeof secret_schemes / sizeof *secret_schemes; i++)
        if (secret_schemes[i].scheme == scheme)
            return secret_schemes[i].name;
    return STR("unknown");
}

bool secret_scheme_is_slow(enum secret_scheme scheme)
{
    return scheme >= SECRET_ARGON2 && scheme <= SECRET_PBKDF2;
}
