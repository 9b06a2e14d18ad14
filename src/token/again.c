// SPDX-License-Identifier: Apache-2.0
// The same token for whoever asks again, while it lives (docs/why/2026-11-22-dialects.md). Nothing
// says what was given out but the rows themselves, so what is asked for names them:
//
//   window  the second of asking, in lives; 0 for a life that never ends
//   turn    how many tokens of the window were revoked
//   seed    MAC(key, "reissue" | shape | record without times | life | scope | window | turn)
//
// A token of one window expires in the next one, where no other is made before: whoever asks gets
// that of the window before while it lives, then that of the window; or else that of the next one,
// if a clock that was ahead has made it: no other is written beside it.
#include "base/refusal.h"
#include "crypto/wipe.h"
#include "token/format.h"

#define AGAIN_TURNS_MAX (1u << 20) // many times REVOCATIONS_PER_APPLICATION

static void again_add_text(struct mac_state *state, struct str text)
{
    mac_add_u64(state, text.len);
    mac_add(state, text);
}

static struct sha256 again_seed(const struct data_key *key, const struct decision *decision,
                                const struct token_record *record, int64_t window, unsigned turn)
{
    const struct token_shape *shape = decision->shape ? decision->shape : &token_shape_default;
    const uint64_t numbers[] = {
        decision->reissue,
        shape->alphabet,
        shape->length,
        shape->checksum,
        record->epoch,
        record->application,
        record->generation,
        record->credential,
        record->subject,
        record->subject_generation,
        record->apis[0],
        (uint64_t)(record->expires_s ? record->expires_s - record->issued_s : 0),
        (uint64_t)window,
        turn,
    };
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("reissue"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        mac_add_u64(&state, numbers[i]);
    again_add_text(&state, shape->prefix);
    again_add_text(&state, shape->suffix);
    again_add_text(&state, record->scope);
    if (record->family)
        mac_add_u64(&state, record->family);
    return mac_end(&state);
}

static enum twoleg_error again_spell(const struct token_context *context,
                                     const struct decision *decision, int64_t window, unsigned turn,
                                     struct token_reference *token)
{
    const struct data_key *key = keyring_active(keyring_current(context->keyring), KEY_JTI);
    if (!key)
        return REFUSE(TWOLEG_INTERNAL);
    struct sha256 seed = again_seed(key, decision, &token->record, window, turn);
    enum twoleg_error error = token_reference_spell(context, decision, &seed, token);
    wipe(&seed, sizeof seed);
    return error;
}

// G10, V37: the first one of the window that is not revoked. A turn comes only when the ones before
// it were, so these are the first ones, and their end is found in few steps.
static enum twoleg_error again_first(const struct token_context *context,
                                     const struct decision *decision, int64_t window,
                                     struct token_reference *token)
{
    unsigned revoked = 0, step = 1; // of turns: those before revoked are
    bool growing = true;
    for (;;) {
        unsigned turn = revoked + step - 1;
        enum twoleg_error error = again_spell(context, decision, window, turn, token);
        if (error)
            return error;
        bool dead = registry_token_revoked(context->registry, &token->record.id);
        if (!dead && step == 1)
            return TWOLEG_NONE;
        if (dead)
            revoked = turn + 1;
        growing = growing && dead;
        step = growing ? step * 2 : step > 1 ? step / 2 : 1;
        if (revoked >= AGAIN_TURNS_MAX)
            return REFUSE_FULL(CAP_REPEATS);
    }
}

enum twoleg_error token_again_make(const struct token_context *context,
                                   const struct decision *decision, struct token_again *ret_again)
{
    struct token_record record;
    if (decision->format != FORMAT_REFERENCE)
        return REFUSE(TWOLEG_INTERNAL);
    enum twoleg_error error = token_record_make(context, decision, &record);
    int64_t window = error ? 0 : token_record_window(&record);
    for (int i = AGAIN_BEFORE; i < AGAIN_COUNT && !error; i++) {
        ret_again->tokens[i].record = record;
        error = again_first(context, decision, window + i - AGAIN_NOW, &ret_again->tokens[i]);
    }
    return error;
}

enum twoleg_error token_again_find(const struct token_context *context,
                                   const struct decision *decision,
                                   const struct token_again *again,
                                   const struct token_known *known, struct arena *arena,
                                   struct token_again_found *ret_found)
{
    const int64_t now_s = decision->now_us / SECOND_US;
    enum twoleg_error result = TWOLEG_NOT_FOUND;
    for (enum token_again_which i = AGAIN_BEFORE; i < AGAIN_COUNT; i++) {
        struct str text = str_of(again->tokens[i].text, again->tokens[i].len);
        struct token_record record;
        enum twoleg_error error =
            token_reference_read(context, text, known ? &known[i] : NULL, arena, &record);
        if (error == TWOLEG_WAIT)
            result = TWOLEG_WAIT;
        else if (error && error != TWOLEG_TOKEN_UNKNOWN)
            return error;
        if (error || (record.expires_s && record.expires_s <= now_s))
            continue;
        // When it was issued no earlier one lived; by a clock that is behind that, one may again.
        if (result == TWOLEG_WAIT && record.issued_s > now_s)
            return TWOLEG_WAIT;
        *ret_found = (struct token_again_found){i, record};
        return TWOLEG_NONE;
    }
    return result;
}

enum twoleg_error token_again_take(const struct token_context *context,
                                   const struct decision *decision,
                                   const struct token_reference *token,
                                   struct issued_token *ret_token)
{
    enum twoleg_error error = token_reference_take(context, decision, token, ret_token);
    if (!error && ret_token->expires_s)
        ret_token->expires_in_s = ret_token->expires_s - decision->now_us / SECOND_US;
    return error;
}
