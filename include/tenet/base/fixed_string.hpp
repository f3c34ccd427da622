// SPDX-License-Identifier: MIT
// base: a string that can be a template argument.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tenet {

/// A string of `N` characters usable as a template argument: `tap<"attention">(x)`.
template <std::size_t N>
struct fixed_string {
    char text[N + 1] = {};

    constexpr fixed_string() = default;
    constexpr fixed_string(char const (&literal)[N + 1]) { std::copy_n(literal, N + 1, text); }
    constexpr explicit fixed_string(std::string_view s) { std::copy_n(s.begin(), N, text); }

    constexpr std::string_view view() const { return {text, N}; }
    constexpr bool operator==(fixed_string const&) const = default;
};

template <std::size_t N>
fixed_string(char const (&)[N]) -> fixed_string<N - 1>;

}  // namespace tenet
