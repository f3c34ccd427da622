// SPDX-License-Identifier: MIT
// Character and byte tokenizers.
#define BOOST_TEST_MODULE text_tokenizers
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include <tenet/text/byte_tokenizer.hpp>
#include <tenet/text/char_tokenizer.hpp>
#include <tenet/text/tokenizer.hpp>

using namespace tenet;

static_assert(Tokenizer<char_tokenizer>);
static_assert(Tokenizer<byte_tokenizer>);
static_assert(!Tokenizer<std::string>);

namespace {

auto message_is(std::string text) {
    return [text = std::move(text)](exception const& e) { return e.what() == text; };
}

std::string all_bytes() {
    std::string out;
    for (int i = 0; i < 256; ++i) out.push_back(static_cast<char>(static_cast<unsigned char>(i)));
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(characters_are_numbered_in_sorted_order) {
    const auto t = char_tokenizer::from_text("hello world\n");
    BOOST_TEST(t.alphabet() == "\n dehlorw");
    BOOST_TEST(t.vocabulary_size() == 9u);
    const std::vector<std::int32_t> ids{4, 3, 5, 5, 6};
    BOOST_TEST(t.encode("hello") == ids, boost::test_tools::per_element());
    BOOST_TEST(t.decode(ids) == "hello");
    BOOST_TEST(t.encode("").empty());
    BOOST_TEST(t.knows("world"));
    BOOST_TEST(!t.knows("x"));
    // Bytes of UTF-8 sort as unsigned numbers, after ASCII.
    BOOST_TEST(char_tokenizer::from_text("\xc3\xa4z").alphabet() == "z\xa4\xc3");
}

BOOST_AUTO_TEST_CASE(a_given_alphabet_keeps_its_order) {
    const char_tokenizer t("ba");
    BOOST_TEST(t.encode("ab") == (std::vector<std::int32_t>{1, 0}), boost::test_tools::per_element());
    BOOST_CHECK_EXCEPTION(char_tokenizer("aba"), exception,
                          message_is("char_tokenizer: expected each character once, found a twice"));
    BOOST_CHECK_EXCEPTION(char_tokenizer(""), exception,
                          message_is("char_tokenizer: expected at least one character, found an empty text"));
    BOOST_CHECK_THROW(char_tokenizer::from_text(""), exception);
}

BOOST_AUTO_TEST_CASE(unknown_bytes_and_ids_are_located) {
    const auto t = char_tokenizer::from_text("abc");
    BOOST_CHECK_EXCEPTION(
        t.encode("ab\ncd"), exception,
        message_is("char_tokenizer::encode: offset 2: expected one of the alphabet's 3 bytes, found '\\x0a'"));
    BOOST_CHECK_EXCEPTION(t.decode(std::vector<std::int32_t>{0, 3}), exception,
                          message_is("char_tokenizer::decode: position 1: expected an id in [0, 3), found 3"));
    BOOST_CHECK_EXCEPTION(t.decode(std::vector<std::int32_t>{-1}), exception,
                          message_is("char_tokenizer::decode: position 0: expected an id in [0, 3), found -1"));
}

BOOST_AUTO_TEST_CASE(the_saved_form_is_ascii_and_reads_back) {
    for (std::string const& alphabet :
         {all_bytes(), std::string("\\x0a"), std::string(" "), std::string("\xc3\x28 \n'\"")}) {
        const char_tokenizer t(alphabet);
        const std::string saved = t.to_string();
        for (char c : saved) BOOST_REQUIRE((c >= 0x20 && c < 0x7f));
        BOOST_TEST((char_tokenizer::from_string(saved) == t));
        BOOST_TEST(char_tokenizer::from_string(saved).alphabet() == alphabet);
    }
    BOOST_TEST(char_tokenizer("a\n\\").to_string() == "char_tokenizer a\\x0a\\x5c");
    for (std::string bad : {"", "char_tokenizer", "char_tokenizer ", "byte_tokenizer", "char_tokenizer a\\",
                            "char_tokenizer \\x0", "char_tokenizer \\xzz", "char_tokenizer \\n", "char_tokenizer aa"}) {
        BOOST_CHECK_THROW(char_tokenizer::from_string(bad), exception);
    }
}

BOOST_AUTO_TEST_CASE(bytes_are_their_own_ids) {
    const byte_tokenizer t;
    const auto ids = t.encode(all_bytes());
    BOOST_REQUIRE(ids.size() == 256u);
    for (std::size_t i = 0; i < 256; ++i) BOOST_REQUIRE(ids[i] == static_cast<std::int32_t>(i));
    BOOST_TEST(t.decode(ids) == all_bytes());
    BOOST_TEST(t.vocabulary_size() == 256u);
    BOOST_CHECK_EXCEPTION(t.decode(std::vector<std::int32_t>{5, 256}), exception,
                          message_is("byte_tokenizer::decode: position 1: expected an id in [0, 256), found 256"));
    BOOST_CHECK_THROW(t.decode(std::vector<std::int32_t>{-1}), exception);
}
