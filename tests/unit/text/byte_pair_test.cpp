// SPDX-License-Identifier: MIT
// Byte-pair encoding against its definition, on random vocabularies: tiktoken's rule by bytes, and merges of pairs.
#define BOOST_TEST_MODULE text_byte_pair
#include <boost/test/unit_test.hpp>

#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/data/token_windows.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_training.hpp>
#include <tenet/text/encode_each.hpp>
#include <tenet/text/piece_encoder.hpp>
#include <tenet/text/rank_merges.hpp>
#include <tenet/text/tokenizer.hpp>

using namespace tenet;

static_assert(Tokenizer<byte_pair_tokenizer>);

namespace {

using id_list = std::vector<std::int32_t>;

auto message_is(std::string text) {
    return [text = std::move(text)](exception const& e) {
        if (e.what() != text) BOOST_TEST_MESSAGE(e.what());
        return e.what() == text;
    };
}

byte_pair_vocabulary bytes_only() {
    byte_pair_vocabulary v;
    for (int i = 0; i < 256; ++i) v.tokens.emplace_back(1, static_cast<char>(static_cast<unsigned char>(i)));
    return v;
}

// tiktoken's rule for one piece: join the two neighbours that make the token of lowest rank, the first of equal ones.
id_list encode_by_ranks(std::map<std::string, std::int32_t> const& ranks, std::string const& piece) {
    if (ranks.contains(piece)) return {ranks.at(piece)};
    std::vector<std::string> parts;
    for (char c : piece) parts.emplace_back(1, c);
    while (true) {
        std::size_t best = parts.size();
        std::int32_t lowest = 0;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            const auto found = ranks.find(parts[i] + parts[i + 1]);
            if (found == ranks.end() || (best != parts.size() && found->second >= lowest)) continue;
            best = i;
            lowest = found->second;
        }
        if (best == parts.size()) break;
        parts[best] += parts[best + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    id_list ids;
    for (std::string const& part : parts) ids.push_back(ranks.at(part));
    return ids;
}

std::string random_text(std::mt19937& draw, std::size_t most, std::string_view letters) {
    std::string text;
    for (std::size_t n = draw() % (most + 1); n > 0; --n) text += letters[draw() % letters.size()];
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(ranks_join_as_tiktoken_does_even_in_odd_vocabularies) {
    std::mt19937 draw(3);
    std::size_t single = 0, several = 0;
    for (int round = 0; round < 150; ++round) {
        // Random strings of few letters: many tokens that their own parts would never make, or make out of order.
        byte_pair_vocabulary v = bytes_only();
        std::set<std::string> known;
        while (known.size() < 30) {
            const std::string token = random_text(draw, round % 2 ? 5 : 3, "abc");
            if (token.size() > 1 && known.insert(token).second) v.tokens.push_back(token);
        }
        std::shuffle(v.tokens.begin(), v.tokens.end(), draw);
        std::map<std::string, std::int32_t> ranks;
        for (std::size_t i = 0; i < v.tokens.size(); ++i) ranks[v.tokens[i]] = static_cast<std::int32_t>(i);
        v.merges = detail::merges_of_ranks(v.tokens);
        std::map<std::int32_t, std::size_t> cuts;
        for (byte_pair_merge const& m : v.merges) ++cuts[m.result];
        for (auto const& [id, count] : cuts) (count == 1 ? single : several) += 1;
        v.whole_pieces = true;
        const byte_pair_tokenizer tokenizer(v);
        for (int i = 0; i < 60; ++i) {
            const std::string text = random_text(draw, i % 10 == 0 ? 200 : 12, "abcd");
            if (text.empty()) continue;
            BOOST_REQUIRE(tokenizer.encode(text) == encode_by_ranks(ranks, text));
        }
    }
    BOOST_TEST(single > 100u);
    BOOST_TEST(several > 100u);
}

BOOST_AUTO_TEST_CASE(merges_are_of_pairs_not_of_bytes) {
    // "abc" is made of "ab" and "c"; "a" and "bc" side by side stay.
    byte_pair_vocabulary v = bytes_only();
    v.tokens.insert(v.tokens.end(), {"bc", "ab", "abc"});
    v.merges = {{'b', 'c', 256, 0}, {'a', 'b', 257, 1}, {257, 'c', 258, 2}};
    BOOST_TEST(byte_pair_tokenizer(v).encode("abc") == (id_list{'a', 256}), boost::test_tools::per_element());
    v.whole_pieces = true;
    BOOST_TEST(byte_pair_tokenizer(v).encode("abc") == (id_list{258}), boost::test_tools::per_element());
    // Two tokens of the same bytes: the merges say which one it is.
    v.whole_pieces = false;
    v.tokens.push_back("abc");
    v.merges.push_back({'a', 256, 259, 3});
    BOOST_TEST(byte_pair_tokenizer(v).encode("abc") == (id_list{259}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(long_and_short_pieces_agree) {
    std::mt19937 draw(4);
    const auto tokenizer =
        train_byte_pairs(random_text(draw, 5000, "abcde "), {400, std::string(split_pattern::none), {}, {}});
    std::map<std::pair<std::int32_t, std::int32_t>, byte_pair_merge> rules;
    for (byte_pair_merge const& m : tokenizer.vocabulary().merges) rules[{m.left, m.right}] = m;
    for (int i = 0; i < 40; ++i) {
        const std::string text = random_text(draw, 300, "abcde ");
        id_list ids(text.begin(), text.end());
        for (byte_pair_merge const& m : tokenizer.vocabulary().merges) {  // ranks in their order, left to right
            id_list next;
            for (std::size_t k = 0; k < ids.size(); ++k) {
                const bool joins = k + 1 < ids.size() && ids[k] == m.left && ids[k + 1] == m.right;
                next.push_back(joins ? m.result : ids[k]);
                k += joins;
            }
            ids = next;
        }
        BOOST_REQUIRE(tokenizer.encode(text) == ids);
    }
}

// Odd vocabularies, and texts whose borders move with what follows: runs of one letter, and chains of which each link
// is joined before the one on its left.
BOOST_AUTO_TEST_CASE(parts_of_a_piece_are_joined_exactly) {
    std::mt19937 draw(6);
    for (int round = 0; round < 100; ++round) {
        byte_pair_vocabulary v = bytes_only();
        std::set<std::string> known;
        while (known.size() < 24) {
            const std::string token = random_text(draw, 6, round % 3 == 0 ? "a" : round % 3 == 1 ? "ab" : "abcd");
            if (token.size() > 1 && known.insert(token).second) v.tokens.push_back(token);
            if (round % 3 == 0 && known.size() == 5) break;
        }
        std::shuffle(v.tokens.begin() + 256, v.tokens.end(), draw);
        detail::merge_table rules;
        if (round % 5 == 4) {
            for (std::int32_t c = 'a'; c < 'z'; ++c)
                rules.insert({c, c + 1, 256 + c, static_cast<std::uint32_t>('z' - c)});
        } else {
            for (byte_pair_merge const& m : detail::merges_of_ranks(v.tokens)) rules.insert(m);
        }
        for (std::size_t part : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64}, std::size_t{100}})
            for (int i = 0; i < 20; ++i) {
                std::string text = random_text(draw, 500, i % 2 ? "abcd" : "ab");
                if (i % 5 == 0) text = std::string(draw() % 500, 'a');
                if (round % 5 == 4)
                    for (std::size_t k = 0; k < text.size(); ++k) text[k] = static_cast<char>('a' + k % 26);
                id_list whole(text.begin(), text.end()), parts = whole;
                whole.resize(detail::merge_loop().run(whole.data(), whole.size(), rules));
                parts.resize(detail::piece_encoder(part).run(parts.data(), parts.size(), rules));
                BOOST_REQUIRE(parts == whole);
            }
    }
}

BOOST_AUTO_TEST_CASE(a_word_of_a_megabyte) {
    std::mt19937 draw(5);
    const auto tokenizer =
        train_byte_pairs(random_text(draw, 5000, "abcde"), {400, std::string(split_pattern::cl100k), {}, {}});
    std::string word(1 << 20, 'a');
    for (char& c : word) c = static_cast<char>('a' + draw() % 5);
    BOOST_TEST((tokenizer.decode(tokenizer.encode(word)) == word));
}

BOOST_AUTO_TEST_CASE(every_byte_string_comes_back) {
    std::mt19937 draw(6);
    const std::string text = "the theme of the thesis: th\xc3\xa9\xc3\xa8 \xe4\xb8\xad\xe4\xb8\xad \xff\xff\xff";
    for (auto const pattern : {split_pattern::none, split_pattern::gpt2, split_pattern::cl100k}) {
        const auto tokenizer = train_byte_pairs(text, {280, std::string(pattern), {}, {}});
        for (int i = 0; i < 3000; ++i) {
            std::string bytes;
            for (std::size_t n = draw() % 30; n > 0; --n)
                bytes += draw() % 2 ? static_cast<char>(draw() % 256) : text[draw() % text.size()];
            BOOST_REQUIRE(tokenizer.decode(tokenizer.encode(bytes)) == bytes);
        }
    }
}

BOOST_AUTO_TEST_CASE(special_tokens_follow_the_policy) {
    byte_pair_vocabulary v = bytes_only();
    v.special = {{"<|end|>", 300}, {"<|end|>!", 301}, {"<s>", 299}};
    const byte_pair_tokenizer tokenizer(v);
    BOOST_TEST(tokenizer.vocabulary_size() == 302u);
    BOOST_TEST(tokenizer.encode("a<s>") == (id_list{'a', '<', 's', '>'}), boost::test_tools::per_element());
    BOOST_TEST(tokenizer.encode("a<s>b<|end|><|end|>!<", special_policy::recognise()) ==
                   (id_list{'a', 299, 'b', 300, 301, '<'}),
               boost::test_tools::per_element());
    BOOST_TEST(tokenizer.encode("<s><|end|>", {special_rule::as_text, {{"<s>", special_rule::recognise}}}).size() ==
               8u);
    BOOST_TEST(tokenizer.encode("<s>", {special_rule::refuse, {{"<s>", special_rule::recognise}}}) == (id_list{299}),
               boost::test_tools::per_element());
    BOOST_TEST(tokenizer.encode("no such thing <", special_policy::refuse()).size() == 15u);
    BOOST_CHECK_EXCEPTION(tokenizer.encode("ab<s>", special_policy::refuse()), exception,
                          message_is("encode: offset 2: expected text without refused special tokens, found \"<s>\" (a "
                                     "special_policy may recognise it or take it as text)"));
    BOOST_CHECK_EXCEPTION(
        tokenizer.encode("", {special_rule::as_text, {{"<t>", special_rule::refuse}}}), exception,
        message_is("encode: special_policy: expected special tokens of the tokenizer, found \"<t>\""));
    const id_list ids{'a', 299, 301};
    BOOST_TEST(tokenizer.decode(ids) == "a<s><|end|>!");
    // Pieces end at a special token: the look-ahead of \s+(?!\S) does not see it.
    v.pattern = split_pattern::gpt2;
    v.tokens.push_back("  ");
    v.merges = {{' ', ' ', 256, 0}};
    BOOST_TEST(byte_pair_tokenizer(v).encode("  <s>", special_policy::recognise()) == (id_list{256, 299}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ids_that_do_not_exist_are_named) {
    byte_pair_vocabulary v = bytes_only();
    v.special = {{"<s>", 260}};
    const byte_pair_tokenizer tokenizer(v);
    BOOST_TEST(tokenizer.is_id(260));
    BOOST_TEST(!tokenizer.is_id(258));
    BOOST_TEST(tokenizer.token(65) == "A");
    BOOST_CHECK_EXCEPTION(tokenizer.decode(id_list{65, 258}), exception,
                          message_is("byte_pair_tokenizer::decode: position 1: expected an id in [0, 261) that has a "
                                     "token, found 258"));
    BOOST_CHECK_THROW(tokenizer.decode(id_list{-1}), exception);
    BOOST_CHECK_THROW(tokenizer.decode(id_list{261}), exception);
    BOOST_CHECK_THROW(tokenizer.token(259), exception);
}

BOOST_AUTO_TEST_CASE(vocabularies_are_checked) {
    const auto refused = [](std::string const& text, auto change) {
        byte_pair_vocabulary v = bytes_only();
        v.tokens.push_back("ab");
        v.merges = {{'a', 'b', 256, 0}};
        BOOST_CHECK_NO_THROW(byte_pair_tokenizer{v});
        change(v);
        BOOST_CHECK_EXCEPTION(byte_pair_tokenizer{v}, exception, message_is("byte_pair_tokenizer: expected " + text));
    };
    using vocabulary = byte_pair_vocabulary;
    refused("a token for each of the 256 bytes, found none for 0x41", [](vocabulary& v) { v.tokens['A'] = "xy"; });
    refused("merges of tokens, found the id 257", [](vocabulary& v) { v.merges[0].left = 257; });
    refused("merges of tokens, found the id -1", [](vocabulary& v) { v.merges[0].right = -1; });
    refused("merges whose result is both parts, found \"ab\" of \"b\" and \"b\"",
            [](vocabulary& v) { v.merges[0].left = 'b'; });
    refused("one merge a pair, found two of the ids 97 and 98", [](vocabulary& v) { v.merges.push_back(v.merges[0]); });
    refused("an unused id for the special token \"<s>\", found 256", [](vocabulary& v) { v.special = {{"<s>", 256}}; });
    refused("an unused id for the special token \"<s>\", found 1000000000",
            [](vocabulary& v) { v.special = {{"<s>", 1000000000}}; });
    refused("special tokens of different texts, not empty, found \"<s>\"",
            [](vocabulary& v) { v.special = {{"<s>", 257}, {"<s>", 258}}; });
    refused("special tokens of different texts, not empty, found \"\"", [](vocabulary& v) { v.special = {{"", 257}}; });
    refused("tokens of at most 65536 bytes, found 65537", [](vocabulary& v) { v.tokens.emplace_back(65537, 'a'); });
}

BOOST_AUTO_TEST_CASE(checkpoints_keep_the_tokenizer) {
    const auto trained =
        train_byte_pairs("a \"b\" \xc3\xa9\n the the", {262, std::string(split_pattern::cl100k), {"<s>", "\x01"}, {}});
    const std::string text = trained.to_string();
    for (char c : text) BOOST_TEST((c >= 0x20 && c < 0x7f));
    BOOST_TEST((byte_pair_tokenizer::from_string(text) == trained));
    byte_pair_vocabulary v = bytes_only();
    v.whole_pieces = true;
    v.tokens.insert(v.tokens.end(), {"", "ab"});  // a gap
    BOOST_TEST((byte_pair_tokenizer::from_string(byte_pair_tokenizer(v).to_string()).vocabulary() == v));
    BOOST_CHECK_EXCEPTION(byte_pair_tokenizer::from_string("char_tokenizer abc"), exception,
                          message_is("byte_pair_tokenizer::from_string: offset 0: expected text that begins with "
                                     "\"byte_pair_tokenizer 1 \", found \"char_tokenizer abc\""));
    for (std::size_t cut : {text.size() - 1, text.size() / 2, std::size_t{30}})
        BOOST_CHECK_THROW(byte_pair_tokenizer::from_string(text.substr(0, cut)), exception);
    BOOST_CHECK_THROW(byte_pair_tokenizer::from_string(text + " x"), exception);
    BOOST_CHECK_THROW(byte_pair_tokenizer::from_string("byte_pair_tokenizer 1 - 0 4000000000 0 0"), exception);
}

BOOST_AUTO_TEST_CASE(documents_are_encoded_in_order_on_any_number_of_threads) {
    std::mt19937 draw(8);
    std::vector<std::string> documents;
    for (int i = 0; i < 300; ++i) documents.push_back(random_text(draw, 3000, "the cat sat on the mat. "));
    const std::vector<std::string_view> views(documents.begin(), documents.end());
    const auto tokenizer = train_byte_pairs(views, {300, std::string(split_pattern::gpt2), {"<s>"}, {}});
    for (int n : {1, 2, 5}) {
        const auto ids = with_threads(n, [&] { return encode_each(tokenizer, views); });
        BOOST_TEST_REQUIRE(ids.size() == documents.size());
        for (std::size_t i = 0; i < ids.size(); ++i) BOOST_TEST((ids[i] == tokenizer.encode(documents[i])));
    }
    documents[200] += "<s>";
    documents[250] += "x<s>";
    const std::vector<std::string_view> special(documents.begin(), documents.end());
    const std::string first = "offset " + std::to_string(documents[200].size() - 3);
    for (int n : {1, 3}) {
        BOOST_CHECK_EXCEPTION(
            with_threads(n, [&] { return encode_each(tokenizer, special, special_policy::refuse()); }), exception,
            [&](exception const& e) { return std::string(e.what()).find(first) != std::string::npos; });
    }
    BOOST_TEST(encode_each(tokenizer, std::vector<std::string_view>{}).empty());
}

BOOST_AUTO_TEST_CASE(ids_feed_token_windows) {
    const std::string text = "to be or not to be, that is the question";
    const auto tokenizer = train_byte_pairs(text, {260, std::string(split_pattern::gpt2), {}, {}});
    const id_list ids = tokenizer.encode(text);
    const token_windows windows(ids, 8);
    id_list inputs(8), targets(8);
    windows.batch(0, inputs, targets);
    BOOST_TEST(text.find(tokenizer.decode(inputs)) != std::string::npos);
}
