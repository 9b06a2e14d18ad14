// SPDX-License-Identifier: Apache-2.0
// security.md 3 and D7: each attempt runs in a child that has locked itself in, and must end as the
// sandbox says. Where the kernel lacks the feature the test is skipped and says so.
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/sandbox.h"

enum { CHILD_DONE = 0, CHILD_REFUSED = 1, CHILD_NOT_SANDBOXED = 77 };

static char folder[] = "/tmp/twoleg-sandbox-XXXXXX";

typedef int attempt(void); // in the child: CHILD_DONE or CHILD_REFUSED

static int child_status(pid_t pid)
{
    int status = 0;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NOT_SANDBOXED) {
        print_message("skipped: this kernel lacks the feature\n");
        skip();
    }
    return status;
}

static int with_filter(attempt *try)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct sandbox sandbox = {0};
        char reason[SANDBOX_REASON];
        if (sandbox_begin() || sandbox_filter_calls(&sandbox, reason) || !sandbox.filter)
            _exit(CHILD_NOT_SANDBOXED);
        _exit(try());
    }
    return child_status(pid);
}

static int with_files(attempt *try)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct sandbox sandbox = {0};
        struct config config = {.data = str_from(folder)};
        char reason[SANDBOX_REASON];
        if (sandbox_begin() || sandbox_confine_files(&sandbox, &config, reason) ||
            !sandbox.landlock)
            _exit(CHILD_NOT_SANDBOXED);
        _exit(try());
    }
    return child_status(pid);
}

static void assert_killed(int status)
{
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_ended(int status, int code)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

// ---------------------------------------------------------------------------------- calls

static int try_execve(void)
{
    char *const none[] = {NULL};
    execve("/bin/true", none, none);
    return CHILD_REFUSED;
}

static int try_fork(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 ? CHILD_REFUSED : CHILD_DONE;
}

static int try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? CHILD_REFUSED : CHILD_DONE;
}

static int try_netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) < 0 ? CHILD_REFUSED : CHILD_DONE;
}

static int try_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0 ? CHILD_REFUSED : CHILD_DONE;
}

static int try_run_memory(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? CHILD_REFUSED : CHILD_DONE;
}

static int try_setuid(void)
{
    return syscall(SYS_setuid, 0) ? CHILD_REFUSED : CHILD_DONE;
}

static int try_unshare(void)
{
    return syscall(SYS_unshare, 0) ? CHILD_REFUSED : CHILD_DONE;
}

static int try_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) ? CHILD_REFUSED : CHILD_DONE;
}

static int try_more_files(void)
{
    struct rlimit limit = {1, 1};
    return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL) ? CHILD_REFUSED : CHILD_DONE;
}

// The low half of this pointer is that of NULL. Nothing lies there: unfiltered, it is EFAULT.
static int try_more_files_from_far(void)
{
    return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, UINT64_C(1) << 45, NULL) ? CHILD_REFUSED
                                                                           : CHILD_DONE;
}

#ifdef __x86_64__
// The same kernel takes the numbers of the old 32-bit interface, where 11 is execve.
static int try_other_numbers(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20), "b"(0) : "memory");
    return result < 0 ? CHILD_REFUSED : CHILD_DONE;
}
#endif

static void sandbox_calls_kill(void **state)
{
    static attempt *const all[] = {
        try_execve, try_fork, try_ptrace, try_netlink, try_inet, try_run_memory, try_setuid,
        try_unshare, try_dumpable, try_more_files, try_more_files_from_far,
#ifdef __x86_64__
        try_other_numbers,
#endif
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_killed(with_filter(all[i]));
}

static int try_work(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/work", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rlimit limit;
    bool good = fd >= 0 && write(fd, "x", 1) == 1 && fdatasync(fd) == 0 && ftruncate(fd, 0) == 0 &&
                close(fd) == 0 && unlink(path) == 0 && memory != MAP_FAILED &&
                mprotect(memory, 4096, PROT_READ) == 0 &&
                getrlimit(RLIMIT_NOFILE, &limit) == 0 && prctl(PR_SET_NAME, "x", 0, 0, 0) == 0;
    return good ? CHILD_DONE : CHILD_REFUSED;
}

static void sandbox_calls_let_work_go_on(void **state)
{
    (void)state;
    assert_ended(with_filter(try_work), CHILD_DONE);
}

static void *thread_that_waits(void *wait)
{
    char byte;
    if (read(*(int *)wait, &byte, 1) == 1)
        syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
    return NULL;
}

// A thread that ran before the filter was installed is under it too.
static int try_in_thread(void)
{
    struct sandbox sandbox = {0};
    char reason[SANDBOX_REASON];
    int pipe_ends[2];
    pthread_t thread;
    if (pipe(pipe_ends) || sandbox_begin() ||
        pthread_create(&thread, NULL, thread_that_waits, &pipe_ends[0]))
        return CHILD_REFUSED;
    if (sandbox_filter_calls(&sandbox, reason) || !sandbox.filter)
        return CHILD_NOT_SANDBOXED;
    if (write(pipe_ends[1], "x", 1) != 1)
        return CHILD_REFUSED;
    pthread_join(thread, NULL);
    return CHILD_DONE;
}

static void sandbox_calls_of_every_thread(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_in_thread());
    assert_killed(child_status(pid));
}

// ---------------------------------------------------------------------------------- files

static int try_read_outside(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? CHILD_REFUSED
                                                                           : CHILD_DONE;
}

static int try_write_outside(void)
{
    return open("/tmp/twoleg-outside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EACCES
               ? CHILD_REFUSED
               : CHILD_DONE;
}

static int try_link_out(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/../../etc/passwd", folder);
    return open(path, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? CHILD_REFUSED : CHILD_DONE;
}

static int try_folder_inside(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/folder", folder);
    return mkdir(path, 0700) && errno == EACCES ? CHILD_REFUSED : CHILD_DONE;
}

static void sandbox_files_outside_are_refused(void **state)
{
    (void)state;
    assert_ended(with_files(try_read_outside), CHILD_REFUSED);
    assert_ended(with_files(try_write_outside), CHILD_REFUSED);
    assert_ended(with_files(try_link_out), CHILD_REFUSED);
    assert_ended(with_files(try_folder_inside), CHILD_REFUSED);
}

static void sandbox_files_inside_stay_open_to_us(void **state)
{
    (void)state;
    assert_ended(with_files(try_work), CHILD_DONE);
}

// ---------------------------------------------------------------------------------- process

static int try_core(void)
{
    struct rlimit core;
    bool good = getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 &&
                prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                (sandbox_obstacle() || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    return good ? CHILD_DONE : CHILD_REFUSED;
}

static void D7_no_core_no_tracer_no_new_rights(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(sandbox_begin() ? CHILD_REFUSED : try_core());
    assert_ended(child_status(pid), CHILD_DONE);
}

static int try_become(const char *user)
{
    struct config config = {.user = str_from(user), .data = str_from(folder)};
    char reason[SANDBOX_REASON];
    return sandbox_become(&config, reason) ? CHILD_REFUSED : CHILD_DONE;
}

static int try_nobody(void)
{
    if (geteuid() != 0)
        return CHILD_NOT_SANDBOXED;
    if (try_become("nobody") != CHILD_DONE || geteuid() == 0 || getegid() == 0)
        return CHILD_REFUSED;
    return setuid(0) != 0 && try_become("root") == CHILD_REFUSED ? CHILD_DONE : CHILD_REFUSED;
}

static void sandbox_root_is_given_up_for_good(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_nobody());
    assert_ended(child_status(pid), CHILD_DONE);
}

static void sandbox_unknown_user_is_refused(void **state)
{
    struct config config = {.user = STR("no-such-user"), .data = str_from(folder)};
    char reason[SANDBOX_REASON] = "";
    (void)state;
    assert_int_equal(sandbox_become(&config, reason), TWOLEG_REFUSED);
    assert_non_null(strstr(reason, "no user no-such-user"));
}

static int folder_make_here(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove_here(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(D7_no_core_no_tracer_no_new_rights),
        cmocka_unit_test(sandbox_calls_kill),
        cmocka_unit_test(sandbox_calls_let_work_go_on),
        cmocka_unit_test(sandbox_calls_of_every_thread),
        cmocka_unit_test(sandbox_files_outside_are_refused),
        cmocka_unit_test(sandbox_files_inside_stay_open_to_us),
        cmocka_unit_test(sandbox_root_is_given_up_for_good),
        cmocka_unit_test(sandbox_unknown_user_is_refused),
    };
    return cmocka_run_group_tests_name("sandbox", tests, folder_make_here, folder_remove_here);
}
