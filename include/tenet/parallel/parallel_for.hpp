// SPDX-License-Identifier: MIT
// parallel: loops over threads, through TBB, whose results never depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <tenet/parallel/team.hpp>

namespace tenet {

/// Threads that a parallel loop started here may use: those of the current TBB arena, as far as the process allows.
inline std::size_t thread_count() {
    return std::min(static_cast<std::size_t>(oneapi::tbb::this_task_arena::max_concurrency()),
                    oneapi::tbb::global_control::active_value(oneapi::tbb::global_control::max_allowed_parallelism));
}

/// Calls `body(begin, end)` on disjoint ranges that cover [0, n), each of at least `grain` elements (but the last).
/// Ranges start at multiples of `grain`, so that work done per block of `grain` is the same for any thread count.
/// Runs on the calling thread when there is one block or one thread, or within another such loop. Choose `grain` worth
/// about 5 us of work or more.
///
/// Each thread has a run of blocks, in up to four ranges, and takes over ranges of others when it is done. A loop costs
/// half a microsecond when the threads are awake, as they are for 50 us after the last one; from cold, the caller
/// begins at once. The first exception of a body is thrown again when all have ended.
template <class Body>
void parallel_for(std::size_t n, std::size_t grain, Body const& body) {
    if (grain == 0) grain = 1;
    const std::size_t blocks = n / grain + (n % grain != 0);
    const std::size_t threads = blocks <= 1 || detail::inside_loop() ? 1 : thread_count();
    if (threads == 1) {
        if (n != 0) body(std::size_t{0}, n);
        return;
    }
    struct sharing {
        Body const* body;
        std::size_t n, grain, blocks, parts;
    };
    const std::size_t parts = std::min({blocks, 4 * threads, detail::team::most_parts});
    const sharing all{&body, n, grain, blocks, parts};
    const auto run = [](void const* what, std::size_t part) {
        sharing const& s = *static_cast<sharing const*>(what);
        const std::size_t begin = s.blocks * part / s.parts, end = s.blocks * (part + 1) / s.parts;
        (*s.body)(begin* s.grain, end < s.blocks ? end * s.grain : s.n);
    };
    detail::team::mine().run({run, &all}, parts, threads);
}

}  // namespace tenet
