// SPDX-License-Identifier: Apache-2.0
// The configuration is looked at here; a server is asked only what applications are tied to.
#include "cli/config.h"

#include <unistd.h>

#include "cli/call.h"
#include "cli/show.h"

#include "config/check.h"
#include "config/show.h"
#include "daemon/certificates.h"
#include "daemon/sandbox.h"
#include "dialect/set.h"
#include "endpoint/server.h"
#include "keyring/keyring.h"

#define TEXT_FIRST ((size_t)16 * 1024)

// ---------------------------------------------------------------------------------- as JSON

static json_t *config_text(struct str text)
{
    return text.len ? json_stringn_nocheck(text.ptr, text.len) : json_null();
}

// Lives are seconds, as everywhere; never is null.
static json_t *config_seconds(int64_t us)
{
    if (us == TIME_NEVER)
        return json_null();
    return us % SECOND_US ? json_real((double)us / (double)SECOND_US)
                          : json_integer(us / SECOND_US);
}

static json_t *config_words(const struct schema_shape *shape, unsigned bits)
{
    json_t *words = json_array();
    for (size_t i = 0; shape->words[i]; i++)
        if (bits >> i & 1)
            json_array_append_new(words, json_string(shape->words[i]));
    return words;
}

// Everything but lists and objects.
static json_t *config_scalar(struct cli *cli, const struct schema_row *row, const void *value)
{
    struct buf text;
    switch (row->type) {
    case SCHEMA_BOOL:
        return json_boolean(*(const bool *)value);
    case SCHEMA_INTEGER:
        return json_integer(*(const int64_t *)value);
    case SCHEMA_DURATION:
        return config_seconds(*(const int64_t *)value);
    case SCHEMA_TEXT:
    case SCHEMA_URL:
    case SCHEMA_PATH:
        return config_text(*(const struct str *)value);
    case SCHEMA_WORD:
        return json_string(row->shape->words[*(const unsigned *)value]);
    case SCHEMA_ENDPOINT:
        return config_text(((const struct schema_endpoint *)value)->text);
    default:
        buf_init_arena(&text, &cli->arena, 64);
        schema_scalar_write(row, value, &text);
        return config_text(buf_str(&text));
    }
}

static json_t *config_value(struct cli *cli, const struct schema_row *row, const void *value);

static json_t *config_object(struct cli *cli, const struct schema_shape *shape, const char *object)
{
    json_t *members = json_object();
    for (size_t i = 0; i < shape->row_count; i++)
        json_object_set_new(members, shape->rows[i].name,
                            config_value(cli, &shape->rows[i], object + shape->rows[i].offset));
    return members;
}

// As deep as the table of options is: a list of objects with lists.
static json_t *config_value(struct cli *cli, const struct schema_row *row, const void *value)
{
    if (row->type == SCHEMA_WORDS)
        return config_words(row->shape, *(const unsigned *)value);
    if (row->type == SCHEMA_OBJECT)
        return config_object(cli, row->shape, value);
    if (row->type != SCHEMA_LIST)
        return config_scalar(cli, row, value);
    const struct schema_list *list = value;
    json_t *items = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(items, config_value(cli, row->shape->item,
                                                  (const char *)list->items +
                                                      i * row->shape->item_size));
    return items;
}

static json_t *config_option(struct cli *cli, const struct config *config, size_t option)
{
    static const char *const origins[] = {[CONFIG_DEFAULT] = "default",
                                          [CONFIG_FILE] = "file",
                                          [CONFIG_ENVIRONMENT] = "environment",
                                          [CONFIG_COMMAND_LINE] = "command_line",
                                          [CONFIG_DERIVED] = "derived"};
    const struct schema_row *row = &config_schema()->rows[option];
    const char *value = (const char *)config + row->offset;
    json_t *shown = json_pack("{s:s, s:o, s:s}", "name", row->name, "value",
                              config_value(cli, row, value), "origin",
                              origins[config->origins[option].origin]);
    if (config->origins[option].origin == CONFIG_FILE)
        json_object_set_new(shown, "line", json_integer(config->origins[option].mark.line));
    return shown;
}

static json_t *config_options(struct cli *cli, const struct config *config)
{
    json_t *options = json_array();
    for (size_t i = 0; i < CONFIG_OPTIONS; i++)
        json_array_append_new(options, config_option(cli, config, i));
    return json_pack("{s:o, s:o}", "file", config_text(config->file), "options", options);
}

static json_t *config_rows(struct cli *cli)
{
    const struct schema_shape *schema = config_schema();
    json_t *options = json_array();
    for (size_t i = 0; i < schema->row_count; i++) {
        const struct schema_row *row = &schema->rows[i];
        struct buf allowed;
        buf_init_arena(&allowed, &cli->arena, 256);
        schema_row_describe(row, &allowed);
        json_array_append_new(options,
                              json_pack("{s:s, s:s?, s:o, s:b, s:s}", "name", row->name,
                                        "default", row->fallback, "allowed",
                                        config_text(buf_str(&allowed)), "reloadable",
                                        row->reloadable, "manual", row->manual));
    }
    return json_pack("{s:o}", "options", options);
}

static void config_print(json_t *answer)
{
    show_object(answer);
    json_decref(answer);
}

// ---------------------------------------------------------------------------------- commands

static bool config_is_of_command_line(const struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (str_starts_with(report->problems[i].source, STR("--")))
            return true;
    return false;
}

static enum cli_exit config_complain(struct cli *cli, enum twoleg_error error,
                                     struct config_report *report)
{
    struct buf text;
    buf_init_arena(&text, &cli->arena, TEXT_FIRST);
    config_report_print(report, &text);
    struct str lines = buf_str(&text);
    if (lines.len == 0)
        return cli_fail(CLI_REFUSED, "the configuration: %s", twoleg_error_text(error));
    enum cli_exit code = config_is_of_command_line(report) ? CLI_USAGE : CLI_REFUSED;
    if (cli_speaks_json())
        return cli_fail(code, "%.*s", STR_ARG(str_trim(lines, "\n")));
    fprintf(stderr, "%.*s", STR_ARG(lines));
    return code;
}

enum cli_exit cli_config_load(struct cli *cli, const struct activation *activation,
                              struct config_sources *ret_sources, struct config *ret_config)
{
    struct config_sources sources;
    struct config_report report;
    config_sources_init(&sources);
    sources.file = cli_value(cli, CLI_CONFIG);
    sources.data = cli_value(cli, CLI_DATA);
    sources.user = cli_value(cli, CLI_USER);
    sources.dialect = cli_value(cli, CLI_DIALECT);
    sources.listen = cli->options[CLI_LISTEN].items;
    sources.listen_count = cli->options[CLI_LISTEN].count;
    for (size_t i = 0; activation && i < activation->count; i++)
        sources.inherited[sources.inherited_count++] = activation->sockets[i].text;
    if (!config_report_init(&report, &cli->arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    enum twoleg_error error = config_load(&sources, ret_config, &report);
    if (ret_sources)
        *ret_sources = sources;
    return error ? config_complain(cli, error, &report) : CLI_DONE;
}

// As the server would, with the rights of whoever asks.
static enum cli_exit config_check_certificates(struct cli *cli, const struct config *config,
                                               struct config_report *doubts)
{
    struct config_report report;
    struct env env;
    if (!config_report_init(&report, &cli->arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    env_init(&env);
    enum twoleg_error error = certificates_check(config, env.now_us, &report, doubts);
    env_finish(&env);
    return error ? config_complain(cli, error, &report) : CLI_DONE;
}

static void config_notice_tie(const struct dialect_set *dialects, const json_t *tie)
{
    struct str rest = str_from(show_member(tie, "dialects"));
    bool more = json_integer_value(json_object_get(tie, "applications")) > 1;
    struct str word;
    while (str_word(&rest, &word))
        if (!dialect_set_speaks(dialects, word))
            cli_notice("tied_to_nothing", "warning: the application %s%s is tied to the dialect "
                       "%.*s, but no host, listener or gate would speak that: it would be no "
                       "client there", show_member(tie, "client_id"),
                       more ? ", as others," : "", STR_ARG(word));
}

// Which applications there are knows only the server. Without one nothing is said here: its start
// will say it. Whatever it answers, the configuration is good.
static void config_check_ties(struct cli *cli, const struct config *config,
                              const struct dialect_set *dialects)
{
    json_t *answer;
    cli->folder = config->data.ptr;
    if (!cli_server_runs(cli))
        return;
    if (cli_call(cli, "GET", "/admin/v1/dialects", NULL, &answer)) {
        cli_notice("ties_unknown", "warning: the server did not say what its applications are "
                   "tied to");
        return;
    }
    const json_t *ties = json_object_get(answer, "ties");
    for (size_t i = 0; i < json_array_size(ties); i++)
        config_notice_tie(dialects, json_array_get(ties, i));
    json_decref(answer);
}

static enum cli_exit config_check_dialects(struct cli *cli, const struct config *config)
{
    struct config_report report;
    struct dialect_set *dialects;
    if (!config_report_init(&report, &cli->arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    enum twoleg_error error = dialect_set_create(config, &report, &dialects);
    if (error)
        return config_complain(cli, error, &report);
    if (!endpoint_answers_issuer(config, dialects))
        cli_notice("issuer_no_host", "warning: the metadata would name the issuer %.*s, but hosts: "
                   "does not have its host, nor a listener a dialect of its own: token requests "
                   "there would be answered 421, unless a proxy sends them on with another Host",
                   STR_ARG(config->issuer));
    config_check_ties(cli, config, dialects);
    dialect_set_destroy(dialects);
    return CLI_DONE;
}

// What the server finds out only when it starts.
static enum cli_exit config_check_start(struct cli *cli, const struct config *config)
{
    struct config_report report;
    char reason[SANDBOX_REASON];
    if (!config_report_init(&report, &cli->arena))
        return cli_fail(CLI_REFUSED, "out of memory");
    if (sandbox_check_user(config, reason))
        config_report_addf(&report, config_check_source(config, CONFIG_USER),
                           config->origins[CONFIG_USER].mark, "%s", reason);
    if (config->master_key_file.len &&
        keyring_check_master_key(config->master_key_file.ptr, reason))
        config_report_addf(&report, config_check_source(config, CONFIG_MASTER_KEY_FILE),
                           config->origins[CONFIG_MASTER_KEY_FILE].mark,
                           "master_key_file: %s%s", reason,
                           geteuid() == 0 && config->user.len
                               ? " (looked at as root, but the server looks as its user: run "
                                 "this as that one)"
                               : "");
    return config_report_is_clean(&report) ? CLI_DONE
                                           : config_complain(cli, TWOLEG_REFUSED, &report);
}

// The server will warn of it, too.
static void config_tell_doubts(const struct config *config, struct config_report *doubts)
{
    config_doubts(config, doubts);
    for (size_t i = 0; i < doubts->count; i++) {
        const struct config_problem *doubt = &doubts->problems[i];
        cli_notice("configuration_doubtful", "warning: %.*s:%u:%u: %.*s", STR_ARG(doubt->source),
                   doubt->mark.line, doubt->mark.column, STR_ARG(doubt->text));
    }
}

enum cli_exit cli_config_check(struct cli *cli)
{
    struct config config = {0};
    struct config_report doubts;
    enum cli_exit code = cli_config_load(cli, NULL, NULL, &config);
    if (!code && !config_report_init(&doubts, &cli->arena))
        code = cli_fail(CLI_REFUSED, "out of memory");
    if (!code)
        code = config_check_certificates(cli, &config, &doubts);
    if (!code)
        code = config_check_start(cli, &config);
    if (!code)
        code = config_check_dialects(cli, &config);
    if (code) {
        config_finish(&config);
        return code;
    }
    config_tell_doubts(&config, &doubts);
    if (cli_given(cli, CLI_JSON))
        config_print(json_pack("{s:b, s:o}", "ok", true, "file", config_text(config.file)));
    else
        printf("%.*s: ok\n", STR_ARG(config.file.len ? config.file : STR("configuration")));
    config_finish(&config);
    return CLI_DONE;
}

static enum cli_exit config_print_text(const struct buf *text)
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
    enum cli_exit code = cli_config_load(cli, NULL, NULL, &config);
    if (code)
        return code;
    if (cli_given(cli, CLI_JSON)) {
        config_print(config_options(cli, &config));
    } else {
        buf_init_arena(&text, &cli->arena, TEXT_FIRST);
        config_show(&config, &text);
        code = config_print_text(&text);
    }
    config_finish(&config);
    return code;
}

enum cli_exit cli_config_default(struct cli *cli)
{
    struct buf text;
    if (cli_given(cli, CLI_JSON)) {
        config_print(config_rows(cli));
        return CLI_DONE;
    }
    buf_init_arena(&text, &cli->arena, TEXT_FIRST);
    config_default(&text);
    return config_print_text(&text);
}
