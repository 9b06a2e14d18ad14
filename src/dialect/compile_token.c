// SPDX-License-Identifier: Apache-2.0
// What a dialect's reference tokens look like: a shape that has room for what keeps them from being
// guessed, and that no other format's token could have.
#include "dialect/inside.h"

static const char *compile_alphabet_name(enum token_alphabet alphabet)
{
    static const char *const names[] = {
        [TOKEN_BASE62] = "letters and digits", [TOKEN_HEX] = "hex digits", [TOKEN_UUID] = "a UUID"};
    return names[alphabet];
}

static bool compile_says_shape(const struct dialect_token *token)
{
    return token->alphabet || token->length || token->prefix.ptr || token->suffix.ptr ||
           token->checksum;
}

// The schema has seen to the characters: what is wrong is a length.
static void compile_length(struct dialect_loader *loader, const struct token_shape *shape)
{
    size_t least = token_shape_length_min(shape->alphabet);
    struct config_mark mark = loader->dialect->token.mark;
    if (shape->alphabet == TOKEN_UUID && shape->length != least)
        DIALECT_REFUSE(loader, mark, "token: length is %zu, but a UUID has %zu", shape->length,
                       least);
    else if (shape->length < least)
        DIALECT_REFUSE(loader, mark,
                       "token: %zu %s can be guessed: length must be %zu or more, which is 120 "
                       "bits at random",
                       shape->length, compile_alphabet_name(shape->alphabet), least);
    else
        DIALECT_REFUSE(loader, mark,
                       "token: %zu characters with prefix, suffix and checksum: more than %d could "
                       "be a token of another format",
                       token_shape_size(shape), TOKEN_SHAPE_TEXT_MAX);
}

void dialect_compile_token(struct dialect_loader *loader)
{
    struct dialect *d = loader->dialect;
    const struct dialect_token *token = &d->token;
    // Whether one is out already is told by its row: no other format has one.
    if (token->reissue != REISSUE_NEW && token->format != FORMAT_REFERENCE + 1)
        DIALECT_REFUSE(loader, token->mark, "token: reissue: %s needs format: reference",
                       token->reissue == REISSUE_SAME ? "same" : "replace");
    if (compile_says_shape(token) && token->format != FORMAT_REFERENCE + 1) {
        DIALECT_REFUSE(loader, token->mark,
                       "token: alphabet, length, prefix, suffix and checksum are of format: "
                       "reference");
        return;
    }
    if (!token->alphabet) {
        if (compile_says_shape(token))
            DIALECT_REFUSE(loader, token->mark,
                           "token: alphabet must say of what the tokens are made: alphanumeric, "
                           "hex or uuid");
        return;
    }
    enum token_alphabet alphabet = (enum token_alphabet)(token->alphabet - 1);
    bool whole = alphabet == TOKEN_UUID && token->length == 0;
    d->shape = (struct token_shape){
        .alphabet = alphabet,
        .length = whole ? token_shape_length_min(alphabet) : (size_t)token->length,
        .prefix = token->prefix,
        .suffix = token->suffix,
        .checksum = token->checksum,
    };
    if (token_shape_check(&d->shape))
        compile_length(loader, &d->shape);
}
