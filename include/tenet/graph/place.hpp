// SPDX-License-Identifier: MIT
// graph: offsets within the arena: first fit by size.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenet/base/list.hpp>
#include <tenet/graph/plan.hpp>

namespace tenet::graph {

/// Gives every buffer its offset: first fit, the largest first. Returns the bytes of the arena.
template <class Buffers>
constexpr std::size_t place_buffers(Buffers& buffers) {
    list<int> order(buffers.size(), 0);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    std::sort(order.begin(), order.end(), [&](int a, int b) {
        buffer const &x = buffers[static_cast<std::size_t>(a)], &y = buffers[static_cast<std::size_t>(b)];
        return x.bytes != y.bytes ? x.bytes > y.bytes : a < b;
    });
    std::size_t arena_bytes = 0;
    list<buffer> placed;  // by offset
    placed.reserve(buffers.size());
    for (int i : order) {
        buffer& b = buffers[static_cast<std::size_t>(i)];
        std::size_t offset = 0;
        // Evaluated for every pair of buffers: written for few steps.
        for (buffer const& other : placed) {
            if (other.end < b.begin || b.end < other.begin) continue;
            if (offset + b.bytes <= other.offset) break;
            if (offset < other.offset + other.bytes) offset = other.offset + other.bytes;
        }
        b.offset = offset;
        placed.push_back(b);
        buffer* const first = placed.begin();
        std::size_t k = placed.size() - 1;
        for (; k > 0 && first[k - 1].offset > offset; --k) first[k] = first[k - 1];
        first[k] = b;
        arena_bytes = std::max(arena_bytes, offset + b.bytes);
    }
    return arena_bytes;
}

/// Turns offsets within buffers into offsets within the arena; aliases and views lie where their memory is.
template <class Image>
constexpr void resolve_locations(Image& image) {
    for (std::size_t i = 0; i < image.nodes.size(); ++i)
        if (image.buffer_of[i] >= 0)
            image.locations[i].offset += image.buffers[static_cast<std::size_t>(image.buffer_of[i])].offset;
    for (std::size_t i = 0; i < image.nodes.size(); ++i)
        if (image.nodes[i].op == kind::alias || image.nodes[i].op == kind::view)
            image.locations[i] = image.locations[static_cast<std::size_t>(storage_of(image, static_cast<int>(i)))];
}

}  // namespace tenet::graph
