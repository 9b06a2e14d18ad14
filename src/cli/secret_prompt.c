// SPDX-License-Identifier: Apache-2.0
#include "cli/secret_prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

static const int prompt_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define PROMPT_SIGNALS (sizeof prompt_signals / sizeof *prompt_signals)

static volatile sig_atomic_t prompt_signal;

static void prompt_note(int number)
{
    prompt_signal = number;
}

// A signal ends the wait, also one that came before it: until then they are held back.
static ssize_t prompt_read(char *text, size_t size, const sigset_t *let_through)
{
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    return ppoll(&line, 1, NULL, let_through) < 0 ? -1 : read(STDIN_FILENO, text, size);
}

// The line, or why there is none.
static ssize_t prompt_line(char *text, size_t size)
{
    static const char question[] = "Secret (not shown): ";
    struct sigaction note = {.sa_handler = prompt_note};
    struct sigaction before[PROMPT_SIGNALS];
    sigset_t held, mask;
    struct termios shown;
    if (tcgetattr(STDIN_FILENO, &shown))
        return -1;
    struct termios unseen = shown;
    unseen.c_lflag &= ~(tcflag_t)ECHO;
    unseen.c_lflag |= ECHONL;
    prompt_signal = 0;
    sigemptyset(&held);
    for (size_t i = 0; i < PROMPT_SIGNALS; i++)
        sigaddset(&held, prompt_signals[i]);
    sigprocmask(SIG_BLOCK, &held, &mask);
    for (size_t i = 0; i < PROMPT_SIGNALS; i++)
        sigaction(prompt_signals[i], &note, &before[i]);
    // What was typed ahead was shown: it is thrown away.
    ssize_t got = tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) ? -1 : 0;
    if (got == 0 && write(STDERR_FILENO, question, sizeof question - 1) >= 0)
        got = prompt_read(text, size, &mask);
    int reason = errno;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    for (size_t i = 0; i < PROMPT_SIGNALS; i++)
        sigaction(prompt_signals[i], &before[i], NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = reason;
    return got;
}

ssize_t secret_prompt(char *text, size_t size)
{
    for (;;) {
        ssize_t got = prompt_line(text, size);
        if (!prompt_signal)
            return got;
        // What it would have done, now that the terminal is as it was. A stop comes back, and asks
        // again.
        int number = (int)prompt_signal;
        raise(number);
        if (number != SIGTSTP) {
            errno = EINTR;
            return -1;
        }
    }
}
