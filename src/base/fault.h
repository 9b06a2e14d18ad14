// SPDX-License-Identifier: Apache-2.0
// Test hooks that make a chosen call fail, and stop points where a test can hold a thread. They
// exist in the sanitizer presets only; in release each is a constant that the compiler removes.
#pragma once
#include <stdbool.h>

enum fault_kind {
    FAULT_MEMORY, // an allocation of ours
    FAULT_STORE,  // a fallible step of the store
    FAULT_IO,     // a file or socket call
    FAULT_RANDOM, // the random source
    FAULT_LIBRARY, // an allocation of OpenSSL
    FAULT_KINDS
};

#ifdef TWOLEG_TEST_HOOKS
// True when this call is the one that a test asked to fail.
bool fault_here(enum fault_kind kind);
// The nth call from now fails (1 = the next); with sticky, every one after it too. 0 switches off.
void fault_arm(enum fault_kind kind, unsigned long nth, bool sticky);
// Calls seen since the last arm: lets a loop know when it has covered all.
unsigned long fault_count(enum fault_kind kind);

// Blocks here while a test holds the point of this name.
void stop_point(const char *name);
bool stop_hold(const char *name);    // the next arrivals wait; false when too many are held
bool stop_waiting(const char *name); // is a thread waiting there now?
bool stop_release(const char *name); // who waits goes on, whatever is held next

// The checks of the gate that a mutation run leaves out, by name.
bool mutant_drops(const char *check);
bool mutant_set(const char *check); // NULL or "" restores all
#else
static inline bool fault_here(enum fault_kind kind)
{
    (void)kind;
    return false;
}
static inline void stop_point(const char *name)
{
    (void)name;
}
static inline bool mutant_drops(const char *check)
{
    (void)check;
    return false;
}
#endif
