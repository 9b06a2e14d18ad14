// SPDX-License-Identifier: Apache-2.0
#include "base/priority.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PRIORITY_SLICE_NS (100 * 1000) // the shortest that Linux knows

void priority_prompt(void)
{
    struct sched_attr attr = {.size = sizeof attr,
                              .sched_flags = SCHED_FLAG_KEEP_POLICY,
                              .sched_runtime = PRIORITY_SLICE_NS};
    errno = 0;
    attr.sched_nice = getpriority(PRIO_PROCESS, 0);
    if (errno == 0)
        (void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

// Linux keeps the nice value by thread, and caps what is too high.
void priority_lower(enum priority priority)
{
    id_t thread = (id_t)syscall(SYS_gettid);
    errno = 0;
    int before = getpriority(PRIO_PROCESS, thread);
    if (errno == 0)
        (void)setpriority(PRIO_PROCESS, thread, before + (int)priority);
}
