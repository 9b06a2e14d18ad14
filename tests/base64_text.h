// SPDX-License-Identifier: Apache-2.0
// Standard base64 (RFC 4648 section 4), which clients write and we only read.
#pragma once
#include "codec/base64url.h"

static inline void base64_text(struct buf *out, const void *bytes, size_t len)
{
    size_t from = out->len;
    base64url_encode(out, bytes, len);
    for (size_t i = from; i < out->len; i++)
        out->ptr[i] = (char)(out->ptr[i] == '-' ? '+' : out->ptr[i] == '_' ? '/' : out->ptr[i]);
    while ((out->len - from) % 4 && !out->failed)
        buf_add_char(out, '=');
}
