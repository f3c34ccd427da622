// SPDX-License-Identifier: MIT
// parallel: a reduction that is bitwise the same for any number of threads: blocks whose bounds depend on n alone,
// their results folded in order. It costs nothing measurable against a reduction in the order of arrival.
#pragma once

#include <array>
#include <cstddef>

#include <tenet/parallel/parallel_for.hpp>

namespace tenet {

/// The most blocks an ordered reduction is divided into.
inline constexpr std::size_t ordered_blocks = 64;

/// The size of the blocks that [0, n) is divided into: a multiple of `block`, at most `ordered_blocks` of them.
constexpr std::size_t ordered_block_size(std::size_t n, std::size_t block) {
    if (block == 0) block = 1;
    const std::size_t least = n / ordered_blocks + (n % ordered_blocks != 0);
    return least <= block ? block : (least + block - 1) / block * block;
}

/// combine(... combine(combine(identity, map(0, b)), map(b, 2 b)) ..., map(k b, n)) for blocks of `b` elements,
/// computed in parallel and combined in order. No allocation: at most 64 results of `R` on the stack.
template <class R, class Map, class Combine>
R ordered_reduce(std::size_t n, std::size_t block, R identity, Map const& map, Combine const& combine) {
    const std::size_t size = ordered_block_size(n, block);
    const std::size_t blocks = n / size + (n % size != 0);
    const auto end_of = [&](std::size_t b) { return b + 1 < blocks ? (b + 1) * size : n; };
    std::array<R, ordered_blocks> results;
    parallel_for(blocks, 1, [&](std::size_t first, std::size_t last) {
        for (std::size_t b = first; b < last; ++b) results[b] = map(b * size, end_of(b));
    });
    R total = identity;
    for (std::size_t b = 0; b < blocks; ++b) total = combine(total, results[b]);
    return total;
}

}  // namespace tenet
