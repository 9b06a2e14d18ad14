// SPDX-License-Identifier: Apache-2.0
// Who holds a port, as far as /proc tells: for the words of "address in use".
#pragma once
#include <stddef.h>

#include "codec/address.h"

// Writes "PORT is held by NAME (process N)" over ret_reason when it finds out.
void http_holder_describe(const struct address *address, char *ret_reason, size_t room);
