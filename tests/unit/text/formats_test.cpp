// SPDX-License-Identifier: MIT
// The files of tiktoken, GPT-2, Hugging Face and minbpe: written, read back, recognised, and refused when broken.
#define BOOST_TEST_MODULE text_formats
#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/text/base64.hpp>
#include <tenet/text/byte_alphabet.hpp>
#include <tenet/text/byte_pair_training.hpp>
#include <tenet/text/gpt2_files.hpp>
#include <tenet/text/minbpe_model.hpp>
#include <tenet/text/tiktoken_ranks.hpp>
#include <tenet/text/tokenizer_format.hpp>
#include <tenet/text/tokenizer_json.hpp>

using namespace tenet;

namespace {

using json = nlohmann::json;
using id_list = std::vector<std::int32_t>;

constexpr std::string_view text =
    "The theme of the thesis: th\xc3\xa9me, 1234 and 5678;\n\tthe end of the theme.\r\n  \xe4\xb8\xad\xe4\xb8\xad "
    "\xff\xff";

byte_pair_tokenizer trained(std::string_view pattern = split_pattern::cl100k) {
    return train_byte_pairs(text, {285, std::string(pattern), {"<|end|>", "<\xc3\xa9>"}, {}});
}

template <class F>
void refused(F const& read, std::string const& message) {
    BOOST_CHECK_EXCEPTION(read(), exception, [&](exception const& e) {
        if (e.what() != message) BOOST_TEST_MESSAGE(e.what());
        return e.what() == message;
    });
}

std::string rank_lines() {
    std::string file;
    for (int i = 0; i < 256; ++i)
        file += detail::to_base64(std::string(1, static_cast<char>(static_cast<unsigned char>(i)))) + ' ' +
                std::to_string(i) + '\n';
    return file;
}

}  // namespace

BOOST_AUTO_TEST_CASE(base64_has_one_spelling) {
    BOOST_TEST(detail::to_base64("") == "");
    BOOST_TEST(detail::to_base64("f") == "Zg==");
    BOOST_TEST(detail::to_base64("fo") == "Zm8=");
    BOOST_TEST(detail::to_base64("foobar") == "Zm9vYmFy");
    std::mt19937 draw(1);
    for (int i = 0; i < 500; ++i) {
        std::string bytes;
        for (std::size_t n = draw() % 20; n > 0; --n) bytes += static_cast<char>(draw() % 256);
        BOOST_TEST((detail::from_base64(detail::to_base64(bytes)) == bytes));
    }
    for (std::string const wrong :
         {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Z*==", "Zg= ", "Zm8=="})
        BOOST_TEST(!detail::from_base64(wrong).has_value());
}

BOOST_AUTO_TEST_CASE(the_byte_alphabet_is_gpt2s) {
    BOOST_TEST(detail::to_byte_alphabet(" a\n!") ==
               "\xc4\xa0"
               "a\xc4\x8a!");  // U+0120 a U+010A !
    BOOST_TEST(detail::byte_alphabet[0] == 256);
    BOOST_TEST(detail::byte_alphabet[173] == 323);
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(static_cast<unsigned char>(i));
    BOOST_TEST((detail::from_byte_alphabet(detail::to_byte_alphabet(all)) == all));
    for (std::string const wrong : {" ", "\xc5\x84", "\xc4", "\xe4\xb8\xad", "\xc0\xa0", "\x80"})  // U+0144 is the next
        BOOST_TEST(!detail::from_byte_alphabet(wrong).has_value());
}

BOOST_AUTO_TEST_CASE(all_formats_keep_a_trained_tokenizer) {
    for (auto const pattern : {split_pattern::none, split_pattern::gpt2, split_pattern::cl100k}) {
        const auto tokenizer = trained(pattern);
        byte_pair_vocabulary const& v = tokenizer.vocabulary();
        BOOST_TEST((read_minbpe(write_minbpe(tokenizer)) == tokenizer));
        BOOST_TEST((read_tokenizer_json(write_tokenizer_json(tokenizer)) == tokenizer));
        const gpt2_files files = write_gpt2(tokenizer);
        BOOST_TEST((read_gpt2(files.vocab_json, files.merges_txt, pattern) == tokenizer));
        const std::string ranks = write_tiktoken(tokenizer);
        const auto by_ranks = read_tiktoken(ranks, {v.pattern, v.special});
        BOOST_TEST((by_ranks.vocabulary().merges == v.merges) == false);  // ranks are ids there
        BOOST_TEST(by_ranks.encode(text) == tokenizer.encode(text), boost::test_tools::per_element());
        BOOST_TEST(write_tiktoken(by_ranks) == ranks);
        BOOST_TEST((read_tokenizer_json(write_tokenizer_json(by_ranks)).encode(text) == by_ranks.encode(text)));

        BOOST_TEST((guess_tokenizer_format(write_minbpe(tokenizer)) == tokenizer_format::minbpe));
        BOOST_TEST((guess_tokenizer_format(write_tokenizer_json(tokenizer)) == tokenizer_format::tokenizer_json));
        BOOST_TEST((guess_tokenizer_format(files.vocab_json) == tokenizer_format::gpt2_vocab));
        BOOST_TEST((guess_tokenizer_format(files.merges_txt) == tokenizer_format::gpt2_merges));
        BOOST_TEST((guess_tokenizer_format(ranks) == tokenizer_format::tiktoken));
        BOOST_TEST((guess_tokenizer_format(text) == tokenizer_format::unknown));
    }
    BOOST_TEST((guess_tokenizer_format("") == tokenizer_format::unknown));
}

BOOST_AUTO_TEST_CASE(known_encodings_have_their_special_tokens) {
    BOOST_TEST(tiktoken_encoding::r50k_base().special[0].id == 50256);
    BOOST_TEST(tiktoken_encoding::cl100k_base().special.back().id == 100276);
    BOOST_TEST(tiktoken_encoding::cl100k_base().special.size() == 5u);
}

BOOST_AUTO_TEST_CASE(rank_files_may_have_gaps_and_windows_line_ends) {
    std::string file = rank_lines() + "YWI= 259\r\n";
    const auto tokenizer = read_tiktoken(file, {"", {{"<s>", 256}}});
    BOOST_TEST(tokenizer.encode("ab<s>", special_policy::recognise()) == (id_list{259, 256}),
               boost::test_tools::per_element());
    BOOST_TEST(!tokenizer.is_id(257));
    file.resize(file.size() - 2);  // no line end at the end
    BOOST_TEST(read_tiktoken(file, {}).encode("ab").size() == 1u);
}

BOOST_AUTO_TEST_CASE(broken_rank_files_are_refused) {
    const auto with = [](std::string const& line) { return [=] { return read_tiktoken(rank_lines() + line, {}); }; };
    const std::string line = "tiktoken ranks: line 257: expected \"<base64 of a token> <rank>\", found ";
    refused(with("YWI=\n"), line + "\"YWI=\"");
    refused(with("YWI 256\n"), line + "\"YWI 256\"");
    refused(with("YWI= x\n"), line + "\"YWI= x\"");
    refused(with("YWI= -1\n"), line + "\"YWI= -1\"");
    refused(with("YWI= 256 \n"), line + "\"YWI= 256 \"");
    refused(with(" 256\n"), line + "\" 256\"");
    refused(with("\nYWI= 256\n"), line + "\"\"");
    refused(with("YWI= 4000000000\n"), "tiktoken ranks: line 257: expected ranks without wide gaps, found 4000000000");
    refused(with("YWI= 7\n"), "tiktoken ranks: line 257: expected each rank once, found 7 twice");
    refused(with("YQ== 256\n"), "tiktoken ranks: rank 256: expected each token once, found \"a\" twice");
    refused([] { return read_tiktoken("", {}); },
            "tiktoken ranks: expected a token for each of the 256 bytes, found none for 0x00");
}

BOOST_AUTO_TEST_CASE(ranks_that_tiktoken_would_read_otherwise_are_not_written) {
    byte_pair_vocabulary v = trained(split_pattern::none).vocabulary();
    v.merges.clear();
    refused([&] { return write_tiktoken(byte_pair_tokenizer(v)); },
            "write_tiktoken: expected merges that follow from the tokens and their ids, found others");
    v.tokens.push_back("a");
    v.special.clear();
    refused([&] { return write_tiktoken(byte_pair_tokenizer(v)); },
            "write_tiktoken: expected tokens of different bytes, found \"a\" twice");
    refused([&] { return write_gpt2(byte_pair_tokenizer(v)); },
            "write_gpt2: expected tokens of different bytes, found \"a\" twice");
}

BOOST_AUTO_TEST_CASE(broken_gpt2_files_are_refused) {
    const gpt2_files good = write_gpt2(trained());
    const std::string where = "vocab.json and merges.txt: expected ";
    const auto vocab = [&](std::string const& file) { return [=] { return read_gpt2(file, good.merges_txt); }; };
    const auto merges = [&](std::string const& file) { return [=] { return read_gpt2(good.vocab_json, file); }; };
    refused(vocab("[]"), where + "an object of tokens, found an array");
    refused(vocab("{\"a\": \"b\"}"), where + "the id of \"a\", found the string \"b\"");
    refused(vocab("{\"a\": -1}"), where + "the id of \"a\", found -1");
    refused(vocab("{\"a\": 1.5}"), where + "the id of \"a\", found \"1.5\"");
    refused(vocab("{\"a\": {}}"), where + "the id of \"a\", found an object");
    refused(vocab("{\"a\": 1, \"a\": 2}"), where + "each token once, found \"a\" twice");
    refused(vocab("{\"a\": 4000000000}"), where + "ids without wide gaps, found \"a\" with the id 4000000000");
    BOOST_CHECK_THROW(vocab("{\"a\": 1")(), exception);
    const std::string line = "h e\n";  // the most frequent pair
    BOOST_TEST(good.merges_txt.find(line) == 14u);
    refused(merges("#version: 0.2\nt h e\n"),
            "vocab.json and merges.txt: merge 1: expected two tokens and a space between, found \"t h e\"");
    refused(merges(line + "Q Z\n"),
            "vocab.json and merges.txt: merge 2: expected tokens of the vocabulary, found \"QZ\"");
    refused(merges("h e\nh e\n"), where + "one merge a pair, found two of the ids 104 and 101");
    // Without merges all tokens of several bytes are special tokens.
    BOOST_TEST(read_gpt2(good.vocab_json, "").vocabulary().special.size() == 31u);
}

BOOST_AUTO_TEST_CASE(tokenizer_json_takes_all_spellings_of_a_byte_level_bpe) {
    const auto tokenizer = trained(split_pattern::cl100k);
    json file = json::parse(write_tokenizer_json(tokenizer));
    const auto read = [&] { return read_tokenizer_json(file.dump()); };
    file["model"].erase("type");
    file["model"]["continuing_subword_prefix"] = "";
    for (json& merge : file["model"]["merges"]) {  // the newer spelling
        const std::string line = merge.get<std::string>();
        merge = {line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1)};
    }
    json& split = file["pre_tokenizer"]["pretokenizers"][0];
    split["behavior"] = "Removed";
    split["invert"] = true;
    BOOST_TEST((read() == tokenizer));
    file["model"]["ignore_merges"] = true;
    BOOST_TEST(read().vocabulary().whole_pieces);
    file["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
    BOOST_TEST(read().vocabulary().pattern == split_pattern::gpt2);
    file["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {file["pre_tokenizer"]}}};
    BOOST_TEST(read().vocabulary().pattern == split_pattern::gpt2);
    file.erase("added_tokens");  // then they are known by the vocabulary alone
    BOOST_TEST(read().vocabulary().special.size() == 2u);
}

BOOST_AUTO_TEST_CASE(tokenizer_json_refuses_what_would_give_other_ids) {
    const json good = json::parse(write_tokenizer_json(trained()));
    const auto with = [&](char const* place, json const& value) {
        json file = good;
        file[json::json_pointer(place)] = value;
        return [contents = file.dump()] { return read_tokenizer_json(contents); };
    };
    const std::string where = "tokenizer.json: expected ";
    refused(with("/normalizer", {{"type", "NFC"}}), where + "no normalizer: it changes text for good, found \"NFC\"");
    refused(with("/model/type", "Unigram"), where + "a model of type \"BPE\", found \"Unigram\"");
    refused(with("/model/byte_fallback", true), where + "a byte-level model, found byte_fallback");
    refused(with("/model/byte_fallback", 1), where + "true or false as byte_fallback, found number");
    refused(with("/model/dropout", 0.1), where + "a model without dropout, found number");
    refused(with("/model/end_of_word_suffix", "</w>"), where + "a model without end_of_word_suffix, found string");
    refused(with("/model/vocab", json::array()), where + "a vocab of tokens and ids, found array");
    refused(with("/model/vocab/a", "1"), where + "an id for the token \"a\", found string");
    refused(with("/model/merges/0", 1), where + "merges of two tokens each, found number");
    refused(with("/pre_tokenizer", nullptr),
            where + "the pre_tokenizer ByteLevel, or a Sequence of a Split and ByteLevel, found null");
    refused(with("/pre_tokenizer", {{"type", "ByteLevel"}}),
            where + "ByteLevel with add_prefix_space false: a space would be added to text for good, found true");
    refused(with("/pre_tokenizer/pretokenizers/0/behavior", "Removed"),
            where + "a Split whose behavior is Isolated, found another one");
    refused(with("/pre_tokenizer/pretokenizers/0/pattern", {{"String", " "}}),
            where + "a Split by a Regex, found another one");
    refused(with("/pre_tokenizer/pretokenizers/1/use_regex", true),
            where + "a Sequence of one Split and ByteLevel with use_regex false, found another Sequence");
    refused(with("/added_tokens/0/lstrip", true), where + "added tokens without lstrip, found \"<|end|>\"");
    refused(with("/added_tokens/0/id", -1), where + "added tokens with content and id, found none or no such");
    refused(with("/added_tokens", 1), where + "a list of added_tokens, found number");
    refused([] { return read_tokenizer_json("[]"); }, where + "an object, found array");
    BOOST_CHECK_THROW(read_tokenizer_json("{"), exception);
    BOOST_CHECK_THROW(read_tokenizer_json(std::string(100000, '[')), exception);
}

BOOST_AUTO_TEST_CASE(minbpe_models_are_minbpes) {
    const auto tokenizer = train_byte_pairs("aaabdaaabac", {259, "", {"<s>", "two words"}, {}});
    const std::string file = "minbpe v1\n\n2\n<s> 259\ntwo words 260\n97 97\n256 97\n257 98\n";
    BOOST_TEST(write_minbpe(tokenizer) == file);
    BOOST_TEST((read_minbpe(file) == tokenizer));
    const auto model = [](std::string const& contents) { return [=] { return read_minbpe(contents); }; };
    refused(model("minbpe v2\n"), "minbpe model: line 1: expected \"minbpe v1\", found \"minbpe v2\"");
    refused(model("minbpe v1\n\nx\n"), "minbpe model: line 3: expected numbers from 0 on, found \"x\"");
    refused(model("minbpe v1\n\n2\n<s> 259\n"), "minbpe model: line 4: expected 2 special tokens, found \"<s> 259\"");
    refused(model("minbpe v1\n\n1\n<s>259\n"),
            "minbpe model: line 4: expected \"<text> <id>\" of a special token, found \"<s>259\"");
    refused(model("minbpe v1\n\n0\n97 97\n256 257\n"),
            "minbpe model: line 5: expected two ids of tokens before this one, found \"256 257\"");
    refused(model("minbpe v1\n\n0\n97\n"), "minbpe model: line 4: expected numbers from 0 on, found \"97\"");
    refused(model("minbpe v1\n\n0\n97 97\n97 97\n"),
            "minbpe model: expected one merge a pair, found two of the ids 97 and 97");
    // Each line doubles the token.
    std::string doubling = "minbpe v1\n\n0\n97 97\n";
    for (int i = 256; i < 356; ++i) doubling += std::to_string(i) + ' ' + std::to_string(i) + '\n';
    refused(model(doubling),
            "minbpe model: line 20: expected tokens of at most 64 KiB, and of 16 MiB together, found \"271 271\"");
    byte_pair_vocabulary v = tokenizer.vocabulary();
    v.pattern = "a\nb";
    refused([&] { return write_minbpe(byte_pair_tokenizer(v)); },
            "write_minbpe: expected a pattern without line breaks, found \"a\\x0ab\"");
    v = tokenizer.vocabulary();
    v.special[0].text = "\n";
    BOOST_CHECK_THROW(write_minbpe(byte_pair_tokenizer(v)), exception);
    v = tokenizer.vocabulary();
    std::swap(v.tokens['x'], v.tokens['y']);
    refused([&] { return write_minbpe(byte_pair_tokenizer(v)); },
            "write_minbpe: expected bytes in their order, found another token with the id 120");
}
