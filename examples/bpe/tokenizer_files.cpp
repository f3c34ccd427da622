// SPDX-License-Identifier: MIT
// Which reader and which writer for which file.
#include "tokenizer_files.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <system_error>

#include <tenet/io/atomic_file.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/text/gpt2_files.hpp>
#include <tenet/text/minbpe_model.hpp>
#include <tenet/text/tiktoken_ranks.hpp>
#include <tenet/text/tokenizer_format.hpp>
#include <tenet/text/tokenizer_json.hpp>

namespace bpe {
namespace {

using namespace tenet;

const std::map<std::string, std::string_view, std::less<>> patterns{{"none", split_pattern::none},
                                                                    {"gpt2", split_pattern::gpt2},
                                                                    {"cl100k", split_pattern::cl100k},
                                                                    {"gpt4-minbpe", split_pattern::gpt4_minbpe}};

special_token special_of(std::string const& option) {
    const std::size_t equals = option.rfind('=');
    std::int32_t id = -1;
    if (equals != option.npos) {
        const char* const end = option.data() + option.size();
        const auto [stop, error] = std::from_chars(option.data() + equals + 1, end, id);
        if (error != std::errc{} || stop != end) id = -1;
    }
    if (id < 0 || equals == 0) fail_expectation("--special-token", "TEXT=ID", "\"" + option + "\"");
    return {option.substr(0, equals), id};
}

// OpenAI's encodings are known by how many lines they have.
byte_pair_tokenizer open_ranks(std::string_view file, tokenizer_options const& options) {
    const auto lines = std::count(file.begin(), file.end(), '\n') + !file.ends_with('\n');
    const auto known = lines == 50256    ? tiktoken_encoding::r50k_base()
                       : lines == 100256 ? tiktoken_encoding::cl100k_base()
                                         : tiktoken_encoding{};
    tiktoken_encoding encoding{options.pattern.empty() ? known.pattern : pattern_of(options.pattern), known.special};
    if (options.pattern.empty() && known.pattern.empty()) {
        fail_expectation("--pattern", "a pattern, since a rank file has none", "nothing");
    }
    for (std::string const& option : options.special_tokens) encoding.special.push_back(special_of(option));
    return read_tiktoken(file, std::move(encoding));
}

byte_pair_tokenizer open_gpt2(std::filesystem::path const& vocab, std::filesystem::path const& merges) {
    const mapped_file vocab_json(vocab), merges_txt(merges);
    return read_gpt2(vocab_json.text(), merges_txt.text());
}

// Puts --pattern and --special-token into a tokenizer whose file has these itself.
byte_pair_tokenizer with_options(byte_pair_tokenizer tokenizer, tokenizer_options const& options) {
    if (options.pattern.empty() && options.special_tokens.empty()) return tokenizer;
    byte_pair_vocabulary v = tokenizer.vocabulary();
    if (!options.pattern.empty()) v.pattern = pattern_of(options.pattern);
    for (std::string const& option : options.special_tokens) v.special.push_back(special_of(option));
    return byte_pair_tokenizer(std::move(v));
}

opened_tokenizer open_known(std::string_view file, tokenizer_options const& options) {
    switch (guess_tokenizer_format(file)) {
    case tokenizer_format::tiktoken: return {open_ranks(file, options), "tiktoken ranks"};
    case tokenizer_format::tokenizer_json:
        return {with_options(read_tokenizer_json(file), options), "Hugging Face tokenizer.json"};
    case tokenizer_format::minbpe: return {with_options(read_minbpe(file), options), "minbpe model"};
    case tokenizer_format::llama2c:
        if (!options.pattern.empty() || !options.special_tokens.empty()) {
            fail_expectation("a tokenizer of scores", "neither --pattern nor --special-token", "one of them");
        }
        return {score_tokenizer::read(file), "llama2.c tokenizer"};
    case tokenizer_format::gpt2_vocab: {
        const auto merges = options.merges.empty() ? options.ranks.parent_path() / "merges.txt" : options.merges;
        return {with_options(open_gpt2(options.ranks, merges), options), "GPT-2 vocab.json and merges.txt"};
    }
    case tokenizer_format::gpt2_merges: {
        const auto vocab = options.ranks.parent_path() / "vocab.json";
        return {with_options(open_gpt2(vocab, options.ranks), options), "GPT-2 vocab.json and merges.txt"};
    }
    case tokenizer_format::unknown: break;
    }
    fail_expectation("--ranks",
                     "tiktoken ranks, vocab.json, tokenizer.json, a minbpe .model or a llama2.c tokenizer.bin",
                     "another file");
}

}  // namespace

std::string pattern_of(std::string const& name) {
    if (const auto known = patterns.find(name); known != patterns.end()) return std::string(known->second);
    // A word is more likely a name misspelt than an expression.
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == name.npos) {
        fail_expectation("--pattern", "none, gpt2, cl100k, gpt4-minbpe or a regular expression", "\"" + name + "\"");
    }
    return name;
}

opened_tokenizer open_tokenizer(tokenizer_options const& options) {
    const mapped_file file(options.ranks);
    try {
        return open_known(file.text(), options);
    } catch (exception const& e) {
        throw exception(options.ranks.string() + ": " + e.what());
    }
}

namespace {

/// A folder that exists, or a name that ends with a slash.
bool is_folder(std::filesystem::path const& out) {
    return !out.has_filename() || std::filesystem::is_directory(out);
}

}  // namespace

void check_output(std::filesystem::path const& out) {
    const auto extension = out.extension();
    if (!is_folder(out) && extension != ".model" && extension != ".tiktoken" && extension != ".json") {
        fail_expectation("--out", "a name that ends with .model, .tiktoken, .json or /, or a folder that exists",
                         "\"" + out.string() + "\"");
    }
    std::error_code error;
    if (is_folder(out)) {
        std::filesystem::create_directories(out, error);
        if (error) fail_expectation("--out", "a folder, or a place for one", out.string() + ": " + error.message());
    } else if (out.has_parent_path() && !std::filesystem::is_directory(out.parent_path(), error)) {
        fail_expectation("--out", "a folder that exists", out.parent_path().string());
    }
}

void save_tokenizer(byte_pair_tokenizer const& tokenizer, std::filesystem::path const& out) {
    const auto save = [](std::filesystem::path const& path, std::string const& contents) {
        atomic_file file(path);
        file.write(contents);
        file.commit();
    };
    check_output(out);
    if (is_folder(out)) {
        const gpt2_files files = write_gpt2(tokenizer);
        save(out / "vocab.json", files.vocab_json);
        save(out / "merges.txt", files.merges_txt);
    } else if (out.extension() == ".model") {
        save(out, write_minbpe(tokenizer));
    } else if (out.extension() == ".tiktoken") {
        save(out, write_tiktoken(tokenizer));
    } else {
        save(out, write_tokenizer_json(tokenizer));
    }
}

}  // namespace bpe
