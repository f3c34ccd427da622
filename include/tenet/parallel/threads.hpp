// SPDX-License-Identifier: MIT
// parallel: how many threads to use. Without this, the arena of the caller counts: an application that embeds tenet in
// an arena of its own has said so already.
#pragma once

#include <cstddef>
#include <utility>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <tenet/parallel/team.hpp>

namespace tenet {

/// `n` threads for as long as this object lives: a limit of the whole process and an arena to run in. Keep one object
/// for a whole training run: its threads stay awake between steps, while waking them costs some 40 us.
class threads {
public:
    [[nodiscard]] explicit threads(int n)  // `threads(2);` would limit nothing: it ends at once
        : limit_(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(n < 1 ? 1 : n)),
          arena_(n < 1 ? 1 : n) {}

    threads(threads const&) = delete;
    threads& operator=(threads const&) = delete;

    /// f(), with the parallel loops in it on these threads; returns what f returns, by value.
    template <class F>
    auto run(F&& f) {
        // By value: TBB cannot hand a reference over.
        return arena_.execute([&] {
            detail::team::mine().forget_invitations();
            return std::forward<F>(f)();
        });
    }

    /// The number of threads.
    int count() const { return arena_.max_concurrency(); }

private:
    oneapi::tbb::global_control limit_;
    oneapi::tbb::task_arena arena_;
};

/// f() on `n` threads; returns what f returns, by value.
template <class F>
auto with_threads(int n, F&& f) {
    return threads(n).run(std::forward<F>(f));
}

}  // namespace tenet
