// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "registry/inside.h"

#define APIS_READ_MAX ((size_t)64 * 1024 * 1024)

static void registry_apis_pack(char **at, struct str *text)
{
    if (text->len)
        memcpy(*at, text->ptr, text->len);
    text->ptr = text->ptr ? *at : NULL;
    *at += text->len;
}

static struct registry_apis *registry_apis_create(const struct api_set *from)
{
    size_t size = sizeof(struct registry_apis) + from->count * sizeof(struct api);
    size_t head = size;
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
    return apis;
}

enum twoleg_error registry_read_apis(struct registry *registry, struct store_reader *reader)
{
    struct arena arena;
    struct api_set set;
    arena_init(&arena, NULL, APIS_READ_MAX);
    enum twoleg_error error = store_apis(reader, &arena, &set);
    struct registry_apis *fresh = error ? NULL : registry_apis_create(&set);
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
