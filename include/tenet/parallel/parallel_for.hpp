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

namespace detail {

/// Into how many blocks a loop falls, and whether threads share them.
struct loop_blocks {
    std::size_t count, threads;
};
inline loop_blocks blocks_of(std::size_t n, std::size_t grain) {
    const std::size_t count = n / grain + (n % grain != 0);
    return {count, count <= 1 || inside_loop() ? 1 : thread_count()};
}

/// A loop that threads share. One function for all bodies, so that it is compiled once.
inline void share_loop(std::size_t n, std::size_t grain, loop_blocks blocks,
                       void (*call)(void const* body, std::size_t begin, std::size_t end), void const* body) {
    struct divided_loop {
        std::size_t n, grain, blocks, parts;
        void (*call)(void const* body, std::size_t begin, std::size_t end);
        void const* body;
    };
    const std::size_t parts = std::min({blocks.count, 4 * blocks.threads, team::most_parts});
    const divided_loop all{n, grain, blocks.count, parts, call, body};
    const auto run = [](void const* what, std::size_t part) {
        divided_loop const& s = *static_cast<divided_loop const*>(what);
        const std::size_t begin = s.blocks * part / s.parts, end = s.blocks * (part + 1) / s.parts;
        s.call(s.body, begin * s.grain, end < s.blocks ? end * s.grain : s.n);
    };
    team::mine().run({run, &all}, parts, blocks.threads);
}

}  // namespace detail

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
    const detail::loop_blocks blocks = detail::blocks_of(n, grain);
    if (blocks.threads == 1) {
        if (n != 0) body(std::size_t{0}, n);
        return;
    }
    const auto call = [](void const* what, std::size_t begin, std::size_t end) {
        (*static_cast<Body const*>(what))(begin, end);
    };
    detail::share_loop(n, grain, blocks, call, &body);
}

}  // namespace tenet
