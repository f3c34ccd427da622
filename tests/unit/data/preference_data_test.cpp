// SPDX-License-Identifier: MIT
// Pairs of completions from JSON Lines, and the errors of lines that are none.
#define BOOST_TEST_MODULE data_preference_data
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include <tenet/data/preference_data.hpp>

using namespace tenet;

namespace {

void expect_error_of_line(std::string const& text, std::string const& line) {
    const std::string lines = "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}\n\n" + line + "\n";
    BOOST_CHECK_EXCEPTION(parse_preferences(lines, "pairs.jsonl"), exception, [&](exception const& e) {
        BOOST_TEST_MESSAGE(e.what());
        return std::string(e.what()) == "pairs.jsonl: line 3: expected " + text;
    });
}

}  // namespace

// The mark of UTF-8, ends of lines of two bytes, blank lines, other fields, escapes, no newline at the end.
BOOST_AUTO_TEST_CASE(lines_as_they_come) {
    const auto all = parse_preferences(
        "\xef\xbb\xbf{\"prompt\": \"\", \"chosen\": \"c\", \"rejected\": \"r\", \"id\": 7}\r\n"
        " \t\r\n\n"
        "{\"rejected\": \"\\u0000\", \"chosen\": \"\\ud83d\\ude00\", \"prompt\": \"h\xc3\xa9\\n\"}");
    const std::vector<preference_example> expected{{"", "c", "r"},
                                                   {"h\xc3\xa9\n", "\xf0\x9f\x98\x80", std::string(1, '\0')}};
    BOOST_TEST((all == expected));
}

BOOST_AUTO_TEST_CASE(errors_name_the_line) {
    expect_error_of_line("a JSON object in UTF-8, found a mistake at byte 2, in \"no json\"", "no json");
    expect_error_of_line("a JSON object, found \"3\"", "3");
    expect_error_of_line("a field \"rejected\", found \"chosen\", \"prompt\"", R"({"prompt": "p", "chosen": "c"})");
    expect_error_of_line("a string under \"prompt\", found [1]", R"({"prompt": [1], "chosen": "c", "rejected": "r"})");
    expect_error_of_line("a completion of at least one byte under \"chosen\", found none",
                         R"({"prompt": "p", "chosen": "", "rejected": "r"})");
    expect_error_of_line("a completion of at least one byte under \"rejected\", found none",
                         R"({"prompt": "p", "chosen": "c", "rejected": ""})");
    BOOST_CHECK_EXCEPTION(parse_preferences(" \n"), exception, [](exception const& e) {
        return std::string(e.what()) == "preferences: expected at least one pair, found none";
    });
}
