// SPDX-License-Identifier: Apache-2.0
// Commands that need no running server: it is started here, or its configuration is looked at.
#include "config/load.h"

#include "cli/cli.h"
#include "config/show.h"
#include "daemon/serve.h"

#define TEXT_FIRST ((size_t)16 * 1024)

static enum cli_exit serve_load(struct cli *cli, struct config *ret_config)
{
    struct config_sources sources;
    struct config_report report;
    struct buf text;
    config_sources_init(&sources);
    sources.file = cli_value(cli, CLI_CONFIG);
    sources.data = cli_value(cli, CLI_DATA);
    sources.listen = cli->options[CLI_LISTEN].items;
    sources.listen_count = cli->options[CLI_LISTEN].count;
    if (!config_report_init(&report, &cli->arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    enum twoleg_error error = config_load(&sources, ret_config, &report);
    if (!error)
        return CLI_DONE;
    buf_init_arena(&text, &cli->arena, TEXT_FIRST);
    config_report_print(&report, &text);
    struct str lines = buf_str(&text);
    if (lines.len == 0)
        return cli_fail(CLI_REFUSED, "the configuration: %s", twoleg_error_text(error));
    fprintf(stderr, "%.*s", STR_ARG(lines));
    return CLI_REFUSED;
}

enum cli_exit cli_serve(struct cli *cli)
{
    struct config config = {0};
    struct serve_options options = {.change_issuer = cli_given(cli, CLI_CHANGE_ISSUER)};
    enum cli_exit code = serve_load(cli, &config);
    if (code)
        return code;
    code = daemon_serve(&config, &options) ? CLI_REFUSED : CLI_DONE;
    config_finish(&config);
    return code;
}

enum cli_exit cli_config_check(struct cli *cli)
{
    struct config config = {0};
    enum cli_exit code = serve_load(cli, &config);
    if (code)
        return code;
    printf("%.*s: ok\n", STR_ARG(config.file.len ? config.file : STR("configuration")));
    config_finish(&config);
    return CLI_DONE;
}

static enum cli_exit serve_print(const struct buf *text)
{
    if (text->failed)
        return cli_fail(CLI_REFUSED, "out of memory");
    fwrite(text->ptr, 1, text->len, stdout);
    return CLI_DONE;
}

enum cli_exit cli_config_show(struct cli *cli)
{
    struct config config = {0};
    struct buf text;
    enum cli_exit code = serve_load(cli, &config);
    if (code)
        return code;
    buf_init_arena(&text, &cli->arena, TEXT_FIRST);
    config_show(&config, &text);
    config_finish(&config);
    return serve_print(&text);
}

enum cli_exit cli_config_default(struct cli *cli)
{
    struct buf text;
    buf_init_arena(&text, &cli->arena, TEXT_FIRST);
    config_default(&text);
    return serve_print(&text);
}
