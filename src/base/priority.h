// SPDX-License-Identifier: Apache-2.0
// Who goes first when threads share a core. A hint: where the system does not know or allow it,
// everything works as well.
#pragma once

// For the calling thread, which wakes up to answer somebody and soon sleeps again: it need not wait
// for the end of another's turn (Linux 6.12, by sched_setattr(2): a short slice). Its policy stays.
void priority_prompt(void);
// For the calling thread, once: its work may take long. A step behind where the process stands, it
// gets a quarter of a core that others want too; far behind, a tenth; last, a thirtieth, which is
// for what goes on for 20 ms without a pause: the less its share, the more seldom it overtakes
// somebody, and each time it keeps the core for a tick (4 ms). There is no way back.
enum priority { // added to the nice value
    PRIORITY_BEHIND = 5,
    PRIORITY_FAR_BEHIND = 10,
    PRIORITY_LAST = 15,
};
void priority_lower(enum priority priority);
