// SPDX-License-Identifier: Apache-2.0
// Numbers of entities as text: a typed prefix and 13 letters, so that a number of one kind cannot
// be taken for another's, and a generated client_id needs no escaping anywhere.
#pragma once
#include "base/buf.h"

enum number_kind { NUMBER_APPLICATION, NUMBER_SECRET, NUMBER_USER, NUMBER_API, NUMBER_ACCOUNT };

#define NUMBER_TEXT_MAX 20

// "app_" + 13 characters of 0-9a-z without i, l, o, u (Crockford's alphabet), most significant
// first.
void number_write(struct buf *out, enum number_kind kind, uint64_t number);
bool number_read(struct str text, enum number_kind kind, uint64_t *ret_number);
