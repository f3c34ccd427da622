// SPDX-License-Identifier: MIT
// Tokenizers: learning one, special tokens, files, many documents.
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/text/byte_pair_training.hpp>
#include <tenet/text/encode_each.hpp>
#include <tenet/text/minbpe_model.hpp>
#include <tenet/text/tiktoken_ranks.hpp>
#include <tenet/text/tokenizer_json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

using namespace tenet;

namespace {

void print(char const* title, std::vector<std::int32_t> const& ids) {
    std::printf("%s:", title);
    for (auto id : ids) std::printf(" %d", id);
    std::printf("\n");
}

// [tiktoken]
byte_pair_tokenizer gpt4(std::filesystem::path const& file) {
    return read_tiktoken(mapped_file(file).text(), tiktoken_encoding::cl100k_base());
}
// [tiktoken]

}  // namespace

int main() {
    // [train]
    byte_pair_training how;
    how.vocabulary_size = 256 + 5;
    how.pattern = split_pattern::gpt2;
    how.special_tokens = {"<|endoftext|>"};
    how.each = [](byte_pair_step const& s) {
        std::printf("%d = %d + %d, seen %zu times\n", s.merge.result, s.merge.left, s.merge.right,
                    std::size_t{s.count});
    };
    const auto tokenizer = train_byte_pairs("low low low lower lower newest newest newest newest widest", how);
    // [train]

    // [encode]
    const auto ids = tokenizer.encode("lowest");
    print("lowest", ids);
    std::printf("%s|%s|%s\n", std::string(tokenizer.token(ids[0])).c_str(),
                std::string(tokenizer.token(ids[1])).c_str(), tokenizer.decode(ids).c_str());
    // [encode]

    // [special]
    const std::string text = "low<|endoftext|>low";
    print("as text", tokenizer.encode(text));
    print("recognised", tokenizer.encode(text, special_policy::recognise()));
    try {
        tokenizer.encode(text, special_policy::refuse());
    } catch (exception const& e) {
        std::printf("%s\n", e.what());
    }
    // One is recognised, all others are refused.
    const special_policy strict{special_rule::refuse, {{"<|endoftext|>", special_rule::recognise}}};
    print("strict", tokenizer.encode(text, strict));
    // [special]

    const auto folder = std::filesystem::temp_directory_path();
    // [files]
    atomic_file file(folder / "low.json");
    file.write(write_tokenizer_json(tokenizer));
    file.commit();
    const auto again = read_tokenizer_json(mapped_file(folder / "low.json").text());
    std::printf("the same: %s\n", again == tokenizer ? "yes" : "no");
    // [files]
    std::filesystem::remove(folder / "low.json");

    // [documents]
    const std::string_view documents[] = {"low", "lower", "lowest"};
    for (auto const& document : encode_each(tokenizer, documents)) print("document", document);
    // [documents]

    // [broken]
    const std::string cut = tokenizer.decode(std::vector<std::int32_t>{0xe4, 0xb8});  // two thirds of a character
    std::printf("%zu bytes, printable as %s\n", cut.size(), to_utf8(cut).c_str());
    // [broken]

    // The rank file of GPT-4 is not part of tenet.
    if (const char* ranks = std::getenv("CL100K_BASE")) print("cl100k", gpt4(ranks).encode("Hello, world!"));
}
