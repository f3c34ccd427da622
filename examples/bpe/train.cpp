// SPDX-License-Identifier: MIT
// Learning a vocabulary from texts.
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include <tenet/io/mapped_file.hpp>
#include <tenet/io/progress.hpp>
#include <tenet/text/byte_pair_training.hpp>

#include "commands.hpp"
#include "tokenizer_files.hpp"

namespace bpe {

int train(train_options const& options) {
    using namespace tenet;
    check_output(options.out);
    std::vector<mapped_file> files;
    std::vector<std::string_view> texts;
    std::size_t bytes = 0;
    for (auto const& path : options.texts) {
        files.emplace_back(path);
        bytes += files.back().text().size();
    }
    for (mapped_file const& file : files) texts.push_back(file.text());
    if (bytes == 0) fail_expectation("--text", "a text", "an empty one");

    byte_pair_training how;
    how.vocabulary_size = options.vocabulary;
    how.pattern = pattern_of(options.pattern);
    how.special_tokens = options.special_tokens;
    const auto begin = std::chrono::steady_clock::now();
    progress bar(options.vocabulary < 256 ? 0 : options.vocabulary - 256);
    how.each = [&](byte_pair_step const& step) {
        bar.update(step.done, "merges, the last of " + std::to_string(step.count) + " pairs");
    };
    const byte_pair_tokenizer tokenizer = train_byte_pairs(texts, how);
    bar.finish();
    save_tokenizer(tokenizer, options.out);

    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::fprintf(stderr, "%zu tokens of %zu bytes of text in %.1f s: %s\n", tokenizer.vocabulary_size(), bytes,
                 time.count(), options.out.c_str());
    if (tokenizer.vocabulary().tokens.size() < options.vocabulary) {
        std::fprintf(stderr, "The text has no more pairs: the vocabulary is smaller than asked for.\n");
    }
    if (options.out.extension() == ".tiktoken") {
        std::fprintf(stderr, "A rank file has neither pattern nor special tokens: give them when it is used.\n");
    }
    return 0;
}

}  // namespace bpe
