// SPDX-License-Identifier: MIT
// The preference that the examples make up, which a person can check by eye: gentle words are good, each of them once;
// harsh words are bad, every time.
#pragma once

#include <cstddef>
#include <string_view>

namespace alignment {

enum class tone { plain, gentle, harsh };

/// The tone of a word, in whatever case.
tone tone_of(std::string_view word);

/// (gentle words that differ) - (harsh words).
double rule_score(std::string_view text);

/// The share of a text's words that stand in it for the first time: 1 unless it repeats itself.
double different_words(std::string_view text);

/// The end of the word of letters that begins at `from`; `from` if there is none.
std::size_t word_end(std::string_view text, std::size_t from);

}  // namespace alignment
