// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "registry/inside.h"

#define APIS_READ_MAX ((size_t)64 * 1024 * 1024)

// Of the list of all scopes, as text: it must fit into the answer of one request.
#define SCOPES_TEXT_MAX ((size_t)24 * 1024)

static int registry_compare_words(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static size_t registry_apis_words(const struct api_set *set, struct str *words)
{
    size_t count = 0;
    struct str word;
    for (size_t i = 0; i < set->count; i++) {
        struct str rest = set->apis[i].scopes;
        for (; str_word(&rest, &word); count++)
            if (words)
                words[count] = word;
    }
    return count;
}

// Joined once for each change: whoever asks for the metadata, without proving anything, must not
// have it computed.
static enum twoleg_error registry_apis_join(const struct api_set *set, struct arena *arena,
                                            struct str *ret_scopes)
{
    size_t count = registry_apis_words(set, NULL);
    struct str *words = arena_array(arena, count + 1, sizeof *words);
    char *memory = arena_alloc(arena, SCOPES_TEXT_MAX);
    struct buf joined;
    if (!words || !memory)
        return TWOLEG_NO_MEMORY;
    registry_apis_words(set, words);
    qsort(words, count, sizeof *words, registry_compare_words);
    buf_init(&joined, memory, SCOPES_TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && str_equal(words[i], words[i - 1]))
            continue;
        buf_add_word(&joined, words[i]);
    }
    *ret_scopes = buf_str(&joined);
    return TWOLEG_NONE;
}

static void registry_apis_pack(char **at, struct str *text)
{
    if (text->len)
        memcpy(*at, text->ptr, text->len);
    text->ptr = text->ptr ? *at : NULL;
    *at += text->len;
}

static struct registry_apis *registry_apis_create(const struct api_set *from, struct str scopes)
{
    size_t size = sizeof(struct registry_apis) + from->count * sizeof(struct api);
    size_t head = size;
    size += scopes.len;
    for (size_t i = 0; i < from->count; i++)
        size += from->apis[i].identifier.len + from->apis[i].name.len +
                from->apis[i].algorithm.len + from->apis[i].scopes.len;
    struct registry_apis *apis = fault_here(FAULT_MEMORY) ? NULL : malloc(size);
    if (!apis)
        return NULL;
    char *text = (char *)apis + head;
    apis->set = (struct api_set){apis->api, from->count};
    for (size_t i = 0; i < from->count; i++) {
        apis->api[i] = from->apis[i];
        registry_apis_pack(&text, &apis->api[i].identifier);
        registry_apis_pack(&text, &apis->api[i].name);
        registry_apis_pack(&text, &apis->api[i].algorithm);
        registry_apis_pack(&text, &apis->api[i].scopes);
    }
    apis->scopes = scopes;
    registry_apis_pack(&text, &apis->scopes);
    return apis;
}

enum twoleg_error registry_read_apis(struct registry *registry, struct store_reader *reader)
{
    struct arena arena;
    struct api_set set;
    struct str scopes;
    arena_init(&arena, NULL, APIS_READ_MAX);
    enum twoleg_error error = store_apis(reader, &arena, &set);
    if (!error)
        error = registry_apis_join(&set, &arena, &scopes);
    struct registry_apis *fresh = error ? NULL : registry_apis_create(&set, scopes);
    if (fresh) {
        struct registry_apis *old = atomic_exchange(&registry->apis, fresh);
        epoch_retire(registry->epoch, old ? &old->note : NULL, free);
    } else if (!error) {
        error = TWOLEG_NO_MEMORY;
    }
    arena_finish(&arena);
    return error;
}

const struct api_set *registry_apis(const struct registry *registry)
{
    return &atomic_load_explicit(&registry->apis, memory_order_acquire)->set;
}

struct str registry_scopes(const struct registry *registry)
{
    return atomic_load_explicit(&registry->apis, memory_order_acquire)->scopes;
}
