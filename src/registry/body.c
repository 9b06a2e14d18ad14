// SPDX-License-Identifier: Apache-2.0
#include "registry/body.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

static size_t body_text_size(const struct application *from)
{
    size_t size = from->client_id.len + from->name.len + from->dialects.len;
    for (size_t i = 0; i < from->api_count; i++)
        size += from->apis[i].scopes.len;
    for (size_t i = 0; i < from->secret_count; i++) {
        const struct secret *secret = &from->secrets[i];
        size += secret->slow_hash.len + secret->label.len + secret->used_address.len;
    }
    return size;
}

// Moves the view to a copy of its text at *at.
static void body_pack(char **at, struct str *text)
{
    if (text->len)
        memcpy(*at, text->ptr, text->len);
    text->ptr = text->ptr ? *at : NULL;
    *at += text->len;
}

struct body *body_create(const struct application *application)
{
    const struct application *from = application;
    size_t apis = from->api_count * sizeof(struct application_api);
    size_t secrets = from->secret_count * sizeof(struct secret);
    struct body *body = NULL;
    if (!fault_here(FAULT_MEMORY))
        body = malloc(sizeof *body + apis + secrets + body_text_size(from));
    if (!body)
        return NULL;
    *body = (struct body){.application = *from};
    struct application_api *api = (struct application_api *)(body + 1);
    struct secret *secret = (struct secret *)((char *)api + apis);
    char *text = (char *)secret + secrets;
    body->application.apis = api;
    body->application.secrets = secret;
    body_pack(&text, &body->application.client_id);
    body_pack(&text, &body->application.dialects);
    body_pack(&text, &body->application.name);
    for (size_t i = 0; i < from->api_count; i++) {
        api[i] = from->apis[i];
        body_pack(&text, &api[i].scopes);
    }
    for (size_t i = 0; i < from->secret_count; i++) {
        secret[i] = from->secrets[i];
        body_pack(&text, &secret[i].slow_hash);
        body_pack(&text, &secret[i].label);
        body_pack(&text, &secret[i].used_address);
    }
    return body;
}

void body_destroy(void *body)
{
    free(body);
}

void body_list_add(struct body_list *list, struct body *body)
{
    body->newer = NULL;
    body->older = list->newest;
    if (list->newest)
        list->newest->newer = body;
    else
        list->oldest = body;
    list->newest = body;
    list->count++;
}

void body_list_remove(struct body_list *list, struct body *body)
{
    if (list->hand == body)
        list->hand = body->newer;
    *(body->newer ? &body->newer->older : &list->newest) = body->older;
    *(body->older ? &body->older->newer : &list->oldest) = body->newer;
    list->count--;
}

struct body *body_list_victim(struct body_list *list)
{
    struct body *hand = list->hand ? list->hand : list->oldest;
    // Readers may heat them again behind the hand; after two rounds the next one goes all the same.
    for (size_t i = 0; hand && i < 2 * list->count; i++) {
        if (atomic_load_explicit(&hand->heat, memory_order_relaxed) != BODY_HOT)
            break;
        atomic_store_explicit(&hand->heat, BODY_COLD, memory_order_relaxed);
        hand = hand->newer ? hand->newer : list->oldest;
    }
    list->hand = hand;
    return hand;
}
