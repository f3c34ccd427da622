// SPDX-License-Identifier: MIT
// Pairs of completions as tokens, in batches and as single rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <tenet/data/preference_batch.hpp>

#include "data_set.hpp"
#include "model.hpp"

namespace alignment {

struct Pairs : at_most<16> {};
using pair_batch = preference_batch<Pairs, Time>;

struct encoded_pair {
    ids prompt, chosen, rejected;
};

inline std::vector<encoded_pair> encoded(byte_pair_tokenizer const& t, std::vector<preference> const& pairs) {
    std::vector<encoded_pair> all;
    for (preference const& p : pairs) all.push_back({t.encode(p.prompt), t.encode(p.chosen), t.encode(p.rejected)});
    return all;
}

inline pair_batch batch_of(std::span<encoded_pair const> pairs) {
    pair_batch batch(row_options, pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) batch.set(i, pairs[i].prompt, pairs[i].chosen, pairs[i].rejected);
    return batch;
}

/// The rows of one side, 0 the chosen and 1 the rejected, cut as in a batch.
inline std::vector<completion_row> rows_of(std::span<encoded_pair const> pairs, int side) {
    std::vector<completion_row> rows;
    for (encoded_pair const& p : pairs) {
        ids const &one = side == 0 ? p.chosen : p.rejected, &other = side == 0 ? p.rejected : p.chosen;
        rows.push_back(
            make_completion_row(p.prompt, one, Time::capacity, row_options, ended_length(other, row_options)));
    }
    return rows;
}

/// The numbers of the pairs of step `step`, of n: each epoch has an order of its own.
inline std::vector<std::size_t> numbers_of_step(std::size_t n, std::uint64_t seed, std::size_t step) {
    const std::size_t each = (n + Pairs::capacity - 1) / Pairs::capacity, first = step % each * Pairs::capacity;
    const std::vector<std::size_t> order = order_of(n, seed, step / each);
    const auto at = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(std::min(i, n)); };
    return {at(first), at(first + Pairs::capacity)};
}
/// Those of `all` with these numbers.
template <class T>
std::vector<T> some_of(std::vector<T> const& all, std::vector<std::size_t> const& numbers) {
    std::vector<T> some;
    for (std::size_t i : numbers) some.push_back(all[i]);
    return some;
}

}  // namespace alignment
