// SPDX-License-Identifier: MIT
#include "data_set.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <random>
#include <utility>

#include <nlohmann/json.hpp>
#include <tenet/data/text_corpus.hpp>
#include <tenet/io/atomic_file.hpp>
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

std::vector<preference> read(std::filesystem::path const& path, char const* after_prompt) {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail_expectation(path.string(), "a readable file", "none");
    std::vector<preference> pairs;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.empty()) continue;
        const std::string place = path.string() + ", line " + std::to_string(number);
        const auto json = nlohmann::json::parse(line, nullptr, false);
        preference p;
        for (auto [name, to] : {std::pair{"prompt", &p.prompt}, {"chosen", &p.chosen}, {"rejected", &p.rejected}}) {
            if (!json.is_object() || !json.contains(name) || !json[name].is_string())
                fail_expectation(place, "an object with the text \"" + std::string(name) + "\"", line.substr(0, 60));
            *to = json[name].get<std::string>();
        }
        p.prompt += after_prompt;
        if (p.prompt.empty() || p.chosen.empty() || p.rejected.empty())
            fail_expectation(place, "a prompt and two completions", "an empty one");
        pairs.push_back(std::move(p));
    }
    return pairs;
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
    parts<preference> set;
    for (preference& p : read(path, "\n"))
        (init::stream_of(p.prompt) % 10 == 0 ? set.test : set.train).push_back(std::move(p));
    if (set.train.empty() || set.test.empty())
        fail_expectation(path.string(), "pairs enough for training and tests",
                         std::to_string(set.train.size() + set.test.size()));
    return set;
}

std::vector<preference> read_written_preferences(std::filesystem::path const& path) {
    return read(path, "");
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
