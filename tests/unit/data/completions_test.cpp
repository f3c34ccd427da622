// SPDX-License-Identifier: MIT
// Prompts and completions as rows: nothing may depend on the padding token, nothing of a prompt may be trained, and the
// shift is by one.
#define BOOST_TEST_MODULE data_completions
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <numeric>
#include <vector>

#include <tenet/data/completion_batch.hpp>
#include <tenet/data/preference_batch.hpp>

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : axis<8> {};
using ids = std::vector<std::int32_t>;

namespace {

constexpr std::int32_t end_of_text = 50;

ids row_of(tensor<std::int32_t, Batch, Time> const& t, std::size_t row) {
    return {t.data() + row * Time::capacity, t.data() + (row + 1) * Time::capacity};
}
ids counted(std::int32_t from, std::size_t n) {
    ids all(n);
    std::iota(all.begin(), all.end(), from);
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_position_predicts_the_next_token_of_the_completion) {
    completion_batch<Batch, Time> batch({.end_of_text = end_of_text, .pad = 0}, 2);
    batch.set(0, ids{11, 12, 13}, ids{21, 22});
    batch.set(1, ids{11}, ids{21});
    BOOST_TEST(row_of(batch.tokens(), 0) == (ids{11, 12, 13, 21, 22, 50, 0, 0}), boost::test_tools::per_element());
    // The last token of the prompt (place 2) predicts the first of the completion.
    BOOST_TEST(row_of(batch.targets().tokens(), 0) == (ids{-100, -100, 21, 22, 50, -100, -100, -100}),
               boost::test_tools::per_element());
    BOOST_TEST(row_of(batch.targets().tokens(), 1) == (ids{21, 50, -100, -100, -100, -100, -100, -100}),
               boost::test_tools::per_element());
    BOOST_TEST(batch.targets().length(0) == 3u);
    BOOST_TEST(batch.targets().count() == 5u);
    BOOST_TEST(batch.last()(0) == 5);
    BOOST_TEST(batch.last()(1) == 2);
}

// Where the padding token is the end-of-text token, a search for padding finds the real end of the text instead.
BOOST_AUTO_TEST_CASE(padding_that_is_the_end_of_text_changes_nothing_but_the_padding) {
    completion_batch<Batch, Time> plain({.end_of_text = end_of_text, .pad = 0}, 3);
    completion_batch<Batch, Time> same({.end_of_text = end_of_text, .pad = end_of_text}, 3);
    for (auto* batch : {&plain, &same}) {
        batch->set(0, ids{11, 12, 13}, ids{21, 22});
        batch->set(1, ids{50, 12}, ids{50});              // a prompt that begins with the token, an empty answer
        batch->set(2, ids{11, 50, 50}, ids{21, 50, 50});  // and tokens within
    }
    for (std::size_t i = 0; i < 3; ++i) {
        BOOST_TEST(row_of(plain.targets().tokens(), i) == row_of(same.targets().tokens(), i),
                   boost::test_tools::per_element());
        BOOST_TEST(plain.last()(i) == same.last()(i));
        BOOST_TEST(plain.targets().length(i) == same.targets().length(i));
    }
    BOOST_TEST(row_of(same.targets().tokens(), 1) == (ids{-100, 50, -100, -100, -100, -100, -100, -100}),
               boost::test_tools::per_element());
    BOOST_TEST(same.last()(1) == 2);
    BOOST_TEST(same.targets().length(2) == 3u);  // it ended already: no further token
}

BOOST_AUTO_TEST_CASE(rows_that_are_not_set_are_not_trained) {
    completion_batch<Batch, Time> batch({.pad = 7}, 3);
    batch.set(1, ids{1}, ids{2});
    BOOST_TEST(batch.targets().count() == 1u);
    BOOST_TEST(batch.targets().length(0) == 0u);
    batch.resize(2);  // a new batch forgets the old one
    BOOST_TEST(batch.targets().count() == 0u);
    BOOST_TEST(batch.tokens().extent<Batch>() == 2u);
    BOOST_TEST(batch.targets().rows() == 2u);
}

BOOST_AUTO_TEST_CASE(long_prompts_are_cut_at_the_end_that_is_said) {
    const completion_options end{.end_of_text = end_of_text, .keep = truncation::keep_end, .most_prompt = 4};
    const completion_options start{.end_of_text = end_of_text, .keep = truncation::keep_start, .most_prompt = 4};
    // 10 + 2 + 1 tokens into 8: 5 of the prompt fit, which is more than the 4 that it is entitled to.
    auto row = make_completion_row(counted(1, 10), ids{21, 22}, 8, end);
    BOOST_TEST(row.tokens == (ids{6, 7, 8, 9, 10, 21, 22, 50}), boost::test_tools::per_element());
    BOOST_TEST(row.prompt == 5u);
    row = make_completion_row(counted(1, 10), ids{21, 22}, 8, start);
    BOOST_TEST(row.tokens == (ids{1, 2, 3, 4, 5, 21, 22, 50}), boost::test_tools::per_element());
    // Both too long: 4 of the prompt, and the completion loses its end.
    row = make_completion_row(counted(1, 10), counted(21, 9), 8, end);
    BOOST_TEST(row.tokens == (ids{7, 8, 9, 10, 21, 22, 23, 24}), boost::test_tools::per_element());
    // A prompt within its share is kept whole.
    row = make_completion_row(counted(1, 3), counted(21, 9), 8, end);
    BOOST_TEST(row.tokens == (ids{1, 2, 3, 21, 22, 23, 24, 25}), boost::test_tools::per_element());
    // What fits is not touched, to the last place.
    row = make_completion_row(counted(1, 5), ids{21, 22}, 8, end);
    BOOST_TEST(row.prompt == 5u);
    BOOST_TEST(row.tokens.size() == 8u);
}

BOOST_AUTO_TEST_CASE(both_completions_of_a_pair_have_the_same_prompt) {
    preference_batch<Batch, Time> batch({.end_of_text = end_of_text, .pad = end_of_text, .most_prompt = 3}, 2);
    batch.set(0, counted(1, 6), ids{21}, counted(31, 4));
    batch.set(1, ids{1, 2}, ids{21, 22}, ids{31});
    auto const& t = batch.tokens();
    const auto side = [&](std::size_t row) {
        return ids(t.data() + row * Time::capacity, t.data() + (row + 1) * Time::capacity);
    };
    BOOST_TEST(side(0) == (ids{4, 5, 6, 21, 50, 50, 50, 50}), boost::test_tools::per_element());
    BOOST_TEST(side(1) == (ids{4, 5, 6, 31, 32, 33, 34, 50}), boost::test_tools::per_element());
    BOOST_TEST(batch.last()(0, 0) == 4);
    BOOST_TEST(batch.last()(0, 1) == 7);
    BOOST_TEST(batch.last()(1, 0) == 4);
    BOOST_TEST(batch.targets().length(3) == 2u);
    BOOST_TEST(batch.targets().tokens()(0, 1, 6) == 50);
    BOOST_TEST(batch.targets().tokens()(0, 1, 1) == -100);
}

BOOST_AUTO_TEST_CASE(numbers_of_a_completion_are_found_where_its_targets_are) {
    completion_batch<Batch, Time> batch({.pad = 0}, 2);
    batch.set(1, ids{1, 2, 3}, ids{4, 5});
    tensor<float, Batch, Time> numbers(extent<Batch>(2));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers.data()[i] = static_cast<float>(i);
    const auto part = batch.targets().part(numbers, 1);
    BOOST_TEST(part.size() == 2u);
    BOOST_TEST(part[0] == 10.0f);  // row 1, place 2
    BOOST_TEST(batch.targets().part(numbers, 0).empty());
    tensor<float, Batch, Time> other(extent<Batch>(3));
    BOOST_CHECK_THROW(static_cast<void>(batch.targets().part(other, 1)), tenet::exception);
}

BOOST_AUTO_TEST_CASE(rows_without_prompt_or_completion_are_errors) {
    completion_batch<Batch, Time> batch({}, 2);
    BOOST_CHECK_THROW(batch.set(0, ids{}, ids{1}), tenet::exception);
    BOOST_CHECK_THROW(batch.set(0, ids{1}, ids{}), tenet::exception);  // and no end-of-text token is asked for
    BOOST_CHECK_THROW(batch.set(2, ids{1}, ids{1}), tenet::exception);
    completion_targets<Batch, Time> targets;
    BOOST_CHECK_THROW(targets.set_row(0, counted(1, 9), 2), tenet::exception);
    BOOST_CHECK_THROW(targets.set_row(0, counted(1, 4), 4), tenet::exception);
    BOOST_CHECK_THROW(targets.set_row(0, counted(1, 4), 0), tenet::exception);
    BOOST_TEST(targets.count() == 0u);
}
