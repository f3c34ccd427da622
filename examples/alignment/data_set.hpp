// SPDX-License-Identifier: MIT
// What the examples learn from: a text and its tokenizer, prompts with completions, pairs of a better and a worse
// completion of one prompt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/data/completion_batch.hpp>
#include <tenet/data/preference_data.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>

namespace alignment {

using ids = std::vector<std::int32_t>;

struct task {
    std::string prompt, completion;
};
using preference = tenet::preference_example;
/// A tenth is held out, and nothing learns from it.
template <class T>
struct parts {
    std::vector<T> train, test;
};

/// A tokenizer whose ids are below the end of text.
tenet::byte_pair_tokenizer make_tokenizer(std::string_view text);
/// The text of ids; the end of text, and what the tokenizer does not know, is left out.
std::string text_of(tenet::byte_pair_tokenizer const& tokenizer, std::span<std::int32_t const> tokens);

/// The lines of a text of 40 to 160 bytes: the first third of the words is the prompt, the rest the completion. The
/// last tenth of the text is held out.
parts<task> tasks_of_lines(std::string_view text);

/// JSON lines with the fields prompt, chosen and rejected; a prompt gets a line break. A tenth of the prompts is held
/// out, so that none is in both parts; pairs of equal completions are left out, with a word about it.
/// Errors: `exception` with the line.
parts<preference> read_preferences(std::filesystem::path const& path);
/// The chosen completions.
std::vector<task> tasks_of(std::vector<preference> const& pairs);
/// Writes the same format without the line break; whole or not at all.
void write_preferences(std::filesystem::path const& path, std::vector<preference> const& pairs);
/// What `write_preferences` wrote: no line break is added, nothing is held out.
std::vector<preference> read_written_preferences(std::filesystem::path const& path);

/// How often the longer (or, if that is better, the shorter) completion is the chosen one: what a judge scores that
/// looks at nothing else. Equal lengths count half.
double length_baseline(std::vector<preference> const& pairs);

/// An order of n examples that is a function of (seed, epoch).
std::vector<std::size_t> order_of(std::size_t n, std::uint64_t seed, std::uint64_t epoch);

/// "4332481 bytes, 3e5a...": enough to notice that a text is another one.
std::string fingerprint(std::string_view text);

}  // namespace alignment
