// SPDX-License-Identifier: MIT
// align: numbers a token of several completions of different lengths. There is no padding, so nothing can be counted in
// by a wrong mask.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <tenet/base/exception.hpp>

namespace tenet {

/// Real numbers side by side in memory: a vector, a span, a tensor.
template <class X>
concept Numbers = requires(X const& x) {
    requires std::floating_point<std::remove_cvref_t<decltype(*x.data())>>;
    { x.size() } -> std::convertible_to<std::size_t>;
};

/// Rows of numbers, each as long as its completion, one after the other in memory.
template <class T = double>
class token_rows {
public:
    token_rows() = default;
    /// Rows of the given lengths, of zeros.
    explicit token_rows(std::vector<std::size_t> const& lengths) {
        for (std::size_t n : lengths) push_back(std::vector<T>(n, T(0)));
    }

    void push_back(std::span<T const> row) {
        values_.insert(values_.end(), row.begin(), row.end());
        ends_.push_back(values_.size());
    }

    std::size_t rows() const { return ends_.size(); }
    std::size_t length(std::size_t row) const { return ends_.at(row) - begin_of(row); }
    std::span<T> operator[](std::size_t row) { return {values_.data() + begin_of(row), length(row)}; }
    std::span<T const> operator[](std::size_t row) const { return {values_.data() + begin_of(row), length(row)}; }
    /// All numbers of all rows.
    std::span<T> flat() { return values_; }
    std::span<T const> flat() const { return values_; }

private:
    std::vector<T> values_;
    std::vector<std::size_t> ends_;

    std::size_t begin_of(std::size_t row) const { return row == 0 ? 0 : ends_.at(row - 1); }
};

namespace detail {

inline void expect_lengths(char const* place, std::size_t expected, std::size_t found) {
    if (expected != found) fail_expectation(place, std::to_string(expected) + " numbers", std::to_string(found));
}

}  // namespace detail
}  // namespace tenet
