// SPDX-License-Identifier: MIT
// Tokenizers: training 4096 tokens on 4 MB, encoding and decoding, one word of a megabyte, documents on all threads.
// The text is made up, with words as often as in natural language; with --text=FILE and --ranks=cl100k_base.tiktoken
// (in front of Google Benchmark's options) natural text and GPT-4's vocabulary are measured.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/io/mapped_file.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/text/byte_pair_training.hpp>
#include <tenet/text/encode_each.hpp>
#include <tenet/text/tiktoken_ranks.hpp>

namespace {

using namespace tenet;

constexpr std::size_t text_size = 4'000'000;

// Zipf's law over 30,000 words of syllables; commas, sentences, lines, numbers.
std::string make_text() {
    std::mt19937 draw(1);
    const auto below = [&](std::size_t n) { return draw() % n; };
    const std::string consonants = "bcdfghklmnprstvw", vowels = "aeiou";
    std::vector<std::string> words;
    for (std::size_t i = 0; i < 30000; ++i) {
        std::string word;
        // Frequent words are short.
        for (std::size_t k = 1 + below(i < 100 ? 2 : 4); k > 0; --k) {
            word += consonants[below(consonants.size())];
            word += vowels[below(vowels.size())];
            if (below(2) == 0) word += consonants[below(consonants.size())];
        }
        words.push_back(word);
    }
    std::string text;
    bool capital = true;
    while (text.size() < text_size) {
        const double u = static_cast<double>(draw()) / 4294967296.0;
        const auto rank = static_cast<std::size_t>(std::pow(static_cast<double>(words.size()), u)) - 1;
        std::string word = below(50) == 0 ? std::to_string(below(10000)) : words[rank];
        if (capital && word[0] >= 'a') word[0] = static_cast<char>(word[0] - 'a' + 'A');
        text += word;
        const std::size_t end = below(20);
        capital = end == 0;
        text += end == 0 ? (below(6) == 0 ? ".\n\n" : ". ") : end < 3 ? ", " : end == 3 ? "\n" : " ";
    }
    text.resize(text_size);
    return text;
}

std::string text;
std::unique_ptr<byte_pair_tokenizer> tokenizer;

byte_pair_tokenizer learn(std::string_view pattern) {
    return train_byte_pairs(text, {4096, std::string(pattern), {}, {}});
}

void count_bytes(benchmark::State& state, std::size_t each) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

void train(benchmark::State& state, std::string_view pattern) {
    for (auto _ : state) benchmark::DoNotOptimize(learn(pattern).vocabulary_size());
    count_bytes(state, text.size());
}
BENCHMARK_CAPTURE(train, cl100k, split_pattern::cl100k)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(train, no_split, split_pattern::none)->Unit(benchmark::kMillisecond);

void encode(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer->encode(text).size());
    count_bytes(state, text.size());
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

void decode(benchmark::State& state) {
    const auto ids = tokenizer->encode(text);
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer->decode(ids).size());
    count_bytes(state, text.size());
}
BENCHMARK(decode)->Unit(benchmark::kMillisecond);

void encode_long_word(benchmark::State& state) {
    std::string word;
    std::copy_if(text.begin(), text.end(), std::back_inserter(word), [](char c) { return c >= 'a' && c <= 'z'; });
    word.resize(std::min(word.size(), static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer->encode(word).size());
    count_bytes(state, word.size());
}
BENCHMARK(encode_long_word)->RangeMultiplier(8)->Range(1 << 11, 1 << 20)->Unit(benchmark::kMillisecond);

void encode_documents(benchmark::State& state) {
    std::vector<std::string_view> documents;
    for (std::size_t at = 0; at < text.size(); at += 2000) documents.push_back(std::string_view(text).substr(at, 2000));
    with_threads(static_cast<int>(state.range(0)), [&] {
        for (auto _ : state) benchmark::DoNotOptimize(encode_each(*tokenizer, documents).size());
    });
    count_bytes(state, text.size());
}
BENCHMARK(encode_documents)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    try {
        std::string ranks;
        while (argc > 1) {
            const std::string_view option = argv[1];
            if (option.starts_with("--text=")) text = mapped_file(option.substr(7)).text();
            else if (option.starts_with("--ranks=")) ranks = option.substr(8);
            else break;
            for (int i = 1; i + 1 < argc; ++i) argv[i] = argv[i + 1];
            --argc;
        }
        if (text.empty()) text = make_text();
        tokenizer = std::make_unique<byte_pair_tokenizer>(
            ranks.empty() ? learn(split_pattern::cl100k)
                          : read_tiktoken(mapped_file(ranks).text(), tiktoken_encoding::cl100k_base()));
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
        benchmark::RunSpecifiedBenchmarks();
        return 0;
    } catch (std::exception const& e) {
        std::fprintf(stderr, "tokenizer_bench: %s\n", e.what());
        return 1;
    }
}
