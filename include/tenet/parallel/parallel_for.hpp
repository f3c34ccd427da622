// SPDX-License-Identifier: MIT
// parallel: loops over threads, through TBB, whose results never depend on the number of threads.
#pragma once

#include <cstddef>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

namespace tenet {

/// Threads that a parallel loop started here may use: those of the current TBB arena.
inline std::size_t thread_count() {
    return static_cast<std::size_t>(oneapi::tbb::this_task_arena::max_concurrency());
}

/// Calls `body(begin, end)` on disjoint ranges that cover [0, n), each of at least `grain` elements (but the last).
/// Ranges start at multiples of `grain`, so that work done per block of `grain` is the same for any thread count.
/// One range a thread, of equal size: a loop costs half a microsecond when the threads are awake. Runs on the calling
/// thread when there is one block or one thread. Choose `grain` worth about 5 us of work or more.
template <class Body>
void parallel_for(std::size_t n, std::size_t grain, Body const& body) {
    if (grain == 0) grain = 1;
    const std::size_t blocks = n / grain + (n % grain != 0);
    if (blocks <= 1 || thread_count() == 1) {
        if (n != 0) body(std::size_t{0}, n);
        return;
    }
    oneapi::tbb::parallel_for(
        oneapi::tbb::blocked_range<std::size_t>(0, blocks, 1),
        [&](oneapi::tbb::blocked_range<std::size_t> const& r) {
            body(r.begin() * grain, r.end() < blocks ? r.end() * grain : n);
        },
        oneapi::tbb::static_partitioner{});
}

}  // namespace tenet
