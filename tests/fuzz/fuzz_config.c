// SPDX-License-Identifier: Apache-2.0
// All sources of a configuration: a line of words (listen=X, inherited=X, data=X, user=X, env=X,
// home=X, state=X, file=none, file=relative, file=PATH), then the file. It loads and holds what was
// promised, or is refused in words that can be printed; what is shown loads again.
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/check.h"
#include "config/load.h"
#include "config/show.h"
#include "config/walk.h"
#include "fuzz.h"

#define LISTEN_MAX (CONFIG_LISTEN_MAX + 2)

// The texts of words end with a NUL, in memory of the input's own.
struct fuzz_words {
    char memory[1024];
    const char *listen[LISTEN_MAX];
    char file[96];
    bool ascii; // who calls may name a path of any bytes; only a text can be shown as one
};

static int fuzz_file(struct str text)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("config", MFD_CLOEXEC);
    FUZZ_MUST(fd >= 0 && ftruncate(fd, 0) == 0);
    FUZZ_MUST(pwrite(fd, text.ptr ? text.ptr : "", text.len, 0) == (ssize_t)text.len);
    return fd;
}

static void fuzz_word(struct fuzz_words *words, struct config_sources *sources, const char *word)
{
    const struct {
        const char *name, **text;
    } places[] = {{"data=", &sources->data},          {"user=", &sources->user},
                  {"env=", &sources->environment_data}, {"home=", &sources->home},
                  {"state=", &sources->state_home},   {"file=", &sources->file}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (str_starts_with(str_from(word), str_from(places[i].name)))
            *places[i].text = word + strlen(places[i].name);
    if (str_starts_with(str_from(word), STR("listen=")) && sources->listen_count < LISTEN_MAX)
        words->listen[sources->listen_count++] = word + strlen("listen=");
    if (str_starts_with(str_from(word), STR("inherited=")) &&
        sources->inherited_count < CONFIG_LISTEN_MAX)
        sources->inherited[sources->inherited_count++] = word + strlen("inherited=");
}

static void fuzz_sources(struct str input, struct fuzz_words *words,
                         struct config_sources *ret_sources)
{
    struct str line = fuzz_line(&input);
    struct str word;
    char *at = words->memory;
    words->ascii = true;
    for (size_t i = 0; i < line.len; i++)
        words->ascii = words->ascii && line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f;
    *ret_sources = (struct config_sources){.listen = words->listen,
                                           .system_data = "/nonexistent/system",
                                           .file = words->file,
                                           .cores = 2,
                                           .current = "/current"};
    snprintf(words->file, sizeof words->file, "/proc/self/fd/%d", fuzz_file(input));
    while (str_word(&line, &word)) {
        if (word.len + 1 > (size_t)(words->memory + sizeof words->memory - at))
            break;
        memcpy(at, word.ptr, word.len);
        at[word.len] = '\0';
        fuzz_word(words, ret_sources, at);
        at += word.len + 1;
    }
    if (ret_sources->file && strcmp(ret_sources->file, "none") == 0)
        ret_sources->file = NULL;
    // From however deep a folder this runs in: there is nothing above the root.
    if (ret_sources->file && strcmp(ret_sources->file, "relative") == 0) {
        snprintf(words->file, sizeof words->file,
                 "../../../../../../../../../../../../../../../../proc/self/fd/%d",
                 fuzz_file(input));
        ret_sources->file = words->file;
    }
}

static void fuzz_printable(struct config_report *report, struct arena *arena)
{
    struct buf printed;
    buf_init_arena(&printed, arena, 1024);
    config_report_print(report, &printed);
    FUZZ_MUST(printed.failed || printed.len > 0);
    for (size_t i = 0; i < printed.len && !printed.failed; i++)
        FUZZ_MUST((unsigned char)printed.ptr[i] >= 0x20 || printed.ptr[i] == '\n');
}

static void fuzz_shown(const struct config *config, struct arena *arena)
{
    struct config again = {.workers = 0};
    struct config_report report;
    struct buf text, twice;
    buf_init_arena(&text, arena, 4096);
    config_show(config, &text);
    const struct walk_source source = {
        .name = STR("shown"), .text = buf_str(&text), .folder = STR("/f")};
    FUZZ_MUST(!text.failed && config_report_init(&report, arena));
    FUZZ_MUST(walk_load(&source, config_schema(), arena, &again, NULL, &report) == TWOLEG_NONE);
    // The origins beside the values differ, so the values are shown from both with those of one.
    memcpy(again.origins, config->origins, sizeof again.origins);
    again.file = config->file;
    buf_init_arena(&twice, arena, 4096);
    config_show(&again, &twice);
    FUZZ_MUST(str_equal(buf_str(&text), buf_str(&twice)));
}

static void fuzz_loaded(const struct config *config)
{
    FUZZ_MUST(config->workers >= 1 && config->workers <= 32);
    FUZZ_MUST(config->issuer.len > 0 && !str_ends_with(config->issuer, STR("/")));
    FUZZ_MUST(config->listen.count >= 1 && config->listen.count <= CONFIG_LISTEN_MAX);
    for (size_t i = 0; i < config->listen.count; i++)
        FUZZ_MUST(config->listen.items[i].doors != 0);
    if (config->token_format == FORMAT_JWT)
        FUZZ_MUST(config->token_ttl <= config->jwt_max_ttl);
}

// What is doubtful is told in words, too.
static void fuzz_doubts(const struct config *config, bool ascii, struct arena *arena)
{
    struct config_report doubts;
    FUZZ_MUST(config_report_init(&doubts, arena));
    config_doubts(config, &doubts);
    if (ascii && doubts.count)
        fuzz_printable(&doubts, arena);
}

// The file that `config default` writes: all of it is commented out.
static void fuzz_default(struct arena *arena)
{
    struct buf text;
    struct config config = {.workers = 0};
    struct config_report report;
    buf_init_arena(&text, arena, 4096);
    config_default(&text);
    const struct walk_source source = {.name = STR("default"), .text = buf_str(&text)};
    FUZZ_MUST(config_report_init(&report, arena));
    FUZZ_MUST(walk_load(&source, config_schema(), arena, &config, NULL, &report) == TWOLEG_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool prepared;
    struct fuzz_words words;
    struct config_sources sources;
    struct config config;
    struct config_report report;
    struct arena arena;
    arena_init(&arena, NULL, (size_t)64 << 20);
    if (!prepared)
        fuzz_default(&arena);
    prepared = true;
    fuzz_sources(str_of(data, size), &words, &sources);
    FUZZ_MUST(config_report_init(&report, &arena));
    enum twoleg_error error = config_load(&sources, &config, &report);
    if (error) {
        FUZZ_MUST(error == TWOLEG_MALFORMED && !config_report_is_clean(&report));
        if (words.ascii)
            fuzz_printable(&report, &arena);
    } else {
        FUZZ_MUST(config_report_is_clean(&report));
        fuzz_loaded(&config);
        fuzz_doubts(&config, words.ascii, &arena);
        if (words.ascii)
            fuzz_shown(&config, &arena);
        config_finish(&config);
    }
    arena_finish(&arena);
    return 0;
}
