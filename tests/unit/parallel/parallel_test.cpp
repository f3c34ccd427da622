// SPDX-License-Identifier: MIT
// parallel: loops cover each index once, reductions are bitwise equal for any number of threads, arenas are respected.
#define BOOST_TEST_MODULE parallel
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <oneapi/tbb/global_control.h>
#include <tenet/parallel/ordered_reduce.hpp>
#include <tenet/parallel/parallel_for.hpp>
#include <tenet/parallel/threads.hpp>

BOOST_AUTO_TEST_CASE(every_index_once_in_whole_blocks) {
    for (int count : {1, 2, 4})
        for (std::size_t n : {0u, 1u, 7u, 64u, 1000u})
            for (std::size_t grain : {0u, 1u, 3u, 64u, 5000u}) {
                std::vector<std::atomic<int>> seen(n);
                std::atomic<bool> aligned{true};
                tenet::with_threads(count, [&] {
                    tenet::parallel_for(n, grain, [&](std::size_t begin, std::size_t end) {
                        if (begin % (grain == 0 ? 1 : grain) != 0 || begin >= end) aligned = false;
                        for (std::size_t i = begin; i < end; ++i) ++seen[i];
                    });
                });
                BOOST_TEST(aligned.load());
                for (auto const& s : seen) BOOST_TEST(s.load() == 1);
            }
}

BOOST_AUTO_TEST_CASE(ordered_reduce_is_bitwise_equal) {
    for (std::size_t n : {0u, 1u, 63u, 1000u, 100003u}) {
        std::vector<float> x(n);
        for (std::size_t i = 0; i < n; ++i) x[i] = 1.0f / static_cast<float>(i % 997 + 1);
        const auto sum = [&](int count) {
            return tenet::with_threads(count, [&] {
                return tenet::ordered_reduce(
                    n, 16, 0.0f,
                    [&](std::size_t begin, std::size_t end) {
                        float s = 0;
                        for (std::size_t i = begin; i < end; ++i) s += x[i];
                        return s;
                    },
                    [](float a, float b) { return a + b; });
            });
        };
        double expected = 0;
        for (float v : x) expected += static_cast<double>(v);
        const float one = sum(1);
        BOOST_TEST(static_cast<double>(one) == expected, boost::test_tools::tolerance(1e-4));
        for (int repeat = 0; repeat < 20; ++repeat) {
            BOOST_TEST(sum(2) == one);
            BOOST_TEST(sum(4) == one);
        }
    }
}

BOOST_AUTO_TEST_CASE(results_are_combined_in_order) {
    const auto digits = [](int count) {
        return tenet::with_threads(count, [] {
            return tenet::ordered_reduce(
                10, 1, std::uint64_t{0},
                [](std::size_t begin, std::size_t) { return static_cast<std::uint64_t>(begin); },
                [](std::uint64_t a, std::uint64_t b) { return a * 10 + b; });
        });
    };
    BOOST_TEST(digits(1) == 123456789u);
    BOOST_TEST(digits(4) == 123456789u);
}

BOOST_AUTO_TEST_CASE(block_sizes_depend_on_n_alone) {
    static_assert(tenet::ordered_block_size(100, 16) == 16);
    static_assert(tenet::ordered_block_size(64 * 16, 16) == 16);
    static_assert(tenet::ordered_block_size(64 * 16 + 1, 16) == 32);
    static_assert(tenet::ordered_block_size(1000, 0) == 16);
    for (std::size_t n = 1; n < 100000; n = n * 3 + 1) {
        const std::size_t size = tenet::ordered_block_size(n, 48);
        BOOST_TEST(size % 48 == 0u);
        BOOST_TEST((n + size - 1) / size <= tenet::ordered_blocks);
    }
}

BOOST_AUTO_TEST_CASE(the_arena_decides) {
    tenet::threads three(3);
    BOOST_TEST(three.count() == 3);
    BOOST_TEST(three.run([] { return tenet::thread_count(); }) == 3u);
    BOOST_TEST(tenet::with_threads(1, [] { return tenet::thread_count(); }) == 1u);
    oneapi::tbb::task_arena own(2);
    BOOST_TEST(own.execute([] { return tenet::thread_count(); }) == 2u);
}

BOOST_AUTO_TEST_CASE(an_exception_reaches_the_caller) {
    const auto fail = [] {
        tenet::parallel_for(100, 1, [](std::size_t begin, std::size_t end) {
            if (begin <= 50 && 50 < end) throw std::runtime_error("at 50");
        });
    };
    BOOST_CHECK_THROW(tenet::with_threads(2, fail), std::runtime_error);
    BOOST_CHECK_THROW(tenet::with_threads(1, fail), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(many_short_loops_in_turns) {
    // Each loop reads what the one before has written: a part that was missed, done twice or late would show.
    constexpr std::size_t n = 64;
    for (int count : {2, 3, 4, 8})
        tenet::with_threads(count, [&] {
            std::vector<std::uint32_t> a(n, 1), b(n);
            for (std::uint32_t loop = 0; loop < 20000; ++loop) {
                tenet::parallel_for(n, 1, [&](std::size_t begin, std::size_t end) {
                    for (std::size_t i = begin; i < end; ++i) b[i] = a[(i + 17) % n] + 1;
                });
                a.swap(b);
            }
            for (std::uint32_t x : a) BOOST_TEST(x == 20001u);
        });
}

BOOST_AUTO_TEST_CASE(helpers_come_and_go) {
    tenet::with_threads(2, [] {
        std::set<std::thread::id> seen;
        std::mutex guard;
        // On a busy machine a helper may be long in coming.
        const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (seen.size() < 2 && std::chrono::steady_clock::now() < patience) {
            tenet::parallel_for(64, 1, [&](std::size_t, std::size_t) {
                std::this_thread::sleep_for(std::chrono::microseconds(20));
                const std::lock_guard lock(guard);
                seen.insert(std::this_thread::get_id());
            });
            // Longer than a helper waits: the next loop has to call for one again.
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        BOOST_TEST(seen.size() == 2u);
    });
}

BOOST_AUTO_TEST_CASE(no_more_threads_than_the_arena_has) {
    tenet::with_threads(4, [] {
        tenet::parallel_for(64, 1, [](std::size_t, std::size_t) {});
        oneapi::tbb::task_arena two(2);
        two.execute([] {
            for (int loop = 0; loop < 100; ++loop) {
                std::atomic<int> inside{0}, most{0};
                tenet::parallel_for(64, 1, [&](std::size_t, std::size_t) {
                    const int now = ++inside;
                    for (int m = most.load(); now > m && !most.compare_exchange_weak(m, now);) {
                    }
                    --inside;
                });
                BOOST_TEST(most.load() <= 2);
            }
        });
    });
    const oneapi::tbb::global_control one(oneapi::tbb::global_control::max_allowed_parallelism, 1);
    const std::thread::id self = std::this_thread::get_id();
    tenet::parallel_for(64, 1, [&](std::size_t, std::size_t) { BOOST_TEST((std::this_thread::get_id() == self)); });
}

BOOST_AUTO_TEST_CASE(loops_within_loops_and_from_several_threads) {
    std::atomic<std::size_t> total{0};
    const auto nested = [&] {
        tenet::parallel_for(8, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i)
                tenet::parallel_for(16, 1, [&](std::size_t first, std::size_t last) { total += last - first; });
        });
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            oneapi::tbb::task_arena arena(3);
            for (int loop = 0; loop < 200; ++loop) arena.execute(nested);
        });
    for (std::thread& t : threads) t.join();
    BOOST_TEST(total.load() == 4u * 200u * 8u * 16u);
}

BOOST_AUTO_TEST_CASE(a_loop_works_after_one_that_threw) {
    tenet::with_threads(3, [] {
        for (int loop = 0; loop < 500; ++loop) {
            std::atomic<int> thrown{0};
            BOOST_CHECK_THROW(tenet::parallel_for(48, 1,
                                                  [&](std::size_t, std::size_t) {
                                                      ++thrown;
                                                      throw std::runtime_error("every part");
                                                  }),
                              std::runtime_error);
            BOOST_TEST(thrown.load() >= 1);
            std::atomic<std::size_t> done{0};
            tenet::parallel_for(48, 1, [&](std::size_t begin, std::size_t end) { done += end - begin; });
            BOOST_TEST(done.load() == 48u);
        }
    });
}
