// SPDX-License-Identifier: MIT
// parallel: where a thread runs. Linux likes to wake a thread on the processor of the one that woke it, and moves it
// only some milliseconds later; a helper that finds itself there steps aside.
#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

namespace tenet::detail {

/// The processor that this thread runs on; -1 where it cannot be known.
inline int current_processor() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

/// Moves this thread away if it runs on `processor` and may run on others; which ones it may run on stays as it was.
inline void leave_processor(int processor) {
#if defined(__linux__)
    if (processor < 0 || processor >= CPU_SETSIZE || sched_getcpu() != processor) return;
    cpu_set_t all, others;
    if (sched_getaffinity(0, sizeof all, &all) != 0) return;
    others = all;
    CPU_CLR(static_cast<unsigned>(processor), &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
    sched_setaffinity(0, sizeof all, &all);
#else
    static_cast<void>(processor);
#endif
}

/// What a thread does between two looks at a place that another one writes.
inline void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

}  // namespace tenet::detail
