// SPDX-License-Identifier: Apache-2.0
#include "manage/secret.h"

#include "codec/base62.h"
#include "codec/utf8.h"
#include "crypto/wipe.h"

enum twoleg_error manage_secret_generate(struct env *env, struct str prefix, struct buf *out)
{
    struct secret_bytes SECRET_BYTES_WIPED random = {.len = SECRET_RANDOM};
    size_t from = out->len;
    if (!env_random(env, random.bytes, random.len))
        return TWOLEG_NO_RANDOM;
    buf_add(out, prefix);
    base62_encode(out, random.bytes, random.len);
    credential_checksum_append(out, from);
    return out->failed ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

// RFC 6749 appendix A.2 has blanks in a client_secret. Those at an end are lost where a dialect
// takes secrets from a header, or cuts what Basic holds: whoever has such a one fails there.
static bool secret_is_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
            return false;
    return str_trim(text, " ").len == text.len;
}

enum twoleg_error manage_secret_check(struct manage_change *change, struct str text)
{
    if (text.len == 0)
        return manage_refuse(change, TWOLEG_MISSING, "the secret is empty");
    if (text.len > SECRET_MAX)
        return manage_refuse(change, TWOLEG_TOO_LONG, "the secret is longer than %d bytes",
                             SECRET_MAX);
    if (!secret_is_text(text))
        return manage_refuse(change, TWOLEG_MALFORMED,
                             "a secret is visible ASCII characters, and blanks between them; of "
                             "any other `twoleg app import` takes the hash, as "
                             "client_secret_hash");
    return TWOLEG_NONE;
}

bool manage_secret_is_long(struct str text)
{
    return text.len >= SECRET_BROUGHT_KEYED_MIN;
}

bool manage_secret_live(const struct secret *secret, int64_t now_us)
{
    return secret->expires_us == TIME_NEVER || now_us < secret->expires_us;
}

static void secret_write(struct json_writer *json, const struct secret *secret)
{
    json_key_str(json, STR("label"), secret->label);
    json_key_i64(json, STR("created"), secret->created_us / SECOND_US);
    if (secret->expires_us == TIME_NEVER)
        json_key_nil(json, STR("expires"));
    else
        json_key_i64(json, STR("expires"), secret->expires_us / SECOND_US);
}

static void secret_audit(struct manage_change *change, enum event event, struct str side,
                         const struct application *application, const struct secret *secret,
                         bool tokens_revoked)
{
    struct manage_detail detail;
    manage_detail_begin(change, &detail);
    json_key_str(&detail.json, STR("client_id"), application->client_id);
    if (event == EVENT_SECRET_REMOVE)
        json_key_bool(&detail.json, STR("tokens_revoked"), tokens_revoked);
    json_key(&detail.json, side);
    json_object_begin(&detail.json);
    secret_write(&detail.json, secret);
    json_object_end(&detail.json);
    manage_detail_end(change, &detail, event,
                      manage_object(change, NUMBER_SECRET, secret->number));
}

static enum twoleg_error secret_check_label(struct manage_change *change, struct str label)
{
    if (label.len > SECRET_LABEL_MAX || !text_is_plain(label))
        return manage_refuse(change, TWOLEG_MALFORMED,
                             "a label is up to %d bytes of UTF-8 text without control characters",
                             SECRET_LABEL_MAX);
    return TWOLEG_NONE;
}

enum twoleg_error manage_secret_add(struct manage_change *change,
                                    const struct application *application,
                                    const struct secret *secret, uint64_t expected)
{
    size_t live = 0;
    enum twoleg_error error = manage_may(change, application->account);
    if (!error)
        error = secret_check_label(change, secret->label);
    if (error)
        return error;
    for (size_t i = 0; i < application->secret_count; i++)
        live += manage_secret_live(&application->secrets[i], change->batch->now_us);
    if (live >= SECRETS_LIVE_MAX)
        return manage_refuse(change, TWOLEG_LIMIT,
                             "the application has %d live secrets already; remove one first",
                             SECRETS_LIVE_MAX);
    if (application->secret_count >= SECRETS_KEPT_MAX)
        return manage_refuse(change, TWOLEG_LIMIT,
                             "the application has %d secrets already, with the expired ones; "
                             "remove one first", SECRETS_KEPT_MAX);
    struct store_verb *verb = manage_verb(change, VERB_SECRET_CREATE);
    verb->expected = expected;
    verb->secret.application = application->number;
    verb->secret.secret = *secret;
    verb->secret.secret.label = store_batch_copy(change->batch, secret->label);
    verb->secret.secret.slow_hash = store_batch_copy(change->batch, secret->slow_hash);
    secret_audit(change, EVENT_SECRET_ADD, STR("after"), application, secret, false);
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error manage_secret_remove(struct manage_change *change,
                                       const struct application *application, uint64_t number,
                                       bool revoke_tokens)
{
    const struct secret *secret = NULL;
    enum twoleg_error error = manage_may(change, application->account);
    if (error)
        return error;
    for (size_t i = 0; i < application->secret_count; i++)
        if (application->secrets[i].number == number)
            secret = &application->secrets[i];
    if (!secret)
        return manage_refuse(change, TWOLEG_NOT_FOUND, "the application %.*s has no secret %.*s",
                             STR_ARG(str_slice(application->client_id, 0, 300)),
                             STR_ARG(manage_object(change, NUMBER_SECRET, number)));
    struct store_verb *verb = manage_verb(change, VERB_SECRET_REMOVE);
    verb->secret.application = application->number;
    verb->secret.secret.number = number;
    if (revoke_tokens)
        manage_verb(change, VERB_CREDENTIAL_REVOKE)->number = number;
    secret_audit(change, EVENT_SECRET_REMOVE, STR("before"), application, secret, revoke_tokens);
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}
