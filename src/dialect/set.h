// SPDX-License-Identifier: Apache-2.0
// The dialects that a configuration names, compiled, and which of them a request is answered in.
// Never changed: a reload makes another set.
#pragma once
#include "config/config.h"
#include "dialect/dialect.h"

struct dialect_set;

// MALFORMED: the report says why, with file and line: a dialect that is not there or wrong, or one
// that the configuration does not allow. NO_MEMORY.
enum twoleg_error dialect_set_create(const struct config *config, struct config_report *report,
                                     struct dialect_set **ret_set) TWOLEG_MUST_CHECK;
void dialect_set_destroy(struct dialect_set *set); // NULL accepted

const struct dialect *dialect_set_rfc6749(const struct dialect_set *set);
// One that is spoken, that another one is based on, or that came with the program.
bool dialect_set_knows(const struct dialect_set *set, struct str name);
// Some host, listener or gate has it.
bool dialect_set_speaks(const struct dialect_set *set, struct str name);
// Whoever asks for a token, at whichever host, gets one of this format, whatever the application's.
bool dialect_set_gives_only(const struct dialect_set *set, enum token_format format);
// The next dialect that some host, listener or gate has; NULL: there is none. *at starts with 0.
const struct dialect *dialect_set_spoken(const struct dialect_set *set, size_t *at);
// What reference tokens that are out may look like, beside the default shape: all shapes of the
// set's dialects and of those that came with the program.
const struct token_shape *dialect_set_shapes(const struct dialect_set *set, size_t *ret_count);
// The next dialect whose tokens were known before and are not after; NULL: there is none. *at
// starts with 0.
const struct dialect *dialect_set_lost(const struct dialect_set *before,
                                       const struct dialect_set *after, size_t *at);
// Likewise the next one of after whose file, or one that it is based on, was another one before.
const struct dialect *dialect_set_changed(const struct dialect_set *before,
                                          const struct dialect_set *after, size_t *at);
// Of a request's Host on the listener of that number. NULL: hosts are named, this is none, and
// the listener names no dialect itself.
const struct dialect *dialect_set_choose(const struct dialect_set *set, size_t listener,
                                         struct str host);
// Of the resource side, which nobody is refused for: check names the gate of that place in the
// configuration, SIZE_MAX none.
const struct dialect *dialect_set_gate(const struct dialect_set *set, size_t check,
                                       size_t listener, struct str host);
