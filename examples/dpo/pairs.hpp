// SPDX-License-Identifier: MIT
// Pairs of a better and a worse completion of a prompt: from a file, or made of a text by a rule.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace alignment {

struct preference {
    std::string prompt, chosen, rejected;
};

/// A tenth of the pairs, chosen by their prompts, is kept for tests.
struct preference_set {
    std::vector<preference> train, test;
};

/// From JSON lines with the fields prompt, chosen and rejected.
preference_set read_pairs(std::filesystem::path const& path);

/// From the lines of a text: a line's first words are the prompt, the rest is chosen, the rest with its words shuffled
/// is rejected. At most `count` lines of 40 to 150 characters, spread over the text.
preference_set make_pairs(std::filesystem::path const& text, std::size_t count, std::uint64_t seed);

/// How often the longer (or, if that is better, the shorter) completion is the chosen one: what a judge scores that
/// looks at nothing else. Equal lengths count half.
double length_baseline(std::vector<preference> const& pairs);

/// Text as bytes: ids below 256.
std::vector<std::int32_t> ids_of(std::string const& text);
std::string text_of(std::vector<std::int32_t> const& ids);

}  // namespace alignment
