// SPDX-License-Identifier: MIT
#include "pairs.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/nn/init.hpp>

namespace alignment {
namespace {

// By the prompt, so that no prompt is in both parts, however the file is ordered.
preference_set split(std::vector<preference>&& pairs, std::string const& origin) {
    preference_set set;
    for (preference& p : pairs)
        (tenet::init::stream_of(p.prompt) % 10 == 0 ? set.test : set.train).push_back(std::move(p));
    if (set.train.empty() || set.test.empty())
        tenet::fail_expectation(origin, "pairs enough for training and tests", std::to_string(pairs.size()));
    return set;
}

std::ifstream open(std::filesystem::path const& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) tenet::fail_expectation(path.string(), "a readable file", "none");
    return in;
}

std::vector<std::string> words_of(std::string const& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string w; in >> w;) words.push_back(w);
    return words;
}

std::string joined(std::vector<std::string> const& words, std::size_t first, std::size_t last) {
    std::string text;
    for (std::size_t i = first; i < last; ++i) text += (i == first ? "" : " ") + words[i];
    return text;
}

std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

}  // namespace

preference_set read_pairs(std::filesystem::path const& path) {
    std::ifstream in = open(path);
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
                tenet::fail_expectation(place, "an object with the text \"" + std::string(name) + "\"",
                                        line.substr(0, 60));
            *to = json[name].get<std::string>();
        }
        p.prompt += "\n";
        if (p.chosen.empty() || p.rejected.empty()) tenet::fail_expectation(place, "two completions", "an empty one");
        pairs.push_back(std::move(p));
    }
    return split(std::move(pairs), path.string());
}

preference_set make_pairs(std::filesystem::path const& text, std::size_t count, std::uint64_t seed) {
    std::ifstream in = open(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        if (line.size() >= 40 && line.size() <= 150) lines.push_back(line);
    const std::size_t stride = std::max<std::size_t>(1, lines.size() / std::max<std::size_t>(1, count));
    std::vector<preference> pairs;
    std::uint64_t state = mix(seed);
    for (std::size_t i = 0; i < lines.size() && pairs.size() < count; i += stride) {
        std::vector<std::string> words = words_of(lines[i]);
        const std::size_t half = words.size() / 2;
        if (words.size() - half < 3) continue;
        preference p{joined(words, 0, half) + " ", joined(words, half, words.size()), ""};
        for (std::size_t k = words.size(); k > half + 1; --k) {
            state = mix(state);
            std::swap(words[k - 1], words[half + state % (k - half)]);
        }
        p.rejected = joined(words, half, words.size());
        if (p.rejected != p.chosen) pairs.push_back(std::move(p));
    }
    return split(std::move(pairs), text.string());
}

double length_baseline(std::vector<preference> const& pairs) {
    double longer = 0;
    for (preference const& p : pairs)
        longer += p.chosen.size() > p.rejected.size() ? 1 : p.chosen.size() == p.rejected.size() ? 0.5 : 0;
    const double share = longer / static_cast<double>(pairs.size());
    return std::max(share, 1 - share);
}

std::vector<std::int32_t> ids_of(std::string const& text) {
    std::vector<std::int32_t> ids;
    for (char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
}

std::string text_of(std::vector<std::int32_t> const& ids) {
    std::string text;
    for (std::int32_t id : ids)
        if (id < 256) text += static_cast<char>(static_cast<unsigned char>(id));
    return text;
}

}  // namespace alignment
