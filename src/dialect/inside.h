// SPDX-License-Identifier: Apache-2.0
// Between the files that load a dialect.
#pragma once
#include "config/report.h"
#include "dialect/dialect.h"

struct dialect_loader {
    struct str source; // the file's name, for messages
    struct arena *arena;
    struct config_report *report;
    struct config_mark marks[SCHEMA_ROWS_MAX]; // of the file's keys
    const struct dialect *base; // NULL for rfc6749
    struct dialect *dialect;
    bool no_memory;
};

// Where the file has this key; line 0: nowhere.
struct config_mark dialect_key_mark(const struct dialect_loader *loader, const char *key);
// A request header that means something to the server, or to what stands before it.
bool dialect_header_is_taken(struct str name);
// Those of headers are alike in any case (RFC 9110 section 5.1).
bool dialect_same_name(const struct dialect_parameter *a, const struct dialect_parameter *b);
// Of introspection and revocation, which no dialect but rfc6749 has.
bool dialect_is_of_introspection(const struct dialect_parameter *parameter);

#define DIALECT_REFUSE(loader, mark, ...)                                                          \
    config_report_addf((loader)->report, (loader)->source, mark, __VA_ARGS__)

// What can be said of a request: endpoints, grants, parameters, client, scope.
void dialect_check_request(struct dialect_loader *loader);
void dialect_check_reach(struct dialect_loader *loader);
// What tokens look like.
void dialect_compile_token(struct dialect_loader *loader);
// What answers are made of: fields, rows, templates, headers. They are compiled, too.
void dialect_compile_success(struct dialect_loader *loader);
void dialect_compile_errors(struct dialect_loader *loader);
void dialect_compile_resource(struct dialect_loader *loader);
// Refuses a type that a browser might run, wherever the key stands.
void dialect_compile_content_type(struct dialect_loader *loader, struct config_mark mark,
                                  const char *key, struct str type);
bool dialect_is_token(struct str name); // RFC 9110 section 5.6.2
