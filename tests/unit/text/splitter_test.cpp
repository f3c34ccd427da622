// SPDX-License-Identifier: MIT
// What is UTF-8, and where patterns cut text.
#define BOOST_TEST_MODULE text_splitter
#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/text_splitter.hpp>
#include <tenet/text/utf8.hpp>

using namespace tenet;

namespace {

using pieces = std::vector<std::string>;

pieces split(std::string_view pattern, std::string_view text) {
    pieces out;
    text_splitter(pattern).for_each_piece(text, [&](std::string_view piece) { out.emplace_back(piece); });
    return out;
}

// UTF-8 by its definition: the only encoding of a scalar value.
bool is_scalar(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
    unsigned value = byte(0);
    if (text.size() > 1) value &= 0x7fu >> text.size();
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (byte(i) >> 6 != 2) return false;
        value = value << 6 | (byte(i) & 0x3f);
    }
    switch (text.size()) {
    case 1: return byte(0) < 0x80;
    case 2: return byte(0) >> 5 == 6 && value >= 0x80;
    case 3: return byte(0) >> 4 == 14 && value >= 0x800 && (value < 0xd800 || value > 0xdfff);
    default: return byte(0) >> 3 == 30 && value >= 0x10000 && value <= 0x10ffff;
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(utf8_is_what_the_standard_says) {
    std::mt19937 draw(1);
    const auto any = [&](std::size_t n) {
        std::string text;
        for (std::size_t i = 0; i < n; ++i) {
            // Mostly continuation bytes, so that long sequences are often right.
            text += static_cast<char>(draw() % 3 == 0 || i == 0 ? draw() % 256 : 0x80 + draw() % 0x40);
        }
        return text;
    };
    int valid = 0;
    for (int i = 0; i < 200000; ++i) {
        const std::string text = any(1 + draw() % 4);
        const auto unit = detail::utf8_at(text, 0);
        bool expected = false;
        for (std::size_t n = 1; n <= text.size(); ++n) expected |= is_scalar(text.substr(0, n));
        BOOST_REQUIRE(unit.valid == expected);
        BOOST_REQUIRE(!expected || is_scalar(text.substr(0, unit.length)));
        valid += expected;
    }
    BOOST_TEST(valid > 1000);
}

BOOST_AUTO_TEST_CASE(broken_text_is_replaced_part_by_part) {
    BOOST_TEST(to_utf8("plain ascii, more than eight bytes") == "plain ascii, more than eight bytes");
    BOOST_TEST(to_utf8("A\xc3") == "A\xef\xbf\xbd");
    BOOST_TEST(to_utf8("\xf0\x9f\x92") == "\xef\xbf\xbd");
    BOOST_TEST(to_utf8("\xfe\x80") == "\xef\xbf\xbd\xef\xbf\xbd");
    BOOST_TEST(to_utf8("\xe0\x80\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    // The example of the Unicode standard, table 3-8.
    BOOST_TEST(to_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41") ==
               "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41");
    BOOST_TEST(is_utf8("caf\xc3\xa9 and more \xf0\x9f\x98\x80"));
    BOOST_TEST(!is_utf8("a surrogate \xed\xa0\x80"));
    BOOST_TEST(is_utf8(""));
}

BOOST_AUTO_TEST_CASE(well_known_patterns_cut_as_published) {
    BOOST_TEST(split(split_pattern::gpt2, "Hello've world123 how's    are you!!!?") ==
                   (pieces{"Hello", "'ve", " world", "123", " how", "'s", "   ", " are", " you", "!!!?"}),
               boost::test_tools::per_element());
    BOOST_TEST(split(split_pattern::cl100k, "12345 I'LL  go\r\n\r\n  x") ==
                   (pieces{"123", "45", " I", "'LL", " ", " go", "\r\n\r\n", " ", " x"}),
               boost::test_tools::per_element());
    BOOST_TEST(split(split_pattern::gpt4_minbpe, "a\n\nb") == (pieces{"a", "\n\n", "b"}),
               boost::test_tools::per_element());
    BOOST_TEST(split(split_pattern::none, "one piece") == (pieces{"one piece"}), boost::test_tools::per_element());
    BOOST_TEST(split(split_pattern::gpt2, "").empty());
}

BOOST_AUTO_TEST_CASE(white_space_is_unicodes) {
    // U+0085 and U+3000 are white space; U+180E, U+200B and U+FEFF are not.
    for (std::string const space : {"\xc2\x85", "\xe3\x80\x80", "\xe2\x80\xa8"})
        BOOST_TEST(split(R"(\s+|\S+)", "a" + space + "b") == (pieces{"a", space, "b"}),
                   boost::test_tools::per_element());
    for (std::string const other : {"\xe1\xa0\x8e", "\xe2\x80\x8b", "\xef\xbb\xbf", "\x1c"})
        BOOST_TEST(split(R"([\s]+|[^\s]+)", "a" + other + "b") == (pieces{"a" + other + "b"}),
                   boost::test_tools::per_element());
    // A backslash before another backslash is no class, nor is one that is quoted.
    BOOST_TEST(split(R"(\\s|\Q\s\E|x)", "\\sx") == (pieces{"\\s", "x"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_a_pattern_leaves_out_is_a_piece) {
    BOOST_TEST(split("[0-9]+", "ab12cd") == (pieces{"ab", "12", "cd"}), boost::test_tools::per_element());
    BOOST_TEST(split("[0-9]*",
                     "ab\xc3\xa9"
                     "1") == (pieces{"ab\xc3\xa9", "1"}),
               boost::test_tools::per_element());
    BOOST_TEST(split("x", "abc") == (pieces{"abc"}), boost::test_tools::per_element());
    BOOST_TEST(split("b\\K", "abc") == (pieces{"abc"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(any_bytes_come_out_again) {
    std::mt19937 draw(2);
    for (auto const pattern : {split_pattern::gpt2, split_pattern::cl100k, split_pattern::gpt4_minbpe}) {
        const text_splitter splitter(pattern);
        for (int i = 0; i < 2000; ++i) {
            std::string text, joined;
            for (std::size_t n = draw() % 40; n > 0; --n)
                text += draw() % 2 ? static_cast<char>(draw() % 256) : " \n'sa1!"[draw() % 7];
            splitter.for_each_piece(text, [&](std::string_view piece) {
                BOOST_REQUIRE(!piece.empty());
                joined += piece;
            });
            BOOST_REQUIRE(joined == text);
        }
    }
    // A broken byte is neither letter nor space.
    BOOST_TEST(split(split_pattern::gpt2,
                     "ab \xff"
                     "cd") == (pieces{"ab", " \xff", "cd"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(long_runs_take_linear_time_and_no_stack) {
    const std::string spaces(1 << 20, ' ');
    const auto run = split(split_pattern::cl100k, spaces + "x");
    BOOST_TEST_REQUIRE(run.size() == 2u);
    BOOST_TEST(run[0].size() == spaces.size() - 1);
    // Needs more backtracking than machine code keeps: the interpreter takes over.
    BOOST_TEST(split("(?:a|b)+c|(?s:.)", std::string(20000, 'a') + "c").size() == 1u);
}

BOOST_AUTO_TEST_CASE(wrong_patterns_are_refused) {
    BOOST_CHECK_EXCEPTION(text_splitter("a("), exception, [](exception const& e) {
        return std::string(e.what()) ==
               "text_splitter: the pattern \"a(\": expected a regular expression of PCRE2, "
               "found \"missing closing parenthesis\" before \"\"";
    });
    BOOST_CHECK_THROW(text_splitter("\xff"), exception);
    BOOST_CHECK_THROW(text_splitter("\\C"), exception);
    BOOST_CHECK_THROW(text_splitter(std::string(70000, 'a')), exception);
    // Entangled beyond PCRE2's limit of steps.
    BOOST_CHECK_THROW(split("(*NO_JIT)(?:a+)+$", std::string(40, 'a') + "b"), exception);
}
