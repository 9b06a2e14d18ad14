// SPDX-License-Identifier: Apache-2.0
#include "model/grant_kind.h"

static const struct str grant_words[GRANTS] = {
    [GRANT_CLIENT_CREDENTIALS] = {"client_credentials", 18},
    [GRANT_PASSWORD] = {"password", 8},
    [GRANT_REFRESH_TOKEN] = {"refresh_token", 13},
};

void grants_write(struct buf *out, unsigned grants)
{
    bool first = true;
    for (size_t i = GRANT_CLIENT_CREDENTIALS; i < GRANTS; i++) {
        if (!(grants & GRANT_BIT(i)))
            continue;
        if (!first)
            buf_add_char(out, ' ');
        buf_add(out, grant_words[i]);
        first = false;
    }
}

bool grants_valid(unsigned grants)
{
    unsigned all = GRANT_BIT(GRANTS) - GRANT_BIT(GRANT_CLIENT_CREDENTIALS);
    bool refreshes = grants & GRANT_BIT(GRANT_REFRESH_TOKEN);
    return grants && !(grants & ~all) && (!refreshes || grants & GRANT_BIT(GRANT_PASSWORD));
}

bool grants_read(struct str text, unsigned *ret_grants)
{
    unsigned grants = 0;
    struct str word;
    while (str_word(&text, &word)) {
        size_t i = GRANT_CLIENT_CREDENTIALS;
        while (i < GRANTS && !str_equal(grant_words[i], word))
            i++;
        if (i == GRANTS)
            return false;
        grants |= GRANT_BIT(i);
    }
    if (!grants_valid(grants))
        return false;
    *ret_grants = grants;
    return true;
}
