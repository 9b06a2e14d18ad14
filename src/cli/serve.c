// SPDX-License-Identifier: Apache-2.0
#include "daemon/serve.h"

#include "cli/config.h"

enum cli_exit cli_serve(struct cli *cli)
{
    struct config config = {0};
    struct serve_options options = {.change_issuer = cli_given(cli, CLI_CHANGE_ISSUER)};
    enum cli_exit code = cli_config_load(cli, &config);
    if (code)
        return code;
    code = daemon_serve(&config, &options) ? CLI_REFUSED : CLI_DONE;
    config_finish(&config);
    return code;
}
