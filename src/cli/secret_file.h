// SPDX-License-Identifier: Apache-2.0
// Secrets come from files and go to files, never through an argument list.
#pragma once
#include "cli/cli.h"

// Adds "client_secret" or "password" when --client-secret-file or --password-file is given: the
// file's text without one newline at its end. "-" is standard input; at a terminal it is asked for,
// unseen.
enum cli_exit secret_file_read(struct cli *cli, json_t *body);

// --secret-file, made before the server is asked: a secret that cannot be kept is never made.
struct secret_file {
    const char *path; // NULL: not wanted
    int fd;
};
enum cli_exit secret_file_open(struct cli *cli, struct secret_file *ret_file);
// Exactly the bytes of the answer's client_secret, no newline. answer NULL: nothing was made, the
// file goes away. When it cannot be written, says that the secret is lost and what to do.
enum cli_exit secret_file_close(struct secret_file *file, const json_t *answer);
// After the answer was printed: the same where its secret went to standard output and did not
// arrive.
enum cli_exit secret_file_printed(const struct secret_file *file, const json_t *answer);
