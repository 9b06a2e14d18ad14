// SPDX-License-Identifier: Apache-2.0
// The answer of our own admin API, as it came over the socket.
#pragma once
#include "base/str.h"

struct cli_answer {
    unsigned status;
    struct str body; // a view into the text
};

// "HTTP/1.1 NNN ...", header lines with one Content-Length, a blank line, exactly so many bytes.
// False for anything else: the server broke off, or it is none of ours.
bool cli_answer_read(struct str text, struct cli_answer *ret_answer);
