// SPDX-License-Identifier: Apache-2.0
#include "http/deadline.h"

#include <stddef.h>

void http_deadlines_init(struct http_deadlines *deadlines)
{
    for (int i = 0; i < HTTP_WAITS; i++) {
        struct http_deadline *head = &deadlines->lists[i];
        head->prev = head;
        head->next = head;
    }
}

void http_deadlines_change(struct http_deadlines *deadlines, enum http_wait wait, int64_t length)
{
    struct http_deadline *head = &deadlines->lists[wait];
    int64_t by = length - deadlines->length[wait];
    deadlines->length[wait] = length;
    if (by == 0)
        return;
    for (struct http_deadline *each = head->next; each != head; each = each->next)
        each->at += by;
}

void http_deadline_clear(struct http_deadline *deadline)
{
    deadline->wait = HTTP_WAIT_NONE;
    if (!deadline->next)
        return;
    deadline->prev->next = deadline->next;
    deadline->next->prev = deadline->prev;
    deadline->prev = NULL;
    deadline->next = NULL;
}

void http_deadline_set(struct http_deadlines *deadlines, struct http_deadline *deadline,
                       enum http_wait wait, int64_t now)
{
    int64_t at = now + deadlines->length[wait];
    if (deadline->next && deadline->wait == wait && deadline->at == at)
        return; // set in this loop turn already
    http_deadline_clear(deadline);
    struct http_deadline *head = &deadlines->lists[wait];
    deadline->wait = wait;
    deadline->at = at;
    deadline->prev = head->prev;
    deadline->next = head;
    head->prev->next = deadline;
    head->prev = deadline;
}

struct http_deadline *http_deadlines_next(struct http_deadlines *deadlines, enum http_wait wait,
                                          const struct http_deadline *before)
{
    struct http_deadline *head = &deadlines->lists[wait];
    struct http_deadline *next = before ? before->next : head->next;
    return next == head ? NULL : next;
}

struct http_deadline *http_deadlines_passed(struct http_deadlines *deadlines, int64_t now)
{
    for (int i = 0; i < HTTP_WAITS; i++) {
        struct http_deadline *head = &deadlines->lists[i];
        if (head->next != head && head->next->at <= now)
            return head->next;
    }
    return NULL;
}
