// SPDX-License-Identifier: MIT
// KTO's mismatched completions: never of the same prompt, and cut as all rows are.
#define BOOST_TEST_MODULE data_mismatched_rows
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

#include <tenet/data/mismatched_rows.hpp>

using namespace tenet;
using ids = std::vector<std::int32_t>;

namespace {

constexpr completion_options options{.end_of_text = 50, .pad = 50};

std::vector<completion_row> rows_of(std::vector<std::pair<ids, ids>> const& texts) {
    std::vector<completion_row> rows;
    for (auto const& [prompt, completion] : texts) rows.push_back(make_completion_row(prompt, completion, 8, options));
    return rows;
}
void check(completion_row const& row, ids const& tokens, std::size_t prompt) {
    BOOST_TEST(row.tokens == tokens, boost::test_tools::per_element());
    BOOST_TEST(row.prompt == prompt);
}

}  // namespace

BOOST_AUTO_TEST_CASE(completions_move_on_by_one) {
    const auto all = mismatched_rows(rows_of({{{1, 2}, {11}}, {{3}, {12, 13}}, {{4, 5, 6}, {14}}}), 8, options);
    BOOST_TEST_REQUIRE(all.size() == 3u);
    check(all[0], {1, 2, 14, 50}, 2);
    check(all[1], {3, 11, 50}, 1);
    check(all[2], {4, 5, 6, 12, 13, 50}, 3);
}

BOOST_AUTO_TEST_CASE(a_completion_of_the_same_prompt_is_no_mismatch) {
    // Good and bad completions of a prompt often stand together.
    const auto all = mismatched_rows(rows_of({{{1}, {11}}, {{1}, {12}}, {{2}, {13}}, {{2}, {14}}}), 8, options);
    check(all[0], {1, 14, 50}, 1);
    check(all[1], {1, 14, 50}, 1);
    check(all[2], {2, 12, 50}, 1);
    check(all[3], {2, 12, 50}, 1);
    BOOST_CHECK_EXCEPTION(mismatched_rows(rows_of({{{1}, {11}}, {{1}, {12}}}), 8, options), exception,
                          [](exception const& e) {
                              return std::string(e.what()).find("row 0") != std::string::npos &&
                                     std::string(e.what()).find("2 of the same") != std::string::npos;
                          });
    BOOST_CHECK_THROW(mismatched_rows(rows_of({{{1}, {11}}}), 8, options), exception);
}

BOOST_AUTO_TEST_CASE(rows_are_cut_as_all_are) {
    const auto all = mismatched_rows(rows_of({{{1, 2, 3, 4, 5}, {11}}, {{6}, {12, 13, 14, 15, 16}}}), 8, options);
    check(all[0], {2, 3, 4, 5, 12, 13, 14, 15}, 4);
    check(all[1], {6, 11, 50}, 1);
}
