// SPDX-License-Identifier: Apache-2.0
// A copy of the store from before a `master rotate` opens under the key of then only, and after
// some changes nobody knows by the names which one that is.
#include "keyring/before.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "crypto/wipe.h"
#include "keyring/reason.h"

#define BEFORE_TRIED_MAX 1000

struct before {
    struct master file; // the one that is tried
    const struct store_key *keys;
    size_t count;
    unsigned tried;
};

static bool before_opens(struct before *before)
{
    char reason[512];
    struct keyring_body *body;
    if (master_read(&before->file, reason) ||
        keyring_body_create(&before->file, before->keys, before->count, 1, &body, reason))
        return false;
    keyring_body_destroy(body);
    return true;
}

// True: it has the path of the one that opens the keys.
static bool before_search(struct before *before, const char *path)
{
    char folder[MASTER_PATH_MAX];
    char start[NAME_MAX + 1];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    int len = snprintf(start, sizeof start, "%s.before-", name);
    if (len < 0 || (size_t)len >= sizeof start)
        return false;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(name - path) : 2, slash ? path : "./");
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool found = false;
    while (dir && !found && before->tried < BEFORE_TRIED_MAX && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, start, (size_t)len) != 0)
            continue;
        before->tried++;
        int size = snprintf(before->file.path, sizeof before->file.path, "%s%s", folder,
                            entry->d_name);
        found = size > 0 && (size_t)size < sizeof before->file.path && before_opens(before);
    }
    if (dir)
        closedir(dir);
    return found;
}

void before_explain(struct keyring *keyring, const char *folder, char reason[static 512])
{
    struct arena arena;
    struct store_key *keys;
    size_t count;
    char beside[MASTER_PATH_MAX];
    struct secret_bytes SECRET_BYTES_WIPED content = {.len = MASTER_SIZE};
    const char *path = keyring->master.path;
    arena_init(&arena, NULL, KEYS_READ_MAX);
    if (!keyring_read_rows(keyring, &arena, &keys, &count) && count > 0) {
        struct before before = {.file = {.given = true, .bytes = content.bytes},
                                .keys = keys,
                                .count = count};
        snprintf(beside, sizeof beside, "%s/master.key", folder);
        // What does not fit is cut from the end, where the path stands that is known best.
        if (before_search(&before, path) ||
            (strcmp(path, beside) != 0 && before_search(&before, beside)))
            reason_set(reason, TWOLEG_REFUSED,
                       "this store is from before a change of its master key. Name the one of then "
                       "as master_key_file in the configuration, and keep the present one: the "
                       "store that was replaced needs it, and later copies. The one of then is "
                       "%s, the present one %s",
                       before.file.path, path);
    }
    arena_finish(&arena);
}
