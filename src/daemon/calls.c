// SPDX-License-Identifier: Apache-2.0
// The filter of system calls. By hand and not by libseccomp: it is one list and five questions
// about arguments, which is less to read than the library's interface, and one library less.
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sandbox.h"

#if defined(__x86_64__)
#define CALLS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CALLS_ARCH AUDIT_ARCH_AARCH64
#endif

// No call on a request's path is asked about its arguments, and those questions come behind this
// list: what is allowed whatever its arguments the kernel remembers (from 5.11), wherever it stands
// here, and the filter costs some 15 ns a call. A filter that must run costs 300.
//
// What a running server calls, what libc, SQLite, OpenSSL, libsodium and libevent call for it, and
// what a thread that is just starting or ending calls. None makes a process, a socket or code,
// changes a user or a namespace, or looks at another process.
static const unsigned calls_allowed[] = {
    // connections and waiting
    SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_accept4, SYS_shutdown, SYS_getsockopt,
    SYS_setsockopt, SYS_getsockname, SYS_getpeername, SYS_epoll_ctl, SYS_epoll_pwait, SYS_ppoll,
    SYS_pselect6, SYS_eventfd2, SYS_timerfd_settime, SYS_futex,
    // files
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_openat, SYS_close,
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_lseek, SYS_fsync,
    SYS_fdatasync, SYS_sync_file_range, SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_flock,
    SYS_fcntl, SYS_faccessat, SYS_faccessat2, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_linkat,
    SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
    SYS_umask, SYS_dup, SYS_dup3, SYS_utimensat, SYS_copy_file_range,
    // memory
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mlock, SYS_mlock2, SYS_munlock, SYS_msync,
    SYS_mincore, SYS_membarrier,
    // time, randomness, threads, signals, facts about this process
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
    SYS_getrandom, SYS_gettid, SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid,
    SYS_getegid, SYS_getrusage, SYS_times, SYS_uname, SYS_sysinfo, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_getcpu, SYS_getpriority, SYS_setpriority, SYS_sched_setattr,
    SYS_set_robust_list, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_sigaltstack, SYS_restart_syscall, SYS_exit, SYS_exit_group,
#if defined(__x86_64__)
    // older spellings, which libc of this architecture still uses
    SYS_epoll_wait, SYS_poll, SYS_select, SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink,
    SYS_link, SYS_unlink, SYS_rename, SYS_chmod, SYS_time, SYS_dup2, SYS_arch_prctl,
#endif
};

// Allowed if the argument holds none of the bits.
static const struct {
    unsigned call, argument, bits;
} calls_without[] = {
    {SYS_mmap, 2, PROT_EXEC},
    {SYS_mprotect, 2, PROT_EXEC},
};

// Allowed if the argument is just this.
static const struct {
    unsigned call, argument, value;
} calls_with[] = {
    {SYS_ioctl, 1, 0x5401},                        // TCGETS: libc asks whether a file is a terminal
    {SYS_ioctl, 1, 0x5421},                        // FIONBIO
    {SYS_prctl, 0, PR_SET_NAME},                   // of a thread
#ifdef PR_SET_VMA
    {SYS_prctl, 0, PR_SET_VMA},                    // libc names its memory
#endif
};

// Allowed if the argument is NULL, all 64 bits of it: a pointer may have an empty low half.
static const struct {
    unsigned call, argument;
} calls_null[] = {
    {SYS_prlimit64, 2},                            // reading a limit: nothing new is set
};

#define CALLS_COUNT(list) (sizeof(list) / sizeof *(list))
#define CALLS_STEPS                                                                             \
    (6 + 2 * CALLS_COUNT(calls_allowed) + 5 * CALLS_COUNT(calls_without) +                      \
     5 * CALLS_COUNT(calls_with) + 7 * CALLS_COUNT(calls_null))

struct calls_program {
    struct sock_filter steps[CALLS_STEPS];
    unsigned short len;
};

static void calls_add(struct calls_program *program, unsigned code, unsigned value, uint8_t yes,
                      uint8_t no)
{
    program->steps[program->len++] = (struct sock_filter){(uint16_t)code, yes, no, value};
}

static void calls_load(struct calls_program *program, size_t offset)
{
    calls_add(program, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

// Five steps: another call jumps over the other four. What is asked about is in the low half.
static void calls_ask(struct calls_program *program, unsigned call, unsigned argument,
                      unsigned test, unsigned value, bool allow_if)
{
    calls_add(program, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    calls_load(program, offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t));
    calls_add(program, BPF_JMP | test | BPF_K, value, allow_if ? 0 : 1, allow_if ? 1 : 0);
    calls_add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    calls_load(program, offsetof(struct seccomp_data, nr));
}

// Seven steps: another call jumps over the other six.
static void calls_ask_null(struct calls_program *program, unsigned call, unsigned argument)
{
    size_t low = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);
    calls_add(program, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 6);
    calls_load(program, low);
    calls_add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    calls_load(program, low + sizeof(uint32_t));
    calls_add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    calls_add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    calls_load(program, offsetof(struct seccomp_data, nr));
}

#ifdef CALLS_ARCH
static void calls_write(struct calls_program *program)
{
    calls_load(program, offsetof(struct seccomp_data, arch));
    calls_add(program, BPF_JMP | BPF_JEQ | BPF_K, CALLS_ARCH, 1, 0);
    calls_add(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    calls_load(program, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALLS_COUNT(calls_allowed); i++) {
        calls_add(program, BPF_JMP | BPF_JEQ | BPF_K, calls_allowed[i], 0, 1);
        calls_add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    }
    for (size_t i = 0; i < CALLS_COUNT(calls_without); i++)
        calls_ask(program, calls_without[i].call, calls_without[i].argument, BPF_JSET,
                  calls_without[i].bits, false);
    for (size_t i = 0; i < CALLS_COUNT(calls_with); i++)
        calls_ask(program, calls_with[i].call, calls_with[i].argument, BPF_JEQ,
                  calls_with[i].value, true);
    for (size_t i = 0; i < CALLS_COUNT(calls_null); i++)
        calls_ask_null(program, calls_null[i].call, calls_null[i].argument);
    // Without clone3 libc would fall back; here no thread is made any more.
    calls_add(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

enum twoleg_error sandbox_filter_calls(struct sandbox *sandbox,
                                       char ret_reason[static SANDBOX_REASON])
{
    struct calls_program program = {.len = 0};
    calls_write(&program);
    struct sock_fprog filter = {.len = program.len, .filter = program.steps};
    unsigned action = SECCOMP_RET_KILL_PROCESS;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)) {
        sandbox->filter_why = "this kernel has no filter of system calls";
        return TWOLEG_NONE;
    }
    // All threads at once, also those that are starting.
    long thread = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    if (thread != 0) {
        snprintf(ret_reason, SANDBOX_REASON, "the sandbox: the filter of system calls: %s",
                 thread < 0 ? strerror(errno) : "a thread has one of its own");
        return TWOLEG_REFUSED;
    }
    sandbox->filter = true;
    return TWOLEG_NONE;
}
#else
enum twoleg_error sandbox_filter_calls(struct sandbox *sandbox,
                                       char ret_reason[static SANDBOX_REASON])
{
    ret_reason[0] = '\0';
    sandbox->filter_why = "no list of system calls for this architecture";
    return TWOLEG_NONE;
}
#endif
