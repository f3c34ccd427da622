// SPDX-License-Identifier: MIT
// Corpora and windows: the split, determinism, uniformity, the last partial batch.
#define BOOST_TEST_MODULE data_corpus
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <tenet/data/text_corpus.hpp>
#include <tenet/data/token_windows.hpp>
#include <tenet/io/mapped_file.hpp>

using namespace tenet;

namespace {

std::vector<std::int32_t> counting(std::size_t n) {
    std::vector<std::int32_t> out(n);
    std::iota(out.begin(), out.end(), 0);
    return out;
}

struct buffers {
    std::vector<std::int32_t> inputs, targets;
    explicit buffers(std::size_t n) : inputs(n, -7), targets(n, -7) {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_split_is_nanogpts) {
    const text_corpus corpus(std::string(1'115'394, 'x'));
    BOOST_TEST(corpus.train().size() == 1'003'854u);
    BOOST_TEST(corpus.validation().size() == 111'540u);
    const text_corpus small(std::string("0123456789"), 0.75);
    BOOST_TEST(small.text() == "0123456789");
    BOOST_TEST(small.train() == "0123456");
    BOOST_TEST(small.validation() == "789");
    BOOST_TEST(text_corpus(std::string("abc"), 1.0).validation().empty());
    BOOST_TEST(text_corpus(std::string("abc"), 0.0).train().empty());
    BOOST_CHECK_THROW(text_corpus{std::string{}}, exception);
    BOOST_CHECK_THROW(text_corpus(std::string("a"), 1.5), exception);
    BOOST_CHECK_THROW(text_corpus(std::string("a"), -0.1), exception);
}

BOOST_AUTO_TEST_CASE(a_corpus_keeps_its_mapped_file_alive) {
    const auto path = std::filesystem::temp_directory_path() / "tenet-corpus-test.txt";
    std::ofstream(path) << "a text in a file";
    std::string_view view;
    {
        text_corpus copy{std::string("other")};
        {
            const text_corpus corpus{mapped_file(path), 0.5};
            copy = corpus;
        }
        std::filesystem::remove(path);
        view = copy.text();
        BOOST_TEST(view == "a text in a file");
        BOOST_TEST(copy.validation() == "n a file");
    }
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_named) {
    const auto path = std::filesystem::temp_directory_path() / "tenet-empty-corpus-test.txt";
    std::ofstream(path).close();
    BOOST_CHECK_EXCEPTION(text_corpus{mapped_file(path)}, exception, [&](exception const& e) {
        return std::string(e.what()).find(path.string()) != std::string::npos;
    });
    std::filesystem::remove(path);
}

BOOST_AUTO_TEST_CASE(windows_lie_within_the_tokens_and_targets_follow) {
    const auto tokens = counting(50);
    for (std::size_t time : {1u, 7u, 49u}) {
        const token_windows windows(tokens, time, 3);
        BOOST_TEST(windows.positions() == 50 - time);
        for (std::uint64_t step = 0; step < 50; ++step) {
            buffers b(4 * time);
            windows.batch(step, b.inputs, b.targets);
            for (std::size_t row = 0; row < 4; ++row) {
                const auto start = b.inputs[row * time];
                BOOST_REQUIRE(start == static_cast<std::int32_t>(windows.start(step, row)));
                for (std::size_t t = 0; t < time; ++t) {
                    const auto expected = start + static_cast<std::int32_t>(t);
                    BOOST_REQUIRE(b.inputs[row * time + t] == expected);
                    BOOST_REQUIRE(b.targets[row * time + t] == expected + 1);
                    BOOST_REQUIRE(expected + 1 < 50);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_batch_is_a_function_of_seed_and_step) {
    const auto tokens = counting(10'000);
    const token_windows a(tokens, 8, 1), b(tokens, 8, 1), other(tokens, 8, 2);
    buffers first(12 * 8), again(12 * 8), different(12 * 8);
    a.batch(1000, first.inputs, first.targets);
    for (std::uint64_t step = 0; step < 5; ++step) b.batch(step, again.inputs, again.targets);
    b.batch(1000, again.inputs, again.targets);
    BOOST_TEST(first.inputs == again.inputs, boost::test_tools::per_element());
    other.batch(1000, different.inputs, different.targets);
    BOOST_TEST((first.inputs != different.inputs));
    a.batch(1001, different.inputs, different.targets);
    BOOST_TEST((first.inputs != different.inputs));
    // Two halves are the whole.
    buffers half(6 * 8);
    a.batch(1000, half.inputs, half.targets, 6);
    BOOST_TEST(std::equal(half.inputs.begin(), half.inputs.end(), first.inputs.begin() + 6 * 8));
    // The values are part of what a resumed run relies on: they never change.
    BOOST_TEST(a.start(0, 0) == 2390u);
    BOOST_TEST(a.start(1000, 11) == 2573u);
    BOOST_TEST(a.start(std::uint64_t{1} << 40, 3) == 8429u);
}

BOOST_AUTO_TEST_CASE(starts_are_uniform) {
    const auto tokens = counting(12);
    const token_windows windows(tokens, 1, 42);
    std::vector<double> counts(windows.positions());
    constexpr double draws = 110'000;
    for (std::uint64_t i = 0; i < 110'000; ++i) counts[windows.start(i / 10, i % 10)] += 1;
    double chi_squared = 0;
    const double expected = draws / static_cast<double>(counts.size());
    for (double c : counts) chi_squared += (c - expected) * (c - expected) / expected;
    BOOST_TEST(chi_squared < 29.6);  // 10 degrees of freedom, p = 0.001
    BOOST_TEST(chi_squared > 1.0);   // and not suspiciously even
    const token_windows one(tokens, 11, 42);
    BOOST_TEST(one.start(7, 3) == 0u);
}

BOOST_AUTO_TEST_CASE(evaluation_covers_the_tokens_side_by_side) {
    const auto tokens = counting(5 * 8 + 1 + 3);  // five windows and three tokens that fill none
    const token_windows windows(tokens, 8);
    BOOST_TEST(windows.evaluation_windows() == 5u);
    BOOST_TEST(windows.evaluation_batches(2) == 3u);
    buffers b(2 * 8);
    std::int32_t next = 0;
    for (std::size_t batch = 0; batch < 3; ++batch) {
        const std::size_t rows = windows.evaluation_batch(batch, b.inputs, b.targets);
        BOOST_TEST(rows == (batch < 2 ? 2u : 1u));
        for (std::size_t i = 0; i < rows * 8; ++i) {
            BOOST_REQUIRE(b.inputs[i] == next);
            BOOST_REQUIRE(b.targets[i] == ++next);
        }
        for (std::size_t i = rows * 8; i < 16; ++i) BOOST_REQUIRE((b.inputs[i] == 0 && b.targets[i] == 0));
    }
    BOOST_TEST(next == 40);
    BOOST_TEST(windows.evaluation_batch(3, b.inputs, b.targets) == 0u);
    BOOST_TEST(windows.evaluation_batch(~std::size_t{0}, b.inputs, b.targets) == 0u);
    // The last target may be the last token.
    const std::span<std::int32_t const> all(tokens);
    const token_windows exact(all.first(9), 8);
    BOOST_TEST(exact.evaluation_windows() == 1u);
    const token_windows short_by_one(all.first(16), 8);
    BOOST_TEST(short_by_one.evaluation_windows() == 1u);
    const token_windows two(all.first(17), 8);
    BOOST_TEST(two.evaluation_batch(0, b.inputs, b.targets) == 2u);
    BOOST_TEST(b.targets[15] == 16);
}

BOOST_AUTO_TEST_CASE(errors_say_what_is_needed) {
    const auto tokens = counting(8);
    auto const says = [](std::string part) {
        return [part](exception const& e) { return std::string(e.what()).find(part) != std::string::npos; };
    };
    BOOST_CHECK_EXCEPTION(token_windows(tokens, 8), exception,
                          says("at least 8 + 1 tokens for a window and its targets, found 8"));
    BOOST_CHECK_EXCEPTION(token_windows(tokens, 0), exception, says("at least one token"));
    BOOST_CHECK_THROW(token_windows({}, 1), exception);
    const token_windows windows(tokens, 4);
    buffers b(8), wrong(7);
    BOOST_CHECK_EXCEPTION(windows.batch(0, wrong.inputs, b.targets), exception,
                          says("rows of 4, found 7 and 8 elements"));
    BOOST_CHECK_THROW(windows.batch(0, wrong.inputs, wrong.targets), exception);
    BOOST_CHECK_THROW(windows.evaluation_batch(0, {}, {}), exception);
    BOOST_CHECK_THROW(windows.evaluation_batches(0), exception);
}
