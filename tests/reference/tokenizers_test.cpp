// SPDX-License-Identifier: MIT
// Byte-pair encodings against the plainest implementation: the same merges, counts and ids (make_tokenizer_cases.py).
#define BOOST_TEST_MODULE reference_tokenizers
#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tenet/text/byte_pair_training.hpp>
#include <tenet/text/text_splitter.hpp>

using namespace tenet;

BOOST_AUTO_TEST_CASE(merges_and_ids_are_those_of_the_reference) {
    std::ifstream file(std::filesystem::path(TENET_TEST_REFERENCE).parent_path() / "tokenizer_cases.json");
    const auto reference = nlohmann::json::parse(file);
    const auto cases = reference.at("cases").get<std::vector<std::string>>();
    for (auto const& encoding : reference.at("encodings")) {
        BOOST_TEST_CONTEXT(encoding.at("name")) {
            std::vector<std::array<std::uint64_t, 3>> merges;
            byte_pair_training how;
            how.vocabulary_size = 256 + encoding.at("merges").size();
            how.pattern = encoding.at("pattern").get<std::string>();
            how.each = [&](byte_pair_step const& step) {
                merges.push_back({static_cast<std::uint64_t>(step.merge.left),
                                  static_cast<std::uint64_t>(step.merge.right), step.count});
            };
            const auto tokenizer = train_byte_pairs(reference.at("text").get<std::string>(), how);
            BOOST_TEST((merges == encoding.at("merges").get<std::vector<std::array<std::uint64_t, 3>>>()));
            for (std::size_t i = 0; i < cases.size(); ++i) {
                const auto expected = encoding.at("ids")[i].get<std::vector<std::int32_t>>();
                BOOST_TEST_CONTEXT("case " << i) {
                    BOOST_TEST(tokenizer.encode(cases[i]) == expected, boost::test_tools::per_element());
                    BOOST_TEST((tokenizer.decode(expected) == cases[i]));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_reference_uses_the_patterns_of_the_library) {
    std::ifstream file(std::filesystem::path(TENET_TEST_REFERENCE).parent_path() / "tokenizer_cases.json");
    const auto encodings = nlohmann::json::parse(file).at("encodings");
    const std::array patterns{split_pattern::none, split_pattern::gpt2, split_pattern::cl100k,
                              split_pattern::gpt4_minbpe};
    BOOST_TEST_REQUIRE(encodings.size() == patterns.size());
    for (std::size_t i = 0; i < patterns.size(); ++i) BOOST_TEST((encodings[i].at("pattern") == patterns[i]));
}
