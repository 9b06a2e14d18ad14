// SPDX-License-Identifier: Apache-2.0
// One call of the admin API: rights, parameters and body on the way in, JSON on the way out.
#pragma once
#include "codec/json_write.h"
#include "endpoint/server.h"
#include "manage/application.h"

struct admin_list;
struct admin_call {
    struct http_request *request;
    struct http_answer *answer;
    struct endpoint_context *context;
    struct server *server;
    bool has_if_match; // If-Match names the version that the change was made from
    uint64_t if_match;
    const struct admin_list *list; // a page of it is asked for
    struct manage_actor actor;
    char actor_name[24];
    char problem[MANAGE_PROBLEM_MAX]; // words for an error; empty: the error's own
    struct buf out;
    struct json_writer json;
};

// What a route does. On TWOLEG_NONE the answer is filled; TWOLEG_WAIT passes to the connection; any
// other error becomes an answer.
typedef enum twoleg_error admin_action(struct admin_call *call);

// The handler of every route: checks the operator's rights, runs the action, answers errors.
enum twoleg_error admin_run(struct http_request *request, struct http_answer *ret_answer,
                            admin_action *action);

enum twoleg_error admin_refuse(struct admin_call *call, enum twoleg_error error,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));

// As admin_refuse, in the store's words for a change that it did not take; false: it has none.
bool admin_explain(struct admin_call *call, enum twoleg_error error, enum store_failure failure);

// The answer's JSON: begin, write members to call->json, end.
void admin_answer_begin(struct admin_call *call);
void admin_answer_begin_in(struct admin_call *call, struct arena *arena, size_t size); // of a list
enum twoleg_error admin_answer_end(struct admin_call *call, unsigned status);
// JSON that was written elsewhere.
enum twoleg_error admin_answer(struct admin_call *call, unsigned status, const struct buf *body);

// Reads the query: each parameter at most once, and none but these. STR_NONE: not given.
struct admin_parameter {
    const char *name;
    struct str *value;
};
enum twoleg_error admin_query(struct admin_call *call, const struct admin_parameter *parameters,
                              size_t count) TWOLEG_MUST_CHECK;
// ?after= and ?limit= of a list, and no other parameter.
struct admin_page {
    struct str after; // the name of the last row before the page; STR_NONE: from the first
    size_t limit;     // 1 to 1000; 100 when it is not given
};
enum twoleg_error admin_page_read(struct admin_call *call,
                                  struct admin_page *ret_page) TWOLEG_MUST_CHECK;
// A limit or position of a page.
enum twoleg_error admin_number(struct admin_call *call, const char *name, struct str text,
                               uint64_t most, uint64_t *ret_number) TWOLEG_MUST_CHECK;
