// SPDX-License-Identifier: MIT
// parallel: the threads of a parallel loop, kept awake from loop to loop. TBB lends them: a worker that has helped
// stays for some microseconds and watches for the next loop, since waking it costs more than most loops take; then it
// goes back. The caller never waits for a worker that has not begun: it takes over what is left; and does without
// helpers for a while when one that had begun was late.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include <oneapi/tbb/task_arena.h>
#include <tenet/parallel/cpu.hpp>

namespace tenet::detail {

/// Whether this thread is in a part of a loop: loops inside of it are its own work.
inline bool& inside_loop() {
    static thread_local bool inside = false;
    return inside;
}

/// A loop that is divided into parts: `run(body, part)`, which may throw.
struct shared_loop {
    void (*run)(void const* body, std::size_t part);
    void const* body;
};

/// The helpers of one calling thread.
class team : public std::enable_shared_from_this<team> {
public:
    static constexpr std::size_t most_threads = 64, most_parts = 1024;

    /// How long a helper watches for the next loop, and a caller for the end of one before it sleeps.
    static constexpr std::chrono::microseconds patience{50};

    /// The team of this thread.
    static team& mine() {
        static thread_local std::shared_ptr<team> const own = std::make_shared<team>();
        return *own;
    }

    /// Runs all parts of a loop, on up to `threads` threads; the first exception of a part is thrown again.
    void run(shared_loop loop, std::size_t parts, std::size_t threads) {
        threads = std::min({threads, most_threads, parts});
        const clock::time_point begin = clock::now();
        if (begin < rest_end_) return run_alone(loop, parts);
        loop_ = loop;
        left_.store(static_cast<std::int32_t>(parts), std::memory_order_relaxed);
        const std::uint64_t loop_number = ++loops_ << 32;
        for (std::size_t s = 0; s < threads; ++s)
            segments_[s].claims.store(loop_number | (parts * (s + 1) / threads) << 16 | parts * s / threads,
                                      std::memory_order_release);
        threads_.store(threads, std::memory_order_relaxed);
        processor_.store(current_processor(), std::memory_order_relaxed);
        posted_.store(loop_number, std::memory_order_seq_cst);
        invite(threads);
        take_parts(0, threads);
        wait_for_the_others(begin);
        if (failed_.load(std::memory_order_relaxed)) {
            failed_.store(false, std::memory_order_relaxed);
            std::rethrow_exception(std::exchange(failure_, nullptr));
        }
    }

    /// Invitations that nobody has answered are void: the arena is another one.
    void forget_invitations() {
        ++invitation_;
        invited_.store(0, std::memory_order_relaxed);
    }

private:
    using clock = std::chrono::steady_clock;

    /// The parts of one thread: loop << 32 | end << 16 | next. Others take what their owner has not come to.
    struct alignas(64) segment {
        std::atomic<std::uint64_t> claims{0};
    };

    alignas(64) std::atomic<std::uint64_t> posted_{0};  // what helpers watch
    std::atomic<std::size_t> threads_{1};
    std::atomic<int> processor_{-1};
    alignas(64) std::atomic<std::int32_t> left_{0};
    std::atomic<bool> asleep_{false}, failed_{false};
    shared_loop loop_{};
    std::exception_ptr failure_;
    alignas(64) std::atomic<std::uint64_t> seats_{1};  // bit s: segment s has a thread; the caller has 0
    std::atomic<std::uint32_t> invited_{0}, invitation_{0};
    std::uint64_t loops_ = 0;
    clock::time_point last_invitation_{}, rest_end_{};
    clock::duration rest_{};
    std::array<segment, most_threads> segments_;

    /// Makes TBB send whoever is missing.
    void invite(std::size_t threads) {
        const std::uint64_t wanted = threads == most_threads ? ~std::uint64_t{0} : (std::uint64_t{1} << threads) - 1;
        const auto there = static_cast<std::size_t>(std::popcount(seats_.load(std::memory_order_seq_cst) & wanted));
        const std::size_t expected = there + invited_.load(std::memory_order_relaxed);
        if (expected >= threads) {
            if (there >= threads) return;
            // They may have been sent to an arena that has no workers any more.
            const clock::time_point now = clock::now();
            if (now - last_invitation_ < std::chrono::milliseconds(100)) return;
            forget_invitations();
        }
        last_invitation_ = clock::now();
        const std::uint32_t number = invitation_.load(std::memory_order_relaxed);
        for (std::size_t n = there + invited_.load(std::memory_order_relaxed); n < threads; ++n) {
            invited_.fetch_add(1, std::memory_order_relaxed);
            oneapi::tbb::this_task_arena::enqueue([self = shared_from_this(), number] { self->help(number); });
        }
    }

    /// A helper's stay.
    void help(std::uint32_t number) {
        if (number != invitation_.load(std::memory_order_relaxed)) return;
        invited_.fetch_sub(1, std::memory_order_relaxed);
        if (inside_loop()) return;
        const std::size_t seat = take_seat();
        if (seat == most_threads) return;
        std::uint64_t seen = 0;
        do {
            seen = posted_.load(std::memory_order_acquire);
            const std::size_t threads = threads_.load(std::memory_order_relaxed);
            if (seat >= threads) break;
            leave_processor(processor_.load(std::memory_order_relaxed));
            take_parts(seat, threads);
        } while (watch(seen));
        seats_.fetch_and(~(std::uint64_t{1} << seat), std::memory_order_seq_cst);
    }

    std::size_t take_seat() {
        std::uint64_t taken = seats_.load(std::memory_order_relaxed);
        while (taken != ~std::uint64_t{0}) {
            const auto seat = static_cast<std::size_t>(std::countr_one(taken));
            if (seats_.compare_exchange_weak(taken, taken | std::uint64_t{1} << seat, std::memory_order_seq_cst))
                return seat;
        }
        return most_threads;
    }

    /// Whether another loop than `seen` is posted before patience ends.
    bool watch(std::uint64_t seen) const {
        const clock::time_point end = clock::now() + patience;
        for (;;) {
            for (int i = 0; i < 32; ++i) {
                if (posted_.load(std::memory_order_acquire) != seen) return true;
                pause_processor();
            }
            if (clock::now() > end) return false;
        }
    }

    /// Runs parts until all are taken: those of `seat` first, which are the same from loop to loop, for the cache.
    void take_parts(std::size_t seat, std::size_t threads) {
        inside_loop() = true;
        for (std::size_t s = 0; s < threads; ++s) {
            std::atomic<std::uint64_t>& claims = segments_[(seat + s) % threads].claims;
            std::uint64_t seen = claims.load(std::memory_order_acquire);
            while ((seen & 0xffff) < (seen >> 16 & 0xffff)) {
                if (!claims.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire))
                    continue;
                // From here on the loop cannot end, nor its description change, before this part is done.
                run_part(seen & 0xffff);
                seen = claims.load(std::memory_order_acquire);
            }
        }
        inside_loop() = false;
    }

    void run_part(std::size_t part) {
        if (!failed_.load(std::memory_order_relaxed)) {
            try {
                loop_.run(loop_.body, part);
            } catch (...) {
                if (!failed_.exchange(true, std::memory_order_relaxed)) failure_ = std::current_exception();
            }
        }
        if (left_.fetch_sub(1, std::memory_order_seq_cst) == 1 && asleep_.load(std::memory_order_seq_cst))
            left_.notify_one();
    }

    void wait_for_the_others(clock::time_point begin) {
        if (left_.load(std::memory_order_acquire) == 0) return;
        const clock::time_point start = clock::now();
        const clock::duration worked = start - begin;
        const clock::time_point end = start + std::clamp<clock::duration>(worked / 4, patience, 10 * patience);
        for (;;) {
            for (int i = 0; i < 32; ++i) {
                if (left_.load(std::memory_order_acquire) == 0) return;
                pause_processor();
            }
            if (clock::now() > end) break;
        }
        asleep_.store(true, std::memory_order_seq_cst);
        for (std::int32_t n = left_.load(std::memory_order_seq_cst); n != 0; n = left_.load(std::memory_order_seq_cst))
            left_.wait(n, std::memory_order_seq_cst);
        asleep_.store(false, std::memory_order_relaxed);
        const clock::time_point now = clock::now();
        rest_if_late(worked, now - start, now);
    }

    /// A helper that kept the caller waiting for twice the time that the caller worked has lost its processor to
    /// somebody: for a while the caller is faster alone, for longer if that happens again soon.
    void rest_if_late(clock::duration worked, clock::duration waited, clock::time_point now) {
        constexpr std::chrono::milliseconds shortest{1}, longest{16};
        if (waited < std::max<clock::duration>(2 * worked, 4 * patience)) return;
        const bool again = now - rest_end_ < 4 * rest_;
        rest_ = again ? std::min<clock::duration>(2 * rest_, longest) : clock::duration(shortest);
        rest_end_ = now + rest_;
    }

    static void run_alone(shared_loop loop, std::size_t parts) {
        struct inside {
            inside() { inside_loop() = true; }
            ~inside() { inside_loop() = false; }
        } const here;
        for (std::size_t part = 0; part < parts; ++part) loop.run(loop.body, part);
    }
};

}  // namespace tenet::detail
