// SPDX-License-Identifier: Apache-2.0
#include "daemon/serve.h"

#include "cli/config.h"

enum cli_exit cli_serve(struct cli *cli)
{
    daemon_begin();
    struct config config = {0};
    struct activation activation;
    struct config_sources sources;
    char reason[ACTIVATION_REASON];
    struct serve_options options = {.change_issuer = cli_given(cli, CLI_CHANGE_ISSUER),
                                    .activation = &activation,
                                    .sources = &sources};
    if (activation_init(&activation, reason))
        return cli_fail(CLI_REFUSED, "%s", reason);
    enum cli_exit code = cli_config_load(cli, &activation, &sources, &config);
    if (code)
        return code;
    return daemon_serve(&config, &options) ? CLI_REFUSED : CLI_DONE;
}
