// SPDX-License-Identifier: Apache-2.0
// How a token endpoint speaks: what stands where in a request, and what answers look like. Each
// dialect is a YAML file (dialects/, docs/dialects.md), read and checked once into this struct;
// endpoints know no spelling of their own. A file says only how it differs from rfc6749.yaml.
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "config/schema.h"
#include "dialect/template.h"
#include "http/http.h"
#include "model/request.h"

#define DIALECT_PARAMETERS_MAX 24
#define DIALECT_PARAMETER_PLACES 3
#define DIALECT_LIBRARY_MAX 64
#define DIALECT_CLAIM_MAX 256 // bytes of a value that goes into a claim
#define DIALECT_EXT_MAX 1024  // of all of them, as JSON

enum dialect_condition {
#define CONDITION(id, word, text) CONDITION_##id,
#include "dialect/conditions.def"
#undef CONDITION
    CONDITIONS
};

// The orders of these enums are those of the words in schema.c.
enum dialect_place { PLACE_BODY, PLACE_QUERY, PLACE_HEADER };
enum dialect_body {
    BODY_FORM = 1 << 0,         // application/x-www-form-urlencoded
    BODY_JSON = 1 << 1,         // application/json: an object of texts
    BODY_JSON_AS_FORM = 1 << 2, // an object under a form's label: the first byte is {
    BODY_FORM_AS_JSON = 1 << 3, // a form under JSON's label
    BODY_UNLABELLED = 1 << 4,   // no Content-Type: as the first byte says
    BODY_EMPTY = 1 << 5,        // no body at all, whatever its label
};
enum dialect_accept { ACCEPT_ANY, ACCEPT_JSON, ACCEPT_REQUIRED };
enum dialect_meaning {
    MEANING_EXTRA, // nothing to us; or a claim
    MEANING_GRANT_TYPE,
    MEANING_CLIENT_ID,
    MEANING_CLIENT_SECRET,
    MEANING_SCOPE,
    MEANING_RESOURCE,
    MEANING_TOKEN,
    MEANING_TOKEN_TYPE_HINT,
    MEANING_USERNAME,
    MEANING_PASSWORD,
    MEANING_REFRESH_TOKEN,
};
enum dialect_client_method { DIALECT_BASIC = 1 << 0, DIALECT_PARAMETERS = 1 << 1 };
enum dialect_source {
    SOURCE_CONSTANT,
    SOURCE_ACCESS_TOKEN,
    SOURCE_EXPIRES_IN,
    SOURCE_EXPIRES_AT,
    SOURCE_ISSUED_AT,
    SOURCE_SCOPE,
    SOURCE_CLIENT_ID,
    SOURCE_APPLICATION,
    SOURCE_RESOURCE,
    SOURCE_REQUEST_ID,
    SOURCE_REFRESH_TOKEN,
    SOURCE_REFRESH_EXPIRES_IN,
    SOURCE_USERNAME,
};
enum dialect_type { TYPE_STRING, TYPE_NUMBER, TYPE_BOOLEAN, TYPE_ARRAY, TYPE_NULL, TYPE_OBJECT };
enum dialect_unit { UNIT_S, UNIT_MS, UNIT_TEXT };
enum dialect_empty { EMPTY_OMIT, EMPTY_KEEP, EMPTY_NULL };
enum dialect_success_body { SUCCESS_JSON, SUCCESS_FORM, SUCCESS_TOKEN };

struct dialect_endpoint {
    struct config_mark mark;
    struct str path; // {name} takes one segment
    unsigned methods; // bits of enum http_method
    unsigned grants;  // bits of enum grant_kind
    bool trailing_slash;
    bool fold_case;
};

struct dialect_grant {
    struct config_mark mark;
    struct str name; // on the wire
    unsigned is;     // enum grant_kind
};

struct dialect_parameter {
    struct config_mark mark; // line 0: it is the base's
    struct str name;
    unsigned is;           // enum dialect_meaning
    struct schema_list in; // unsigned, enum dialect_place: the first one that has it is taken
    bool required;
    struct str fallback; // what is taken when it is not sent
    struct str equals;   // the only value that is taken
    struct str claim;    // of a jwt, under ext: gets the value of an extra one
};

struct dialect_client {
    struct config_mark mark;
    unsigned methods; // bits of enum dialect_client_method
    unsigned basic;   // 0 both spellings, 1 decoded, 2 raw
    bool trim;        // white space at the end of what Basic holds
};

struct dialect_scope {
    struct config_mark mark;
    unsigned separator; // index into " ,+"
    unsigned omitted;   // enum scope_omitted
    struct str words;   // of omitted: default
    unsigned unknown;   // 0 refused, 1 dropped
    struct str order;   // of words in answers: these first; the others as they are sorted
};

struct dialect_token {
    struct config_mark mark;
    unsigned format; // 0: the application's, else enum token_format + 1
    // What a reference looks like.
    unsigned alphabet; // 0: the default shape, else enum token_alphabet + 1
    int64_t length;    // of what stands between prefix and suffix; 0: as the alphabet has it
    struct str prefix, suffix;
    bool checksum;
    unsigned reissue; // enum reissue
};

struct dialect_field {
    struct config_mark mark;
    struct str name;
    struct schema_list under; // struct str: the objects around it, from the outside
    unsigned source;          // enum dialect_source
    unsigned type;            // enum dialect_type
    unsigned unit;            // enum dialect_unit
    int64_t minus;            // taken off a life, in its unit
    struct str value;         // of a constant
    unsigned empty;           // enum dialect_empty
    int64_t never;            // the life told of a token that does not expire; 0: left out
};

struct dialect_success {
    struct config_mark mark;
    int64_t status;
    unsigned body; // enum dialect_success_body
    struct str content_type;
    struct schema_list headers; // struct str
    struct schema_list fields;  // struct dialect_field
    struct str header_lines;    // compiled
};

struct dialect_row {
    struct config_mark mark;
    unsigned when; // bits of enum dialect_condition
    int64_t status;
    struct str code;
    struct str message; // empty: the error's own text
    int64_t number;
    int64_t retry_after;
    struct str body; // of its own; empty: that of all; "empty": none
    struct config_mark body_mark;
    struct schema_list headers; // struct str
    struct dialect_template template;
    struct str header_lines;
};

struct dialect_errors {
    struct config_mark mark;
    struct str body;
    struct config_mark body_mark; // line 0: it is the base's
    struct str content_type;
    struct str challenge; // WWW-Authenticate with 401; "none": none is sent
    int64_t number;       // of rows that have none
    struct schema_list rows; // struct dialect_row
    struct dialect_template template; // of the body, compiled
};

struct dialect_resource {
    struct config_mark mark;
    struct schema_list schemes; // struct str
    struct str header;
    bool one_blank;
    struct str query; // the parameter that may hold the token; "none": no one does
    struct str content_type;
    struct str unauthorized, forbidden, unavailable; // bodies; "empty": none
    struct config_mark unauthorized_mark, forbidden_mark, unavailable_mark;
    struct str challenge;               // as in dialect_errors
};

struct dialect {
    struct str name;
    struct str title;
    // A command that gets a token, with {url}, {id} and {secret} in it, or {basic}, the base64 of
    // ID:SECRET, {issuer} where the API is named and {scope} where one must be; and one that gets a
    // user's, with {username} and {password}, too.
    struct str example, user_example;
    struct str base; // whose words stand where the file has none; empty: rfc6749's
    struct schema_list endpoints;  // struct dialect_endpoint
    unsigned bodies;               // bits of enum dialect_body
    unsigned accept;               // enum dialect_accept
    struct schema_list grants;     // struct dialect_grant
    struct schema_list parameters; // struct dialect_parameter
    struct dialect_client client;
    struct dialect_scope scope;
    struct dialect_token token;
    struct dialect_success success;
    struct dialect_errors errors;
    struct dialect_resource resource;

    struct str text;             // all that was read
    const struct dialect *basis; // what it was filled from; NULL: nothing

    // Compiled.
    struct request_rules rules;
    struct token_shape shape; // of rules
    bool json_errors;
    bool claims;  // some parameter goes into one
    bool queries; // some parameter may stand in the query
    bool headers; // in a header
    bool client_in_query; // a secret of some kind may
    bool token_in_query;  // of a call that /check is asked about
    struct str body_words; // which bodies it reads, for whoever sent another one
    const struct dialect_row *by_condition[CONDITIONS];
    struct dialect_template unauthorized, forbidden, unavailable;
};

// ------------------------------------------------------------------------------------- loading
#define DIALECT_BASES_MAX 4 // behind each other

// Where dialects come from: a folder of files of one's own, then what came with the program. All
// that is found, also texts, lives in the arena.
struct dialect_library {
    struct arena *arena;
    struct config_report *report;
    struct str folder; // STR_NONE: none
    unsigned depth;    // of bases that are looked for, each for the one before
    const struct dialect *known[DIALECT_LIBRARY_MAX]; // each is compiled once
    size_t count;
};

// Reads, checks and compiles a file; its base is looked for in the library. MALFORMED: the report
// says why. NO_MEMORY.
enum twoleg_error dialect_load(struct dialect_library *library, struct str source, struct str text,
                               const struct dialect **ret_dialect) TWOLEG_MUST_CHECK;
// The same by a name. NOT_FOUND when there is none. LIMIT: it is not known yet and is looked for
// as a base behind DIALECT_BASES_MAX others; behind one that is known dialect_load counts them.
enum twoleg_error dialect_find(struct dialect_library *library, struct str name,
                               const struct dialect **ret_dialect) TWOLEG_MUST_CHECK;
// A dialect that came with the program; STR_NONE when there is none of that name.
struct str dialect_shipped(struct str name);
const char *dialect_shipped_name(size_t at); // NULL behind the last one

// ------------------------------------------------------------------------------------- requests
// NULL: nothing stands at this path.
const struct dialect_endpoint *dialect_find_endpoint(const struct dialect *dialect,
                                                     struct str path);
// A path that answers something else, whatever the dialect.
bool dialect_path_is_ours(struct str path);

// Step 1 of the path: reads each parameter once, from where the dialect has it. endpoint NULL: the
// request is for introspection or revocation, and has a token. On an error ret_request is filled as
// far as it could be read: not to be used but for the log.
enum twoleg_error dialect_read(const struct dialect *dialect,
                               const struct dialect_endpoint *endpoint,
                               const struct http_request *request,
                               struct token_request *ret_request) TWOLEG_MUST_CHECK;

// For whoever writes a dialect: what is found of each of its parameters, in their order, also in a
// request that dialect_read refuses. Of a value its length only.
struct dialect_found {
    bool there;
    bool other; // than the one that its parameter must equal
    bool twice; // in one place; not said of a JSON body
    enum dialect_place place;
    size_t len;
};
void dialect_look(const struct dialect *dialect, const struct http_request *request,
                  struct dialect_found found[DIALECT_PARAMETERS_MAX]);

// ------------------------------------------------------------------------------------- answers
// Step 5: the answer. NO_MEMORY.
enum twoleg_error dialect_answer_token(const struct dialect *dialect,
                                       const struct http_request *request,
                                       const struct decision *decision,
                                       const struct issued_token *token,
                                       struct http_answer *ret_answer) TWOLEG_MUST_CHECK;
// Who is refused, and why. retry_us: after how long it helps to come again; 0: as the row says.
struct dialect_refusal {
    enum twoleg_error error;
    int64_t retry_us;
    unsigned allowed; // CONDITION_METHOD: bits of enum http_method
    // Of what HTTP itself refuses: it keeps its status, and says why unless the row does.
    unsigned status;    // 0: the row's
    struct str message; // STR_NONE: the error's words
};
// Never fails (a static answer when memory is out).
void dialect_answer_refusal(const struct dialect *dialect, const struct http_request *request,
                            const struct dialect_refusal *refusal, struct http_answer *ret_answer);
enum dialect_condition dialect_condition(enum twoleg_error error);
struct str dialect_condition_word(enum dialect_condition condition);
bool dialect_content_is_json(struct str content_type);
