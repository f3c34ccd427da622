// SPDX-License-Identifier: MIT
// Tokenizers of llama2.c against its way of encoding, on a vocabulary made here.
#define BOOST_TEST_MODULE text_score_tokenizer
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/score_tokenizer.hpp>
#include <tenet/text/tokenizer.hpp>

using namespace tenet;

static_assert(Tokenizer<score_tokenizer>);

namespace {

using id_list = std::vector<std::int32_t>;

template <class T>
void put(std::string& file, T value) {
    file.append(reinterpret_cast<char const*>(&value), sizeof value);
}

struct scored {
    std::string bytes;
    float score;
};

std::vector<scored> vocabulary(std::vector<scored> const& tokens) {
    std::vector<scored> all{{"<unk>", 0}, {"\n<s>\n", 0}, {"\n</s>\n", 0}};
    for (unsigned byte = 0; byte < 256; ++byte) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", byte);
        all.push_back({name, 0});
    }
    all.insert(all.end(), tokens.begin(), tokens.end());
    return all;
}

std::string file_of(std::vector<scored> const& tokens) {
    std::string file;
    std::int32_t longest = 0;
    for (scored const& t : tokens) longest = std::max(longest, static_cast<std::int32_t>(t.bytes.size()));
    put(file, longest);
    for (scored const& t : tokens) {
        put(file, t.score);
        put(file, static_cast<std::int32_t>(t.bytes.size()));
        file += t.bytes;
    }
    return file;
}

// run.c's encode, with bos and without eos.
id_list encode_plainly(std::vector<scored> const& tokens, std::string_view text) {
    id_list ids{1};
    if (text.empty()) return ids;
    const auto look_up = [&](std::string_view bytes) {
        for (std::size_t i = 0; i < tokens.size(); ++i)
            if (tokens[i].bytes == bytes) return static_cast<std::int32_t>(i);
        return -1;
    };
    std::string character;
    ids.push_back(look_up(" "));
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto continues = [&](std::size_t k) { return (static_cast<unsigned char>(text[k]) & 0xc0) == 0x80; };
        if (!continues(i)) character.clear();
        character += text[i];
        if (i + 1 < text.size() && continues(i + 1) && character.size() < 4) continue;
        if (const auto id = look_up(character); id >= 0) ids.push_back(id);
        else
            for (char c : character) ids.push_back(3 + static_cast<unsigned char>(c));
        character.clear();
    }
    while (true) {
        float best = -1e10f;
        std::size_t at = 0;
        std::int32_t id = -1;
        for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
            const auto& name = [&](std::size_t k) { return tokens[static_cast<std::size_t>(ids[k])].bytes; };
            const auto joined = look_up(name(i) + name(i + 1));
            if (joined < 0 || tokens[static_cast<std::size_t>(joined)].score <= best) continue;
            best = tokens[static_cast<std::size_t>(joined)].score;
            at = i;
            id = joined;
        }
        if (id < 0) return ids;
        ids[at] = id;
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(encodes_as_llama2c) {
    std::mt19937 draw(1);
    for (int round = 0; round < 30; ++round) {
        std::vector<scored> tokens{{" ", 0}, {"a", 0}, {"b", 0}, {"\xc3\xa9", 0}};
        for (int i = 0; i < 25; ++i) {
            std::string bytes;
            for (std::size_t n = 2 + draw() % 3; n > 0; --n)
                bytes += std::vector<std::string>{" ", "a", "b", "\xc3\xa9"}[draw() % 4];
            bool known = false;
            for (scored const& t : tokens) known |= t.bytes == bytes;
            // Few scores, so that many are equal.
            if (!known) tokens.push_back({bytes, -static_cast<float>(draw() % 8)});
        }
        const auto all = vocabulary(tokens);
        const auto tokenizer = score_tokenizer::read(file_of(all));
        BOOST_TEST(tokenizer.vocabulary_size() == all.size());
        for (int i = 0; i < 100; ++i) {
            std::string text;
            for (std::size_t n = draw() % (i == 0 ? 200 : 20); n > 0; --n)
                text +=
                    std::vector<std::string>{" ", "a", "b", "\xc3\xa9", "\xf0\x9f\x98\x80", "\x80", "z"}[draw() % 7];
            const id_list ids = tokenizer.encode(text);
            BOOST_REQUIRE(ids == encode_plainly(all, text));
            BOOST_REQUIRE(tokenizer.decode(ids) == text);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_byte_string_comes_back) {
    // "<0x41>" as text must not become the byte 0x41, nor "\n<s>\n" the begin of text.
    const auto tokenizer = score_tokenizer::read(file_of(vocabulary({{" ", 0},
                                                                     {"<", 0},
                                                                     {"0", 0},
                                                                     {"x", 0},
                                                                     {"4", 0},
                                                                     {"1", 0},
                                                                     {">", 0},
                                                                     {"<0", 1},
                                                                     {"x41", 1},
                                                                     {"x4", 1},
                                                                     {"<0x41", 1}})));
    for (std::string const text : {"<0x41>", "\n<s>\n", "", " ", "  a", "\xff\xfe", "\x80\x80\x80\x80\x80\x80"})
        BOOST_TEST(tokenizer.decode(tokenizer.encode(text)) == text);
    BOOST_TEST(tokenizer.encode("<0x41>").size() > 2u);
    BOOST_TEST(tokenizer.decode(id_list{1, 259, 3 + 'a', 2}) == "a");
    BOOST_TEST(tokenizer.decode(id_list{259, 3 + 'a'}) == " a");
}

BOOST_AUTO_TEST_CASE(files_and_checkpoints_keep_all) {
    const std::string file = file_of(vocabulary({{" ", 0}, {"ab", -1.5f}, {"b", -2}}));
    const auto tokenizer = score_tokenizer::read(file);
    BOOST_TEST((tokenizer.write() == file));
    BOOST_TEST((score_tokenizer::from_string(tokenizer.to_string()) == tokenizer));
    BOOST_TEST(tokenizer.token(260) == "ab");
    BOOST_CHECK_THROW(score_tokenizer::from_string("score_tokenizer 1 ***"), exception);
    BOOST_CHECK_THROW(score_tokenizer::from_string("byte_tokenizer"), exception);
    BOOST_CHECK_THROW(tokenizer.decode(id_list{262}), exception);
    BOOST_CHECK_THROW(tokenizer.token(-1), exception);
}

BOOST_AUTO_TEST_CASE(broken_files_are_refused) {
    const auto refused = [](std::string const& file, std::string const& text) {
        BOOST_CHECK_EXCEPTION(score_tokenizer::read(file), exception, [&](exception const& e) {
            if (e.what() != "llama2.c tokenizer" + text) BOOST_TEST_MESSAGE(e.what());
            return e.what() == "llama2.c tokenizer" + text;
        });
    };
    const auto good = vocabulary({{"a", 0}});
    const std::string file = file_of(good);
    refused("", ": token 0: expected a whole file, found its end");
    refused(file.substr(0, file.size() - 1), ": token 259: expected 1 to 6 bytes, and in the file, found 1");
    refused(file.substr(0, 101), ": token 7: expected a whole file, found its end");
    refused(file.substr(0, 4), ": expected 259 tokens or more, found 0");
    refused(std::string(4, '\xff') + file.substr(4), ": expected a longest length of 1 to 65536, found -1");
    auto other = good;
    other[3 + 0x41].bytes = "<0x4G>";
    refused(file_of(other), ": token 68: expected <0x41>, found \"<0x4G>\"");
    other = good;
    other[259].score = std::numeric_limits<float>::quiet_NaN();
    refused(file_of(other), ": token 259: expected a finite score, found another");
}
