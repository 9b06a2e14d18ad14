// SPDX-License-Identifier: Apache-2.0
// Dialect files that are wrong are refused with the line and what would be right.
#include <stdio.h>

#include "dialect_test.h"

#define FIELDS HEAD PATHS "success:\n  fields:\n"
#define JWT "token: {format: jwt}\n"
#define TOKEN "    - {name: a, source: access_token}\n"

static int setup(void **state)
{
    return dialect_world_create(state, NULL);
}

static const struct {
    const char *text;
    const char *report; // its start
} wrong[] = {
    {HEAD "colour: red\n", "x.yaml:3:1: unknown key \"colour\""},
    {HEAD PATHS "    method: [GET]\n",
     "x.yaml:5:5: endpoints[0]: unknown key \"method\". Did you mean"},
    {HEAD "success:\n  fields:\n    - {name: a, source: acces_token}\n",
     "x.yaml:5:25: success.fields[0].source: \"acces_token\" is not one of its words. Did you mean "
     "\"access_token\"?"},
    {HEAD "endpoints:\n  - path: /t\n  - path: /t\n    methods: [GET, POST]\n",
     "x.yaml:5:5: endpoints[1]: the path \"/t\" stands there twice, first in line 4"},
    {HEAD "endpoints:\n  - {path: /t/a}\n  - {path: /T/A, fold_case: true}\n",
     "x.yaml:5:5: endpoints[1]: the path \"/T/A\" fits what \"/t/a\" in line 4 fits, and nothing "
     "says which of them is meant\n"},
    {HEAD "endpoints:\n  - {path: '/{a}/t'}\n  - {path: '/{b}/t'}\n",
     "x.yaml:5:5: endpoints[1]: the path \"/{b}/t\" fits what \"/{a}/t\" in line 4 fits"},
    // One hole each: neither is the more exact one.
    {HEAD "endpoints:\n  - {path: '/{a}/t'}\n  - {path: '/b/{c}'}\n",
     "x.yaml:5:5: endpoints[1]: the path \"/b/{c}\" fits what \"/{a}/t\" in line 4 fits"},
    {HEAD "endpoints:\n  - path: token\n",
     "x.yaml:4:5: endpoints[0]: path \"token\" does not start with /"},
    {HEAD "endpoints:\n  - path: /a//b\n",
     "x.yaml:4:5: endpoints[0]: path \"/a//b\" has an empty segment"},
    {HEAD "endpoints:\n  - path: /a/../b\n",
     "x.yaml:4:5: endpoints[0]: path \"/a/../b\" has an empty segment, . or .."},
    {HEAD "endpoints:\n  - path: /a/\n", "x.yaml:4:5: endpoints[0]: path \"/a/\" ends with /"},
    {HEAD "endpoints:\n  - path: '/a{b}'\n",
     "x.yaml:4:5: endpoints[0]: path \"/a{b}\" has braces"},
    {HEAD "endpoints:\n  - path: /admin/v1\n",
     "x.yaml:4:5: endpoints[0]: path \"/admin/v1\" is a path of the server's own"},
    {HEAD "endpoints:\n  - path: /OAuth/Introspect\n",
     "x.yaml:4:5: endpoints[0]: path \"/OAuth/Introspect\" is a path of the server's own"},
    {HEAD PATHS "grants:\n  - {name: a, is: client_credentials}\n  - {name: a, is: "
     "client_credentials}\n",
     "x.yaml:7:5: grants[1]: the name \"a\" stands there twice, first in line 6"},
    {HEAD PATHS "parameters:\n  - {name: a, is: scope}\n  - {name: b, is: scope}\n",
     "x.yaml:7:5: parameters: \"b\" has the meaning of \"a\" in line 6"},
    {HEAD PATHS "parameters:\n  - {name: scope, is: client_id}\n",
     "x.yaml:6:5: parameters: \"scope\" has the name of rfc6749's \"scope\": give that "
     "another one, with a parameter that is: scope\n"},
    // Of what comes from a base no line is named: that is one of another file.
    {HEAD "parameters: [{name: username}]\n",
     "x.yaml:3:14: parameters: \"username\" has the name of rfc6749's \"username\": give that "
     "another one, with a parameter that is: username\n"},
    {HEAD PATHS "parameters: [{name: resource}]\n",
     "x.yaml:5:14: parameters: \"resource\" has the name of rfc6749's \"resource\": give"},
    {HEAD "base: azampay\nparameters: [{name: appName, is: scope}]\n",
     "x.yaml:4:14: parameters: \"appName\" has the name of azampay's \"appName\"\n"},
    {HEAD "base: wechat\nparameters: [{name: secret, is: scope}]\n",
     "x.yaml:4:14: parameters: \"secret\" has the name of wechat's \"secret\": give that "
     "another one, with a parameter that is: client_secret\n"},
    {HEAD "base: azampay\ngrants: [{name: cc, is: client_credentials}]\n",
     "x.yaml:4:1: grants: azampay's \"grant_type\" has a default that is no name of "
     "client_credentials\n"},
    {HEAD "base: azampay\nsuccess:\n  body: form\n",
     "x.yaml:5:3: success.body: azampay's \"accessToken\" is under an object, which a form has "
     "not\n"},
    {FIELDS "    - {name: b, under: [a], source: access_token}\n  body: form\n",
     "x.yaml:7:7: success.fields[0]: \"b\" is under an object, which a form has not\n"},
    {HEAD PATHS "parameters:\n  - {name: a, in: [body, body]}\n",
     "x.yaml:6:5: parameters: \"a\" names one place twice"},
    {HEAD PATHS "parameters:\n  - {name: authorization, in: [header]}\n",
     "x.yaml:6:5: parameters: \"authorization\" is a header that means something else"},
    {HEAD PATHS "parameters:\n  - {name: g, is: grant_type, default: password}\n",
     "x.yaml:6:5: parameters: \"g\" has a default that is no name of client_credentials"},
    {HEAD PATHS "parameters:\n  - {name: g, is: client_secret, default: s}\n",
     "x.yaml:6:5: parameters: \"g\" may have no default"},
    {HEAD PATHS "parameters:\n  - {name: g, is: scope, equals: s}\n",
     "x.yaml:6:5: parameters: \"g\" may have no equals"},
    {HEAD PATHS "parameters:\n  - {name: key, is: token}\n",
     "x.yaml:6:5: parameters: \"key\" is of introspection, which speaks rfc6749"},
    {"name: rfc6749\ntitle: X\nparameters:\n  - {name: key, is: token}\n",
     "x.yaml:4:5: parameters: \"key\" is of introspection"},
    {"name: rfc6749\ntitle: X\nparameters:\n  - {name: token, is: token, in: [query]}\n",
     "x.yaml:4:5: parameters: \"token\" is of introspection"},
    {HEAD PATHS "parameters:\n  - {name: access_token, in: [query]}\n",
     "x.yaml:6:5: parameters: \"access_token\" is never taken from a query"},
    {HEAD PATHS "parameters:\n  - {name: g, claim: tenant}\n",
     "x.yaml:6:5: parameters: \"g\" has a claim, which needs token.format: jwt"},
    {HEAD PATHS "parameters:\n  - {name: g, claim: tenant}\ntoken: {format: sealed}\n",
     "x.yaml:7:1: parameters: \"g\" has a claim, which needs token.format: jwt"},
    {HEAD PATHS "base: zoom\ntoken: {format: sealed}\n",
     "x.yaml:6:1: parameters: \"account_id\" has a claim, which needs token.format: jwt"},
    {HEAD PATHS JWT "parameters:\n  - {name: g, is: scope, claim: tenant}\n",
     "x.yaml:7:5: parameters: \"g\" may have no claim"},
    {HEAD PATHS JWT "parameters:\n  - {name: g, claim: a}\n  - {name: h, claim: a}\n",
     "x.yaml:8:5: parameters: \"h\" has the claim of \"g\" in line 7"},
    {HEAD PATHS JWT "parameters:\n  - {name: g, claim: A-b}\n",
     "x.yaml:7:22: parameters[0].claim: \"A-b\" "},
    {HEAD PATHS "scope:\n  omitted: default\n",
     "x.yaml:6:3: scope: omitted: default needs default"},
    {HEAD PATHS "scope:\n  default: a\n", "x.yaml:6:3: scope: default stands there"},
    {HEAD PATHS "scope: {omitted: default, default: 'a\"b'}\n", "x.yaml:5:8: scope: default holds"},
    {HEAD PATHS "token: {alphabet: hex, length: 40}\n",
     "x.yaml:5:8: token: alphabet, length, prefix, suffix and checksum are of format: reference"},
    {HEAD PATHS "token:\n  format: sealed\n  prefix: a\n", "x.yaml:6:3: token: alphabet, length"},
    {HEAD "base: smscx\ntoken: {suffix: a}\n", "x.yaml:4:8: token: alphabet, length"},
    {HEAD PATHS "token: {reissue: same}\n",
     "x.yaml:5:8: token: reissue: same needs format: reference"},
    {HEAD PATHS "token: {format: jwt, reissue: same}\n", "x.yaml:5:8: token: reissue: same needs"},
    {HEAD PATHS "token: {format: sealed, reissue: replace}\n",
     "x.yaml:5:8: token: reissue: replace needs format: reference"},
    {HEAD "base: marketo\ntoken: {format: sealed, reissue: same}\n",
     "x.yaml:4:8: token: reissue: same needs"},
    {HEAD PATHS "token: {format: reference, reissue: often}\n",
     "x.yaml:5:37: token.reissue: \"often\" is not one of its words"},
    {HEAD PATHS "token: {format: reference, length: 40}\n",
     "x.yaml:5:8: token: alphabet must say of what the tokens are made: alphanumeric, hex or uuid"},
    {HEAD PATHS "token: {format: reference, checksum: true}\n",
     "x.yaml:5:8: token: alphabet must say"},
    {HEAD PATHS "token: {format: reference, alphabet: base32, length: 40}\n",
     "x.yaml:5:38: token.alphabet: \"base32\" is not one of its words"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 29}\n",
     "x.yaml:5:8: token: 29 hex digits can be guessed: length must be 30 or more, which is 120 "
     "bits at random"},
    {HEAD PATHS "token: {format: reference, alphabet: hex}\n",
     "x.yaml:5:8: token: 0 hex digits can be guessed: length must be 30"},
    {HEAD PATHS "token: {format: reference, alphabet: alphanumeric, length: 20}\n",
     "x.yaml:5:8: token: 20 letters and digits can be guessed: length must be 21 or more"},
    {HEAD PATHS "token: {format: reference, alphabet: uuid, length: 32}\n",
     "x.yaml:5:8: token: length is 32, but a UUID has 36"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 121}\n",
     "x.yaml:5:51: token.length: \"121\" is too large"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 114, checksum: true, "
                "prefix: a}\n",
     "x.yaml:5:8: token: 121 characters with prefix, suffix and checksum: more than 120 could be a "
     "token of another format"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 40, prefix: 'a b'}\n",
     "x.yaml:5:63: token.prefix: \"a b\" has a character that is not allowed"},
    {HEAD PATHS "token: {format: reference, alphabet: hex, length: 40, suffix: '\"'}\n",
     "x.yaml:5:63: token.suffix: "},
    {HEAD PATHS "success:\n  fields:\n    - {name: a, value: b}\n",
     "x.yaml:6:3: success.fields: none has source access_token"},
    {FIELDS TOKEN "    - {name: a, value: b}\n",
     "x.yaml:8:7: success.fields[1]: \"a\" is named twice, first in line 7"},
    {FIELDS TOKEN "    - {name: b, under: [a], value: b}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" is named twice"},
    {FIELDS "    - {name: a, under: [d], source: access_token}\n    - {name: b, value: c}\n"
            "    - {name: c, under: [d], value: d}\n",
     "x.yaml:9:7: success.fields[2]: \"c\" "},
    {HEAD PATHS "success:\n  fields:\n    - {name: a, source: access_token, type: number}\n",
     "x.yaml:7:7: success.fields[0]: \"a\" has a type in which its source cannot be written"},
    {FIELDS TOKEN "    - {name: b, source: scope, type: number}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has a type in which its source cannot be written: "
     "string and array can be\n"},
    {FIELDS TOKEN "    - {name: b, source: issued_at, unit: text, type: number}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has a type in which its source cannot be written: "
     "string can be\n"},
    {FIELDS TOKEN "    - {name: b, source: expires_in, type: array}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has a type in which its source cannot be written: "
     "string and number can be\n"},
    {FIELDS TOKEN "    - {name: b, value: ''}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" is never sent: an empty value needs empty: keep\n"},
    {FIELDS TOKEN "    - {name: b, source: issued_at, never: 7}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has never, which only expires_in and expires_at may "
     "have\n"},
    {FIELDS TOKEN "    - {name: b, source: expires_at, unit: text, never: 9007199254740991}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has never with which a year would have more than four "
     "digits\n"},
    {HEAD PATHS "scope: {order: a b a}\n",
     "x.yaml:5:8: scope: order must be scopes with one blank between them, each once\n"},
    {HEAD PATHS "scope: {order: 'a \"b'}\n", "x.yaml:5:8: scope: order must be scopes"},
    {FIELDS TOKEN "    - {name: b, type: null}\n",
     "x.yaml:8:23: success.fields[1].type: has no value: the word is written 'null', in quotes"},
    {HEAD "endpoints:\n  - {path: /t, grants: [client_credentials, refresh_token]}\n" "success:\n"
          "  fields:\n" TOKEN,
     "x.yaml:4:5: endpoints[0]: its grants need a field of source refresh_token\n"},
    {HEAD PATHS "grants: [{name: a, is: password}]\nparameters:\n  - {name: g, is: grant_type}\n",
     "x.yaml:4:5: endpoints[0]: grants has none that is: client_credentials\n"},
    {HEAD "endpoints:\n  - {path: /t}\n  - {path: /u, methods: [GET]}\n",
     "x.yaml:5:5: endpoints: nobody can ask for client_credentials at \"/u\": \"grant_type\" is "
     "read from the body, and GET has none\n"},
    {HEAD "base: moneygram\nendpoints: [{path: /t, methods: [GET], grants: [password]}]\n",
     "x.yaml:4:13: endpoints: nobody can ask for password at \"/t\": \"username\" is read from the "
     "body, and GET has none\n"},
    {HEAD "base: daraja\nclient: {methods: [parameters]}\n",
     "x.yaml:4:1: endpoints: nobody can ask for client_credentials at \"/oauth/v1/generate\": "
     "\"client_id\" is read from the body, and GET has none\n"},
    {HEAD "bodies: [empty, unlabelled]\n",
     "x.yaml:3:1: endpoints: nobody can ask for client_credentials at \"/oauth/token\": "
     "\"grant_type\" is read from the body, and bodies reads none\n"},
    {HEAD "base: daraja\nparameters: [{name: account, required: true}]\n",
     "x.yaml:4:1: endpoints: nobody can ask for client_credentials at \"/oauth/v1/generate\": "
     "\"account\" is read from the body, and GET has none\n"},
    // The mark that some editors put before all.
    {"\xef\xbb\xbf" HEAD "colour: red\n", "x.yaml:3:1: unknown key \"colour\""},
    {FIELDS TOKEN "    - {name: b, value: x, type: number}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [not_found], status: 200}\n",
     "x.yaml:7:7: errors.rows: not_found needs a status of 400 to 599"},
    {FIELDS TOKEN "    - {name: b, value: ' \"x\"', type: number}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, value: ' true', type: number}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, value: '{}', type: array}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, value: '[1,]', type: array}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, value: '{\"a\":1,\"a\":2}', type: object}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has no value, or one that is not of its type"},
    {FIELDS TOKEN "    - {name: b, source: client_id, type: object}\n",
     "x.yaml:8:7: success.fields[1]: \"b\" has a type in which its source cannot be written"},
    {HEAD PATHS "resource:\n  unavailable: '{\"a\":{message}}'\n",
     "x.yaml:6:3: resource.unavailable: the template has {message} without quotes: a text is "
     "written \"{message}\" in JSON"},
    {HEAD PATHS "success:\n  status: 302\n", "x.yaml:6:11: success.status: \"302\" is too large"},
    {HEAD PATHS "success:\n  headers: ['Set-Cookie: a=b']\n",
     "x.yaml:6:3: success.headers[0]: \"Set-Cookie: a=b\" is a header that is the server's own "
     "to set"},
    {HEAD PATHS "success:\n  headers: ['Refresh: 0; url=https://a.example']\n",
     "x.yaml:6:3: success.headers[0]: \"Refresh: 0; url=https://a.example\" is a header that is"},
    {HEAD PATHS "success:\n  headers: ['location: //a.example']\n",
     "x.yaml:6:3: success.headers[0]: \"location: //a.example\" is a header that is the server's"},
    {HEAD PATHS "errors:\n  challenge: Basic realm=\"a\n",
     "x.yaml:6:3: errors.challenge: the quotes of 'Basic realm=\"a' do not end\n"},
    {HEAD PATHS "resource:\n  challenge: Bearer realm=\"a\\\"\n",
     "x.yaml:6:3: resource.challenge: the quotes of 'Bearer realm=\"a\\\"' do not end\n"},
    {HEAD PATHS "success:\n  headers: ['x-content-type-options: none']\n",
     "x.yaml:6:3: success.headers[0]: \"x-content-type-options: none\" is a header that is the "
     "server's own to set"},
    // A gzip that is none: no client could read a token.
    {HEAD PATHS "success:\n  headers: ['Content-Encoding: gzip']\n",
     "x.yaml:6:3: success.headers[0]: \"Content-Encoding: gzip\" is a header that is the server's"},
    {HEAD PATHS "errors:\n  rows:\n    - when: [scope]\n      status: 400\n      code: a\n"
                "      headers: ['X-A: b', 'cdn-cache-control: max-age=60']\n",
     "x.yaml:7:7: errors.rows.headers[1]: \"cdn-cache-control: max-age=60\" is a header that is"},
    {HEAD PATHS "success:\n  headers: [X-Y: 1]\n",
     "x.yaml:6:13: success.headers[0]: a mapping stands here (text, 3 to 512 bytes of the form "
     "'Name: value')\n"},
    {HEAD PATHS "success:\n  headers: ['X-Y']\n",
     "x.yaml:6:3: success.headers[0]: \"X-Y\" is not of the form Name: value"},
    {HEAD PATHS "success:\n  headers: ['X(Y): 1']\n",
     "x.yaml:6:3: success.headers[0]: \"X(Y): 1\" is not of the form Name: value"},
    {HEAD PATHS "success:\n  content_type: Text/HTML\n",
     "x.yaml:6:3: success.content_type: \"Text/HTML\" may be one that browsers run: it must be "
     "application/json"},
    {HEAD PATHS "success:\n  body: token\n  content_type: application/problem+json\n",
     "x.yaml:6:3: success.content_type: \"application/problem+json\" is JSON, which a token "
     "without quotes is not\n"},
    {HEAD PATHS "success:\n  body: form\n  content_type: Text/JSON ; charset=utf-8\n",
     "x.yaml:6:3: success.content_type: \"Text/JSON ; charset=utf-8\" is JSON, which a form is "
     "not\n"},
    {HEAD PATHS "errors:\n  content_type: text/html\n  body: '<script>alert(1)</script>'\n",
     "x.yaml:6:3: errors.content_type: \"text/html\" may be one that browsers run"},
    {HEAD PATHS "resource:\n  content_type: text/html\n  forbidden: '<script>'\n",
     "x.yaml:6:3: resource.content_type: \"text/html\" may be one that browsers run"},
    {HEAD PATHS "errors:\n  body: '{\"a\":1,\"{code}\":2}'\n  rows:\n"
                "    - {when: [client], status: 401, code: a}\n",
     "x.yaml:8:7: errors.rows: the template is no JSON with the words of this row"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client, scope], status: 403}\n",
     "x.yaml:7:7: errors.rows: the template has {code}: a code is missing for scope, client\n"},
    {HEAD PATHS "errors:\n  body: empty\n  rows:\n    - when: [user]\n      status: 403\n"
                "      body: '{\"e\":\"{code}\"}'\n",
     "x.yaml:8:7: errors.rows: the template has {code}: a code is missing for user\n"},
    {HEAD PATHS "errors:\n  rows:\n    - when: [client, scope]\n      status: 200\n"
                "      body: '{\"errcode\":{number}}'\n",
     "x.yaml:7:7: errors.rows: the template has {number}: a number is missing for scope, client\n"},
    {HEAD "errors:\n  body: '{\"n\":{number}}'\n",
     "x.yaml:4:3: errors.rows: the template has {number}: a number is missing for unavailable, "},
    {HEAD "resource:\n  forbidden: '{\"n\":{number}}'\n",
     "x.yaml:4:3: resource.forbidden: the template has {number}, which is of errors.rows\n"},
    // The base needs none.
    {HEAD "base: rti-sms\nerrors:\n  body: '{\"e\":\"{code}\"}'\n  rows:\n"
          "    - {when: [client], status: 401, code: a}\n",
     "x.yaml:5:3: errors.rows: the template has {code}: a code is missing for media_type, "
     "malformed, in_query, missing, grant, grant_refused, scope, target, client_missing, "
     "client_malformed\n"},
    {HEAD PATHS "errors:\n  body: '{\"error\":{code}}'\n",
     "x.yaml:6:3: errors.body: the template has {code} without quotes"},
    {HEAD PATHS "errors:\n  body: '{\"error\":\"{cod}\"}'\n",
     "x.yaml:6:3: errors.body: the template has the unknown word {cod}. Did you mean {code}?"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client], status: 302}\n",
     "x.yaml:7:7: errors.rows: status 302 is neither 200 nor an error"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [unavailable], status: 400, code: a}\n",
     "x.yaml:7:7: errors.rows: unavailable needs a status of 500 to 599"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client, client_unknown], status: 401}\n",
     "x.yaml:7:23: errors.rows[0].when: \"client_unknown\" is not one of its words"},
    {HEAD PATHS "errors:\n  rows:\n    - {when: [client], status: 401, code: a}\n"
                "    - {when: [client], status: 400, code: a}\n",
     "x.yaml:8:7: errors.rows[1]: \"client\" has a row already, in line 7"},
    {HEAD PATHS "resource:\n  status: 200\n", "x.yaml:6:3: resource: unknown key \"status\""},
    {HEAD PATHS "resource:\n  header: X-Auth-Client-Id\n",
     "x.yaml:6:3: resource.header: \"X-Auth-Client-Id\" is a header that means something else"},
    {HEAD PATHS "resource:\n  header: x-auth-username\n",
     "x.yaml:6:3: resource.header: \"x-auth-username\" is a header that means something else"},
    {HEAD PATHS "resource:\n  header: cookie\n",
     "x.yaml:6:3: resource.header: \"cookie\" is a header that means something else"},
    {HEAD PATHS "resource:\n  forbidden: '{'\n",
     "x.yaml:6:3: resource.forbidden: the template is no JSON: with a text"},
    {HEAD "base: nobody\n", "x.yaml:3:1: base: there is no dialect \"nobody\""},
    {"title: X\n" PATHS, "x.yaml:1:1: \"name\" is missing"},
};

// What a browser might take for a page, or for a list of which it takes the last (E1).
static const char *const run_types[] = {
    "text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/xml",
    "application/xml", "text/javascript", "multipart/x-mixed-replace", "message/rfc822",
    "text/css", "application/pdf", "unknown/unknown", "*/*", "application/json, text/html",
    "application/json;a=b, text/html", "application/json;a=\"b\"", "application/json;",
    "application/json;charset", "text/plain text/html", "json", "application/x, text/a+json",
    "text/html;a=+json", "text/plain\\t", "text/x+json", "/json", "application/+json x",
};
static const char *const still_types[] = {
    "application/json", "Application/JSON ; charset=UTF-8", "application/problem+json",
    "text/plain",
    "text/json;charset=utf-8", "application/jwt", "application/x-www-form-urlencoded",
    "application/vnd.x.v2+JSON; a=b; c=d",
};

static void rfc9110_8_3_every_section_takes_the_content_types_that_no_browser_runs(void **state)
{
    static const char *const sections[] = {"success", "errors", "resource"};
    struct dialect_world *w = *state;
    struct str report;
    char text[256];
    for (size_t s = 0; s < COUNT(sections); s++)
        for (size_t i = 0; i < COUNT(run_types) + COUNT(still_types); i++) {
            bool run = i < COUNT(run_types);
            const char *type = run ? run_types[i] : still_types[i - COUNT(run_types)];
            snprintf(text, sizeof text, HEAD "%s: {content_type: '%s'}\n", sections[s], type);
            check_error(load(w, text, &report), run ? TWOLEG_MALFORMED : TWOLEG_NONE, text);
        }
}

static void a_template_is_json_under_each_type_that_is(void **state)
{
    static const char *const types[] = {"application/json", "text/json", "application/problem+json",
                                        "text/plain"};
    struct dialect_world *w = *state;
    struct str report;
    char text[256];
    for (size_t i = 0; i < COUNT(types); i++) {
        snprintf(text, sizeof text, HEAD "errors: {content_type: '%s; charset=utf-8', "
                 "body: '{\"a\":{message},}'}\n", types[i]);
        bool json = i + 1 < COUNT(types);
        check_error(load(w, text, &report), json ? TWOLEG_MALFORMED : TWOLEG_NONE, text);
    }
}

static void bad_files_are_refused_with_line_and_reason(void **state)
{
    struct dialect_world *w = *state;
    unsigned failures = 0;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct str report;
        check_error(load(w, wrong[i].text, &report), TWOLEG_MALFORMED, wrong[i].text);
        if (str_starts_with(report, str_from(wrong[i].report)))
            continue;
        print_error("%s\ngives: %.*s\nand not: %s\n", wrong[i].text, STR_ARG(report),
                    wrong[i].report);
        failures++;
    }
    assert_int_equal(failures, 0);
}

// Said once, at the key, with what would be right; a row's own body at its own key.
static void a_wrong_template_is_said_once_where_it_stands(void **state)
{
    static const struct {
        const char *text, *report;
    } templates[] = {
        {HEAD "errors:\n  number: 1\n  body: '{\"a\\\\\":\"{code}\",\"detail\":{message}}'\n",
         "x.yaml:5:3: errors.body: the template has {message} without quotes: a text is written "
         "\"{message}\" in JSON\n"},
        {HEAD "errors:\n  rows:\n    - when: [client]\n      status: 401\n      body: '[{time}]'\n",
         "x.yaml:7:7: errors.rows.body: the template has {time} without quotes: a text is written "
         "\"{time}\" in JSON\n"},
        {HEAD "resource:\n  challenge: none\n  forbidden: '{status}{number}'\n",
         "x.yaml:5:3: resource.forbidden: the template is no JSON: with a text for each of its "
         "words it must be one value, such as {\"error\":\"{code}\",\"number\":{number}}\n"},
        {FIELDS TOKEN TOKEN TOKEN,
         "x.yaml:6:3: success.fields: more than one has source access_token\n"
         "x.yaml:8:7: success.fields[1]: \"a\" is named twice, first in line 7\n"
         "x.yaml:9:7: success.fields[2]: \"a\" is named twice, first in line 7\n"},
        {HEAD "base: rti-sms\nerrors: {content_type: application/json, body: '{code}'}\n",
         "x.yaml:4:42: errors.body: the template has {code} without quotes: a text is written "
         "\"{code}\" in JSON\n"},
    };
    struct dialect_world *w = *state;
    struct str report;
    for (size_t i = 0; i < COUNT(templates); i++) {
        check_error(load(w, templates[i].text, &report), TWOLEG_MALFORMED, templates[i].text);
        check_str(report, templates[i].report);
    }
}

// In each row that leaves its words to us, whatever the error: an unknown client, one that has a
// secret which is compared slowly, a user.
static void B2_a_row_without_words_says_one_thing_of_all_that_ids_could_be_told_by(void **state)
{
    static const struct {
        enum dialect_condition condition;
        unsigned errors;
        const char *body;
    } each[] = {
        {CONDITION_CLIENT, 8, "\"client authentication failed\""},
        {CONDITION_USER, 11, "\"the user's credentials or the refresh token are not good\""},
        {CONDITION_LIMITED, 4, "\"too many failures of authentication\""},
    };
    struct dialect_world *w = *state;
    struct str report;
    assert_int_equal(load(w, HEAD "errors:\n  body: '\"{message}\"'\n  rows:\n"
                             "    - {when: [client, user, limited], status: 403}\n", &report),
                     TWOLEG_NONE);
    for (size_t i = 0; i < COUNT(each); i++) {
        unsigned errors = 0;
        for (unsigned error = 1; error < TWOLEG_ERRORS; error++) {
            if (dialect_condition((enum twoleg_error)error) != each[i].condition)
                continue;
            refuse_and_check(w, (enum twoleg_error)error, 403, each[i].body);
            errors++;
        }
        assert_int_equal(errors, each[i].errors);
    }
}

// seed-systems 4.1: a client's ID and secret are called as a user's are. What a grant of the
// endpoints needs gives no name away, and a dialect behind which they went has them no more.
static void a_name_goes_to_the_file_where_no_grant_uses_its_meaning(void **state)
{
    static const char login[] = HEAD PATHS
        "parameters: [{name: username, is: client_id}, {name: password, is: client_secret}, "
        "{name: refresh_token}]\n";
    static const char *const both[] = {
        HEAD "endpoints: [{path: /t, grants: [client_credentials, password]}]\n"
             "parameters: [{name: password, is: client_secret}]\n",
        HEAD "endpoints: [{path: /t}, {path: /u, grants: [password]}]\n"
             "parameters: [{name: password, is: client_secret}]\n",
    };
    struct dialect_world *w = *state;
    struct str report;
    unsigned seen = 0;
    assert_int_equal(load(w, login, &report), TWOLEG_NONE);
    const struct dialect_parameter *items = w->dialect->parameters.items;
    for (size_t i = 0; i < w->dialect->parameters.count; i++) {
        assert_int_equal(seen & 1u << items[i].is, 0);
        seen |= 1u << items[i].is;
    }
    assert_int_equal(seen, 1u << MEANING_CLIENT_ID | 1u << MEANING_CLIENT_SECRET |
                               1u << MEANING_EXTRA | 1u << MEANING_GRANT_TYPE |
                               1u << MEANING_SCOPE | 1u << MEANING_RESOURCE);
    for (size_t i = 0; i < COUNT(both); i++)
        check_error(load(w, both[i], &report), TWOLEG_MALFORMED, both[i]);
}

// The names of headers are the same in any case, those in a body are not.
static void rfc9110_5_1_an_extra_header_of_the_base_is_said_anew_in_any_case(void **state)
{
    static const struct {
        const char *text;
        unsigned count, required;
    } each[] = {
        {HEAD "base: singleview\n", 1, 1},
        {HEAD "base: singleview\nparameters: [{name: CompanyId, in: [header]}]\n", 1, 0},
        {HEAD "base: singleview\nparameters: [{name: companyid, in: [header]}]\n", 1, 0},
        {HEAD "base: singleview\nparameters: [{name: COMPANYID, in: [body, header]}]\n", 1, 0},
        {HEAD "base: singleview\nparameters: [{name: companyid, in: [body]}]\n", 2, 1},
    };
    struct dialect_world *w = *state;
    struct str report;
    for (size_t i = 0; i < COUNT(each); i++) {
        unsigned count = 0, required = 0;
        check_error(load(w, each[i].text, &report), TWOLEG_NONE, each[i].text);
        const struct dialect_parameter *items = w->dialect->parameters.items;
        for (size_t k = 0; k < w->dialect->parameters.count; k++)
            if (str_equal_nocase(items[k].name, STR("CompanyId"))) {
                count++;
                required += items[k].required;
            }
        assert_int_equal(count, each[i].count);
        assert_int_equal(required, each[i].required);
    }
}

static void the_words_for_a_wrong_body_are_those_of_the_dialect(void **state)
{
    static const struct {
        const char *bodies, *words;
    } each[] = {
        {"form", "application/x-www-form-urlencoded"},
        {"json_as_form", "application/x-www-form-urlencoded"},
        {"json", "application/json"},
        {"json, form_as_json", "application/json"},
        {"empty", "empty"},
        {"form, json, json_as_form", "application/x-www-form-urlencoded or application/json"},
        {"json, unlabelled, empty", "application/json, without Content-Type or empty"},
    };
    struct dialect_world *w = *state;
    struct str report;
    char text[256];
    for (size_t i = 0; i < COUNT(each); i++) {
        snprintf(text, sizeof text, HEAD "bodies: [%s]\nerrors: {body: '\"{message}\"'}\n"
                 "parameters: [{name: g, is: grant_type, in: [body, query]}]\n",
                 each[i].bodies);
        assert_int_equal(load(w, text, &report), TWOLEG_NONE);
        snprintf(text, sizeof text, "\"the body must be %s\"", each[i].words);
        refuse_and_check(w, TWOLEG_MEDIA_TYPE, 400, text);
    }
}

#define WORLD(name) cmocka_unit_test_setup_teardown(name, setup, dialect_world_destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(rfc9110_8_3_every_section_takes_the_content_types_that_no_browser_runs),
        WORLD(a_template_is_json_under_each_type_that_is),
        WORLD(bad_files_are_refused_with_line_and_reason),
        WORLD(a_wrong_template_is_said_once_where_it_stands),
        WORLD(B2_a_row_without_words_says_one_thing_of_all_that_ids_could_be_told_by),
        WORLD(a_name_goes_to_the_file_where_no_grant_uses_its_meaning),
        WORLD(rfc9110_5_1_an_extra_header_of_the_base_is_said_anew_in_any_case),
        WORLD(the_words_for_a_wrong_body_are_those_of_the_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
