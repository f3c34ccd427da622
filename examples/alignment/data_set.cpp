// SPDX-License-Identifier: MIT
#include "data_set.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <random>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>
#include <tenet/data/text_corpus.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/text/byte_pair_training.hpp>

#include "model.hpp"

namespace alignment {
namespace {

std::vector<task> tasks_in(std::string_view text) {
    std::vector<task> all;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.size() < 40 || line.size() > 160) continue;
        std::vector<std::size_t> words;  // where they begin
        for (std::size_t i = 0; i < line.size(); ++i)
            if (line[i] != ' ' && (i == 0 || line[i - 1] == ' ')) words.push_back(i);
        if (words.size() < 6) continue;
        // The space before a word belongs to it, in the text and in the tokenizer.
        const std::size_t at = words[words.size() / 3] - 1;
        all.push_back({std::string(line.substr(words[0], at - words[0])), std::string(line.substr(at))});
    }
    return all;
}

/// A hash whose last digits depend on all of the text.
std::uint64_t mixed(std::string_view text) {
    std::uint64_t x = init::stream_of(text);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

}  // namespace

byte_pair_tokenizer make_tokenizer(std::string_view text) {
    byte_pair_training how;
    how.vocabulary_size = static_cast<std::size_t>(end_of_text);
    return train_byte_pairs(text, how);
}

std::string text_of(byte_pair_tokenizer const& tokenizer, std::span<std::int32_t const> tokens) {
    std::string text;
    for (std::int32_t id : tokens)
        if (tokenizer.is_id(id)) text += tokenizer.token(id);
    return text;
}

parts<task> tasks_of_lines(std::string_view text) {
    const text_corpus corpus{std::string(text)};
    parts<task> all{tasks_in(corpus.train()), tasks_in(corpus.validation())};
    if (all.train.empty() || all.test.empty())
        fail_expectation("--text", "lines of 40 to 160 bytes in its first nine tenths and in its last",
                         std::to_string(all.train.size()) + " and " + std::to_string(all.test.size()));
    return all;
}

parts<preference> read_preferences(std::filesystem::path const& path) {
    const mapped_file file(path);
    std::vector<preference> all = parse_preferences(file.text(), path.string());
    const std::size_t lines = all.size();
    std::erase_if(all, [](preference const& p) { return p.chosen == p.rejected; });
    if (all.size() < lines)
        std::fprintf(stderr, "%s: %zu of %zu pairs are left out, whose completions are the same\n", path.c_str(),
                     lines - all.size(), lines);
    std::set<std::pair<std::uint64_t, std::string>> prompts;
    for (preference& p : all) {
        p.prompt += '\n';
        prompts.emplace(mixed(p.prompt), p.prompt);
    }
    if (prompts.size() < 2)
        fail_expectation(path.string(), "pairs of at least two prompts, for training and for tests",
                         std::to_string(all.size()) + " of " + std::to_string(prompts.size()));
    const auto first_of_training = std::next(prompts.begin(), static_cast<std::ptrdiff_t>((prompts.size() + 9) / 10));
    parts<preference> set;
    for (preference& p : all)
        (std::pair(mixed(p.prompt), p.prompt) < *first_of_training ? set.test : set.train).push_back(std::move(p));
    return set;
}

std::vector<preference> read_written_preferences(std::filesystem::path const& path) {
    const mapped_file file(path);
    return file.text().empty() ? std::vector<preference>{} : parse_preferences(file.text(), path.string());
}

std::vector<task> tasks_of(std::vector<preference> const& pairs) {
    std::vector<task> all;
    for (preference const& p : pairs) all.push_back({p.prompt, p.chosen});
    return all;
}

void write_preferences(std::filesystem::path const& path, std::vector<preference> const& pairs) {
    atomic_file file(path);
    for (preference const& p : pairs)
        file.write(nlohmann::ordered_json{{"prompt", p.prompt}, {"chosen", p.chosen}, {"rejected", p.rejected}}.dump(
                       -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                   "\n");
    file.commit();
}

double length_baseline(std::vector<preference> const& pairs) {
    double longer = 0;
    for (preference const& p : pairs)
        longer += p.chosen.size() > p.rejected.size() ? 1 : p.chosen.size() == p.rejected.size() ? 0.5 : 0;
    const double share = longer / static_cast<double>(pairs.size());
    return std::max(share, 1 - share);
}

std::vector<std::size_t> order_of(std::size_t n, std::uint64_t seed, std::uint64_t epoch) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937_64 random(seed + 0x9e3779b97f4a7c15u * (epoch + 1));
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    return order;
}

std::string fingerprint(std::string_view text) {
    char out[64];
    std::snprintf(out, sizeof out, "%zu bytes, %016llx", text.size(),
                  static_cast<unsigned long long>(init::stream_of(text)));
    return out;
}

}  // namespace alignment
