// SPDX-License-Identifier: Apache-2.0
// Content types of answers. Words of the file, and names that owners chose, stand in bodies: so a
// type is one of those that no browser takes for a page, and spelt so that none can read it as
// another one. A list of what is good and not of what is bad: browsers learn new types.
#include "dialect/inside.h"

bool dialect_content_is_json(struct str content_type)
{
    struct str type = str_trim(str_slice(content_type, 0, str_find(content_type, ';')), " ");
    struct str suffix = STR("+json");
    size_t tail = type.len > suffix.len ? type.len - suffix.len : 0;
    return str_equal_nocase(type, STR("application/json")) ||
           str_equal_nocase(type, STR("text/json")) ||
           str_equal_nocase(str_slice(type, tail, type.len), suffix);
}

// RFC 9110 section 5.6.2.
bool dialect_is_token(struct str name)
{
    static const struct str marks = {"!#$%&'*+-.^_`|~", 15};
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && str_find(marks, c) == marks.len)
            return false;
    }
    return name.len > 0;
}

static bool content_is_harmless(struct str type)
{
    static const struct str harmless[] = {
        {"text/plain", 10},
        {"text/json", 9},
        {"application/jwt", 15},
        {"application/x-www-form-urlencoded", 33},
    };
    size_t slash = str_find(type, '/');
    struct str minor = str_slice(type, slash + 1, type.len);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (str_equal_nocase(type, harmless[i]))
            return true;
    return str_equal_nocase(str_slice(type, 0, slash), STR("application")) &&
           dialect_is_token(minor) && dialect_content_is_json(type);
}

// Of a list of types browsers take the last one (Fetch, "extract a MIME type"): no comma gets by.
static bool content_is_parameter(struct str text)
{
    struct str part = str_trim(text, " ");
    size_t end = str_find(part, '=');
    return dialect_is_token(str_slice(part, 0, end)) &&
           dialect_is_token(str_slice(part, end + 1, part.len));
}

void dialect_compile_content_type(struct dialect_loader *loader, struct config_mark mark,
                                  const char *key, struct str type)
{
    struct str rest = type, part;
    bool good = str_split(&rest, ';', &part) && content_is_harmless(str_trim(part, " "));
    while (good && str_split(&rest, ';', &part))
        good = content_is_parameter(part);
    if (!good)
        DIALECT_REFUSE(loader, mark,
                       "%s: \"%.*s\" may be one that browsers run: it must be application/json, "
                       "application/...+json, text/plain, text/json, application/jwt or "
                       "application/x-www-form-urlencoded, and maybe ; charset=utf-8 behind it",
                       key, STR_ARG(type));
}
