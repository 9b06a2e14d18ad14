// SPDX-License-Identifier: Apache-2.0
// The command line, one word a line: what is accepted has a command, its arguments and only options
// of that command, and each value is one that was typed.
#include <string.h>

#include "cli/cli.h"
#include "fuzz.h"

#define ARGS_MAX 100
#define TEXT_MAX 4096

static bool fuzz_typed(const char *text, const char *memory)
{
    return text >= memory && text <= memory + TEXT_MAX;
}

static void fuzz_options(const struct cli *cli, const char *memory)
{
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_values *values = &cli->options[i];
        FUZZ_MUST(values->count <= CLI_VALUES_MAX);
        FUZZ_MUST(values->count <= 1 || cli_option_rows[i].repeated);
        FUZZ_MUST(values->count == 0 || !cli->command || (cli->command->options >> i & 1));
        for (size_t k = 0; k < values->count; k++)
            FUZZ_MUST(cli_option_rows[i].argument ? fuzz_typed(values->items[k], memory)
                                                  : !values->items[k]);
    }
}

static void fuzz_accepted(const struct cli *cli, const char *memory)
{
    FUZZ_MUST(cli->word_count <= CLI_WORDS_MAX);
    FUZZ_MUST((cli->command == NULL) == (cli->word_count == 0));
    for (size_t i = 0; i < cli->word_count; i++)
        FUZZ_MUST(fuzz_typed(cli->words[i], memory));
    fuzz_options(cli, memory);
    if (!cli->command || cli_given(cli, CLI_HELP))
        return;
    size_t used = (size_t)(cli->arguments - cli->words);
    FUZZ_MUST(used >= 1 && used <= cli->word_count);
    FUZZ_MUST(cli->word_count - used >= cli->command->arguments_least);
    FUZZ_MUST(cli->word_count - used <= cli->command->arguments_most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[TEXT_MAX + 1];
    static FILE *nowhere;
    char *argv[ARGS_MAX + 1] = {memory + TEXT_MAX};
    struct cli cli = {.command = NULL};
    int argc = 1;
    size_t len = size < TEXT_MAX ? size : TEXT_MAX;
    memset(memory, 0, sizeof memory);
    if (len)
        memcpy(memory, data, len);
    for (char *at = memory; len && at && argc < ARGS_MAX; argc++) {
        argv[argc] = at;
        at = strchr(at, '\n');
        if (at)
            *at++ = '\0';
    }
    // What it says on standard error is for people, and would drown what the fuzzer says there.
    FILE *kept = stderr;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    stderr = nowhere ? nowhere : kept;
    enum cli_exit code = cli_parse(&cli, argc, argv);
    stderr = kept;
    FUZZ_MUST(code == CLI_DONE || code == CLI_USAGE);
    if (code == CLI_DONE)
        fuzz_accepted(&cli, memory);
    return 0;
}
