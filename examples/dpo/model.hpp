// SPDX-License-Identifier: MIT
// The model of the alignment examples: a small GPT over bytes, trained from nothing, and the batches that it reads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <tenet/data.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/op.hpp>

#include "pairs.hpp"

namespace alignment {

using namespace tenet;

struct small_gpt {
    static constexpr std::size_t layers = 3, heads = 4, width = 128, context = 192, vocabulary = 257;
};
constexpr std::int32_t end_of_text = 256;
using gpt = gpt2<small_gpt>;
using Vocab = gpt::Vocab;

struct Pairs : at_most<8> {};
struct Rows : at_most<16> {};
struct Time : axis<192>, sequence {};

/// The places of tokens, as the model wants them.
constexpr auto places_of(auto tokens) {
    return cast<dtype::int32>(positions<Time>(tokens));
}

/// Padding is the end-of-text token: nothing depends on it.
inline constexpr completion_options row_options{.end_of_text = end_of_text, .pad = end_of_text};

/// Fills `batch` with pairs [first, first + rows) of `from`, in the order `order`; returns how many.
inline std::size_t fill(preference_batch<Pairs, Time>& batch, std::vector<preference> const& from,
                        std::vector<std::size_t> const& order, std::size_t first) {
    const std::size_t n = std::min(Pairs::capacity, from.size() - first);
    batch.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        preference const& p = from[order[first + i]];
        batch.set(i, ids_of(p.prompt), ids_of(p.chosen), ids_of(p.rejected));
    }
    return n;
}

/// An order of n examples that is a function of (seed, epoch).
inline std::vector<std::size_t> order_of(std::size_t n, std::uint64_t seed, std::uint64_t epoch) {
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = i;
    std::uint64_t state = seed * 0x9e3779b97f4a7c15u + epoch + 1;
    for (std::size_t i = n; i > 1; --i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        std::swap(order[i - 1], order[(state >> 33) % i]);
    }
    return order;
}

}  // namespace alignment
