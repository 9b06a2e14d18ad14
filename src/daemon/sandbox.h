// SPDX-License-Identifier: Apache-2.0
// What the process gives up, so that whoever takes it over gets little: core dumps, new rights, its
// first user, files outside its folders, system calls that it never makes. D7, security.md 3.
#pragma once
#include "base/error.h"
#include "config/config.h"

#define SANDBOX_REASON 512

// What the kernel took; for the log.
struct sandbox {
    int landlock;           // version of its interface; 0: not in force
    const char *files_why;  // why it is not, else NULL
    bool filter;            // the system calls are filtered
    const char *filter_why; // why they are not, else NULL
};

// No core dump, no tracer, no new rights by set-uid programs. First of all.
enum twoleg_error sandbox_begin(void) TWOLEG_MUST_CHECK;
// Why the two below cannot be used in this build, or NULL: sanitizers open files and make calls of
// their own, also while they report.
const char *sandbox_obstacle(void);
// Whether there is the user that the configuration names. REFUSED, in words.
enum twoleg_error sandbox_check_user(const struct config *config,
                                     char ret_reason[static SANDBOX_REASON]) TWOLEG_MUST_CHECK;
// Gives root up for the user that the configuration names; the data folder is made for it if it is
// not there. Nothing without one. Ports are bound and the configuration is read before, all other
// files are opened after. REFUSED, in words: no such user, or this process may not become it.
enum twoleg_error sandbox_become(const struct config *config,
                                 char ret_reason[static SANDBOX_REASON]) TWOLEG_MUST_CHECK;
// From now on this thread and those it starts open files only in the data folder, and read those
// the configuration names. A kernel without Landlock is no error: sandbox->files_why says it. The
// data folder must be there.
enum twoleg_error sandbox_confine_files(struct sandbox *sandbox, const struct config *config,
                                        char ret_reason[static SANDBOX_REASON]) TWOLEG_MUST_CHECK;
// From now on any system call of any thread that is not on the list kills the process. Once every
// thread runs. A kernel without filters is no error: sandbox->filter_why says it.
enum twoleg_error sandbox_filter_calls(struct sandbox *sandbox,
                                       char ret_reason[static SANDBOX_REASON]) TWOLEG_MUST_CHECK;
