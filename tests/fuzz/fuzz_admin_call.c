// SPDX-License-Identifier: Apache-2.0
// What a call of the admin API says beside its body: a line for If-Match, one for the query, then a
// byte for the error that its action ends with. Whoever is not the operator gets nothing, and every
// answer is JSON with a status and a word of the table.
#include <string.h>
#include <unistd.h>

#include "codec/json_read.h"
#include "endpoint/admin/call.h"
#include "fuzz.h"
#include "http/listener.h"
#include "store/sqlite/state.h"

static unsigned char outcome;
static bool read_whole;

static enum twoleg_error fuzz_action(struct admin_call *call)
{
    struct admin_page page;
    FUZZ_MUST(call->actor.operator_rights && call->actor.name.len > 4);
    enum twoleg_error error = admin_page_read(call, &page);
    if (error)
        return error;
    FUZZ_MUST(page.limit >= 1 && page.limit <= 1000);
    FUZZ_MUST(!page.after.ptr || str_find(page.after, '\0') == page.after.len);
    read_whole = true;
    if (outcome % TWOLEG_ERRORS)
        return (enum twoleg_error)(outcome % TWOLEG_ERRORS);
    admin_answer_begin(call);
    json_key_str(&call->json, STR("after"), page.after);
    json_key_u64(&call->json, STR("limit"), page.limit);
    json_key_u64(&call->json, STR("if_match"), call->if_match);
    return admin_answer_end(call, 200);
}

static void fuzz_answer(const struct http_answer *answer)
{
    struct str body = str_slice(answer->body, 0, answer->body.len - 1);
    FUZZ_MUST(answer->body.len > 2 && str_ends_with(answer->body, STR("\n")));
    FUZZ_MUST(json_check(body, NULL) == TWOLEG_NONE && answer->no_store);
    FUZZ_MUST((answer->status == 503) == (answer->headers.len > 0));
    if (answer->status == 200)
        FUZZ_MUST(str_starts_with(body, STR("{\"after\":\"")));
    else
        FUZZ_MUST(answer->status >= 400 && str_starts_with(body, STR("{\"error\":\"")));
}

static void fuzz_call(struct str if_match, struct str query, uid_t uid, size_t memory)
{
    static struct store store;
    static struct server server = {.store = &store};
    static const struct snapshot snapshot = {.config = {.log_requests = CONFIG_LOG_NONE}};
    struct endpoint_context context = {.server = &server, .snapshot = &snapshot};
    const struct http_listener listener = {.fd = -1, .operator_rights = true};
    const struct http_header header = {STR("if-match"), if_match};
    struct http_answer answer = {.status = 0};
    struct arena arena;
    arena_init(&arena, NULL, memory);
    struct http_request request = {.query = query,
                                   .headers = &header,
                                   .header_count = if_match.ptr != NULL,
                                   .listener = &listener,
                                   .peer_uid = uid,
                                   .arena = &arena,
                                   .context = &context};
    read_whole = false;
    enum twoleg_error error = admin_run(&request, &answer, fuzz_action);
    FUZZ_MUST(arena.wipe);
    if (uid != geteuid() && uid != 0)
        FUZZ_MUST(!read_whole && answer.status == 403);
    if (error)
        FUZZ_MUST(error == TWOLEG_WAIT && read_whole);
    else
        fuzz_answer(&answer);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = str_of(data, size);
    struct str if_match = fuzz_line(&input);
    struct str query = fuzz_line(&input);
    outcome = input.len ? (unsigned char)input.ptr[0] : 0;
    fuzz_call(if_match, query, geteuid(), ARENA_REQUEST_CAP);
    fuzz_call(if_match, query, geteuid(), 64); // nothing fits
    fuzz_call(if_match, query, 4711, ARENA_REQUEST_CAP);
    return 0;
}
