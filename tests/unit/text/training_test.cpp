// SPDX-License-Identifier: MIT
// Training against its definition: recount everything for each merge.
#define BOOST_TEST_MODULE text_training
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/byte_pair_training.hpp>

using namespace tenet;

namespace {

using id_list = std::vector<std::int32_t>;
struct counted_merge {
    std::int32_t left, right;
    std::uint64_t count;
    bool operator==(counted_merge const&) const = default;
};

id_list merge(id_list const& ids, std::int32_t left, std::int32_t right, std::int32_t result) {
    id_list out;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const bool joins = i + 1 < ids.size() && ids[i] == left && ids[i + 1] == right;
        out.push_back(joins ? result : ids[i]);
        i += joins;
    }
    return out;
}

std::vector<counted_merge> train_plainly(std::vector<std::string_view> const& texts, std::string_view pattern,
                                         std::size_t merges) {
    std::vector<id_list> pieces;
    for (std::string_view const text : texts) {
        text_splitter(pattern).for_each_piece(text, [&](std::string_view piece) {
            pieces.emplace_back();
            for (char c : piece) pieces.back().push_back(static_cast<unsigned char>(c));
        });
    }
    std::vector<counted_merge> out;
    while (out.size() < merges) {
        std::vector<counted_merge> counts;  // in the order of the text
        for (id_list const& ids : pieces) {
            for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
                const auto same = [&](counted_merge const& m) { return m.left == ids[i] && m.right == ids[i + 1]; };
                const auto found = std::find_if(counts.begin(), counts.end(), same);
                if (found == counts.end()) counts.push_back({ids[i], ids[i + 1], 1});
                else ++found->count;
            }
        }
        if (counts.empty()) break;
        const auto best = std::max_element(counts.begin(), counts.end(),
                                           [](auto const& a, auto const& b) { return a.count < b.count; });
        const auto result = static_cast<std::int32_t>(256 + out.size());
        for (id_list& ids : pieces) ids = merge(ids, best->left, best->right, result);
        out.push_back(*best);
    }
    return out;
}

std::pair<byte_pair_tokenizer, std::vector<counted_merge>> train(std::vector<std::string_view> const& texts,
                                                                 std::string_view pattern, std::size_t merges) {
    std::vector<counted_merge> steps;
    byte_pair_training how{256 + merges, std::string(pattern), {}, {}};
    how.each = [&](byte_pair_step const& s) { steps.push_back({s.merge.left, s.merge.right, s.count}); };
    auto tokenizer = train_byte_pairs(texts, how);
    return {std::move(tokenizer), steps};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_textbook_example) {
    const auto tokenizer = train_byte_pairs("aaabdaaabac", {259, "", {}, {}});
    BOOST_TEST(tokenizer.encode("aaabdaaabac") == (id_list{258, 100, 258, 97, 99}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(merges_are_those_of_counting_anew) {
    std::mt19937 draw(1);
    for (int round = 0; round < 120; ++round) {
        std::vector<std::string> texts;
        for (std::size_t n = 1 + draw() % 3; n > 0; --n) {
            texts.emplace_back();
            // Few letters give many ties, and runs of one letter overlapping pairs.
            const std::size_t letters = 1 + draw() % 4;
            for (std::size_t k = draw() % 300; k > 0; --k) texts.back() += "a b\xe4"[draw() % letters];
        }
        const std::vector<std::string_view> views(texts.begin(), texts.end());
        const auto pattern = round % 2 ? split_pattern::none : split_pattern::gpt2;
        const std::size_t merges = 60;
        BOOST_REQUIRE((train(views, pattern, merges).second == train_plainly(views, pattern, merges)));
    }
}

BOOST_AUTO_TEST_CASE(training_ends_when_no_pair_is_left) {
    const auto [tokenizer, steps] = train({"abab"}, "", 100);
    BOOST_TEST(steps.size() == 2u);
    BOOST_TEST(tokenizer.vocabulary_size() == 258u);
    BOOST_TEST(train({}, "", 10).second.empty());
    BOOST_TEST(train({"a", "b", ""}, "", 10).second.empty());  // no pair across texts
}

BOOST_AUTO_TEST_CASE(tokens_stay_below_their_limit) {
    const std::string text(300000, 'a');
    const auto tokenizer = train({text}, "", 100).first;
    std::size_t longest = 0;
    for (std::string const& token : tokenizer.vocabulary().tokens) longest = std::max(longest, token.size());
    BOOST_TEST(longest == 65536u);
    BOOST_TEST((tokenizer.decode(tokenizer.encode(text)) == text));
}

BOOST_AUTO_TEST_CASE(special_tokens_come_last) {
    const auto tokenizer = train_byte_pairs("ababab", {258, "", {"<s>", "</s>"}, {}});
    BOOST_TEST(tokenizer.vocabulary_size() == 260u);
    BOOST_TEST(tokenizer.encode("<s>ab</s>", special_policy::recognise()) == (id_list{258, 256, 259}),
               boost::test_tools::per_element());
    BOOST_CHECK_THROW(train_byte_pairs("ab", {258, "", {"<s>", "<s>"}, {}}), exception);
}

BOOST_AUTO_TEST_CASE(wrong_settings_are_refused) {
    BOOST_CHECK_EXCEPTION(train_byte_pairs("ab", {255, "", {}, {}}), exception, [](exception const& e) {
        return std::string(e.what()) == "train_byte_pairs: expected a vocabulary of 256 or more, found 255";
    });
    BOOST_CHECK_THROW(train_byte_pairs("ab", {300, "(", {}, {}}), exception);
}
