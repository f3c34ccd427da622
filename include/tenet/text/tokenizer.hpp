// SPDX-License-Identifier: MIT
// text: what every tokenizer can do: text to ids and back. Ids are 0 .. vocabulary_size() - 1.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenet {

/// A tokenizer: `encode` splits text into ids, `decode` joins the bytes of ids, `decode(encode(text)) == text`
/// for every text that it knows, and `to_string` is all that a checkpoint must keep to make it again.
template <class T>
concept Tokenizer = requires(T const& t, std::string_view text, std::span<std::int32_t const> ids) {
    { t.vocabulary_size() } -> std::convertible_to<std::size_t>;
    { t.encode(text) } -> std::same_as<std::vector<std::int32_t>>;
    { t.decode(ids) } -> std::same_as<std::string>;
    { t.to_string() } -> std::same_as<std::string>;
};

}  // namespace tenet
