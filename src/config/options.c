// SPDX-License-Identifier: Apache-2.0
// The shapes behind options.def, and the table made from it.
#include "config/config.h"
#include "http/http.h"

// The order of the words is the order of the enums.
static const char *const config_door_words[] = {"public", "gate", "admin", "metrics", NULL};
_Static_assert(DOOR_PUBLIC == 1 && DOOR_GATE == 2 && DOOR_ADMIN == 4 && DOOR_METRICS == 8,
               "the words for doors follow enum http_door");
static const char *const config_token_words[] = {"jwt", "sealed", "reference", NULL};
_Static_assert(FORMAT_JWT == 0 && FORMAT_SEALED == 1 && FORMAT_REFERENCE == 2,
               "the words for formats follow enum token_format");
static const char *const config_log_request_words[] = {"none", "refused", "all", NULL};
static const char *const config_log_level_words[] = {"error", "warning", "info", "debug", NULL};
_Static_assert(LOG_ERROR == 0 && LOG_WARNING == 1 && LOG_INFO == 2 && LOG_DEBUG == 3,
               "the words for levels follow enum log_level");

static const struct schema_shape config_shape_none = {.words = NULL};
static const struct schema_shape config_shape_never = {.never = true};
static const struct schema_shape config_shape_token_format = {.words = config_token_words};
static const struct schema_shape config_shape_log_requests = {.words = config_log_request_words};
static const struct schema_shape config_shape_log_level = {.words = config_log_level_words};
static const struct schema_shape config_shape_doors = {.words = config_door_words};

static const struct schema_shape config_shape_prefix = {
    .characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_",
    .characters_text = "letters, digits and _",
};

static const struct schema_shape config_shape_user = {
    .characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.",
    .characters_text = "letters, digits, _, - and .",
};

static const struct schema_shape config_shape_gate_name = {
    .characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
    .characters_text = "letters, digits, _ and -",
};

static const struct schema_shape config_shape_dialect = {
    .characters = "abcdefghijklmnopqrstuvwxyz0123456789-",
    .characters_text = "lower-case letters, digits and -",
    .characters_fault = "is no name: NAME.yaml of your own is named NAME, and its folder is the "
                        "configuration's dialect_folder",
};

static const struct schema_shape config_shape_host_name = {
    .characters = "abcdefghijklmnopqrstuvwxyz0123456789-.:[]",
    .characters_text = "lower-case letters, digits, - and .",
};

// scope-token of RFC 6749 3.3, and the same with blanks between tokens.
#define CONFIG_SCOPE_CHARACTERS                                                                    \
    "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"                               \
    "abcdefghijklmnopqrstuvwxyz{|}~"

static const struct schema_shape config_shape_resource = {
    .characters = CONFIG_SCOPE_CHARACTERS,
    .characters_text = "visible ASCII but \" and \\",
};

static const struct schema_shape config_shape_scope = {
    .characters = CONFIG_SCOPE_CHARACTERS " ",
    .characters_text = "visible ASCII but \" and \\, and blanks",
};

static const struct schema_row config_row_proxy = {.type = SCHEMA_CIDR};
static const struct schema_shape config_shape_proxies = {
    .item = &config_row_proxy,
    .item_size = sizeof(struct cidr),
};

static const struct schema_row config_rows_certificate[] = {
    {.name = "certificate",
     .type = SCHEMA_PATH,
     .offset = offsetof(struct config_certificate, certificate),
     .required = true,
     .min = "1",
     .max = "1024"},
    {.name = "key",
     .type = SCHEMA_PATH,
     .offset = offsetof(struct config_certificate, key),
     .required = true,
     .min = "1",
     .max = "1024"},
};

static const struct schema_shape config_shape_certificate = {
    .rows = config_rows_certificate,
    .row_count = sizeof config_rows_certificate / sizeof *config_rows_certificate,
};

static const struct schema_row config_row_certificate = {
    .type = SCHEMA_OBJECT,
    .shape = &config_shape_certificate,
};

static const struct schema_shape config_shape_certificates = {
    .item = &config_row_certificate,
    .item_size = sizeof(struct config_certificate),
};

static const struct schema_row config_rows_listener[] = {
    {.name = "address",
     .type = SCHEMA_ENDPOINT,
     .offset = offsetof(struct config_listener, endpoint),
     .required = true},
    {.name = "doors",
     .type = SCHEMA_WORDS,
     .offset = offsetof(struct config_listener, doors),
     .shape = &config_shape_doors},
    {.name = "trusted_proxies",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct config_listener, trusted_proxies),
     .max = "256",
     .shape = &config_shape_proxies},
    {.name = "tls",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct config_listener, tls),
     .min = "1",
     .max = "64",
     .shape = &config_shape_certificates},
    {.name = "dialect",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct config_listener, dialect),
     .min = "1",
     .max = "32",
     .shape = &config_shape_dialect},
};

static const struct schema_shape config_shape_listener = {
    .rows = config_rows_listener,
    .row_count = sizeof config_rows_listener / sizeof *config_rows_listener,
    .shorthand = "address",
};

static const struct schema_row config_row_listener = {
    .type = SCHEMA_OBJECT,
    .shape = &config_shape_listener,
};

static const struct schema_shape config_shape_listen = {
    .item = &config_row_listener,
    .item_size = sizeof(struct config_listener),
};

static const struct schema_row config_rows_check[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct config_check, name),
     .required = true,
     .min = "1",
     .max = "64",
     .shape = &config_shape_gate_name},
    {.name = "resource",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct config_check, resource),
     .min = "1",
     .max = "255",
     .shape = &config_shape_resource},
    {.name = "scope",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct config_check, scope),
     .min = "1",
     .max = "1024",
     .shape = &config_shape_scope},
    {.name = "trusted_proxies",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct config_check, trusted_proxies),
     .max = "256",
     .shape = &config_shape_proxies},
    {.name = "dialect",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct config_check, dialect),
     .min = "1",
     .max = "32",
     .shape = &config_shape_dialect},
};

static const struct schema_shape config_shape_check = {
    .rows = config_rows_check,
    .row_count = sizeof config_rows_check / sizeof *config_rows_check,
};

static const struct schema_row config_row_check = {
    .type = SCHEMA_OBJECT,
    .shape = &config_shape_check,
};

static const struct schema_shape config_shape_checks = {
    .item = &config_row_check,
    .item_size = sizeof(struct config_check),
};

static const struct schema_row config_rows_host[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct config_host, name),
     .required = true,
     .min = "1",
     .max = "253",
     .shape = &config_shape_host_name},
    {.name = "dialect",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct config_host, dialect),
     .required = true,
     .min = "1",
     .max = "32",
     .shape = &config_shape_dialect},
};

static const struct schema_shape config_shape_host = {
    .rows = config_rows_host,
    .row_count = sizeof config_rows_host / sizeof *config_rows_host,
};

static const struct schema_row config_row_host = {
    .type = SCHEMA_OBJECT,
    .shape = &config_shape_host,
};

static const struct schema_shape config_shape_hosts = {
    .item = &config_row_host,
    .item_size = sizeof(struct config_host),
};

static const struct schema_row config_rows[] = {
#define OPTION(id, field, kind, form, low, high, value, word, reload, instance, text)              \
    {.name = #field,                                                                               \
     .type = kind,                                                                                 \
     .offset = offsetof(struct config, field),                                                     \
     .min = low,                                                                                   \
     .max = high,                                                                                  \
     .fallback = value,                                                                            \
     .unit = word,                                                                                 \
     .reloadable = reload,                                                                         \
     .shape = form,                                                                                \
     .example = instance,                                                                          \
     .manual = text},
#include "config/options.def"
#undef OPTION
};
_Static_assert(sizeof config_rows / sizeof *config_rows <= SCHEMA_ROWS_MAX, "the walker's limit");

static const struct schema_shape config_shape = {
    .rows = config_rows,
    .row_count = sizeof config_rows / sizeof *config_rows,
};

const struct schema_shape *config_schema(void)
{
    return &config_shape;
}
