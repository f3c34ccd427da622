// SPDX-License-Identifier: MIT
// Packing: every example once, no row too long, few rows, and in a row nothing trained but completions.
#define BOOST_TEST_MODULE data_packed_rows
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <tenet/data/packed_rows.hpp>

using namespace tenet;

struct Batch : at_most<2> {};
struct Time : axis<12> {};
using ids = std::vector<std::int32_t>;

BOOST_AUTO_TEST_CASE(every_example_is_in_one_row) {
    std::mt19937 random(1);
    for (std::size_t n : {0u, 1u, 7u, 200u}) {
        std::vector<std::size_t> lengths(n);
        for (std::size_t& l : lengths) l = 1 + random() % 100;
        const auto rows = pack_rows(lengths, 100);
        std::vector<int> seen(n, 0);
        for (auto const& row : rows) {
            std::size_t used = 0;
            for (std::size_t i : row) {
                ++seen[i];
                used += lengths[i];
            }
            BOOST_TEST(used <= 100u);
            BOOST_TEST(std::is_sorted(row.begin(), row.end()));
        }
        BOOST_TEST(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(n));
        const std::size_t total = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
        BOOST_TEST(rows.size() <= (total + 99) / 100 * 11 / 9 + 1);
        BOOST_TEST((rows == pack_rows(lengths, 100)));
    }
}

// First fit in the given order would need four rows.
BOOST_AUTO_TEST_CASE(the_row_that_an_example_fills_best) {
    const std::vector<std::size_t> lengths{3, 5, 7, 5, 10};
    const std::vector<std::vector<std::size_t>> expected{{4}, {0, 2}, {1, 3}};
    BOOST_TEST((pack_rows(lengths, 10) == expected));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit) {
    BOOST_CHECK_EXCEPTION(pack_rows(std::vector<std::size_t>{3, 11}, 10), exception, [](exception const& e) {
        return std::string(e.what()).find("example 1: expected 1 to 10 tokens, found 11") != std::string::npos;
    });
    BOOST_CHECK_THROW(pack_rows(std::vector<std::size_t>{0}, 10), exception);
}

BOOST_AUTO_TEST_CASE(completions_of_a_packed_row) {
    const completion_options options{.end_of_text = 50, .pad = 50};
    packed_row p;
    append(p, make_completion_row(ids{11, 12}, ids{21}, 12, options));
    append(p, make_completion_row(ids{13}, ids{22, 23}, 12, options));
    completion_batch<Batch, Time> batch(options, 2);
    batch.set(0, p.tokens, p.completions);
    batch.set(1, ids{11}, ids{21});
    const auto row = [](auto const& t, std::size_t r) { return ids(t.data() + r * 12, t.data() + r * 12 + 12); };
    BOOST_TEST(row(batch.tokens(), 0) == (ids{11, 12, 21, 50, 13, 22, 23, 50, 50, 50, 50, 50}),
               boost::test_tools::per_element());
    // The end of the first example does not predict the second one's prompt.
    BOOST_TEST(row(batch.targets().tokens(), 0) == (ids{-100, 21, 50, -100, 22, 23, 50, -100, -100, -100, -100, -100}),
               boost::test_tools::per_element());
    BOOST_TEST(batch.targets().count() == 5u + 2u);
    BOOST_TEST(batch.targets().length(1) == 2u);
    BOOST_TEST(batch.last()(0) == 7);
    // Estimators of one completion a row refuse it.
    BOOST_CHECK_THROW(batch.targets().length(0), exception);
    BOOST_CHECK_THROW(batch.targets().positions(0), exception);
    // A row can be set anew.
    batch.set(0, ids{11}, ids{21, 22});
    BOOST_TEST(batch.targets().length(0) == 3u);
}

BOOST_AUTO_TEST_CASE(completions_need_a_prompt) {
    completion_targets<Batch, Time> targets;
    const ids tokens{1, 2, 3, 4};
    using ranges = std::vector<token_range>;
    for (ranges const& wrong : {ranges{{0, 2}}, ranges{{1, 2}, {2, 3}}, ranges{{1, 1}}, ranges{{1, 5}}, ranges{{3, 2}}})
        BOOST_CHECK_THROW(targets.set_row(0, tokens, wrong), exception);
    targets.set_row(0, tokens, ranges{{1, 2}, {3, 4}});
    BOOST_TEST(targets.count() == 2u);
}
