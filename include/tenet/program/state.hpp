// SPDX-License-Identifier: MIT
// program: what a program remembers from step to step, in a block of its own that programs of the same layout share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include <tenet/base/exception.hpp>
#include <tenet/program/context.hpp>
#include <tenet/tensor/memory.hpp>

namespace tenet {
namespace detail {

/// A number that differs between programs whose states lie differently: FNV-1a over their places and sizes.
template <class Image>
constexpr std::uint64_t state_layout(Image const& image) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    const auto mix = [&](std::uint64_t x) { hash = (hash ^ x) * 0x100000001b3u; };
    for (std::size_t i = 0; i < image.nodes.size(); ++i) {
        if (image.nodes[i].op != graph::kind::state) continue;
        mix(image.locations[i].offset);
        for (int k = 0; k < image.nodes[i].axes.rank; ++k) mix(image.capacity(image.nodes[i].axes[k]));
        for (int k = 0; k < image.locations[i].level_count; ++k)
            mix(static_cast<std::uint64_t>(image.locations[i].levels[k].trips));
    }
    return hash;
}

}  // namespace detail

/// The memory of a program's states: keys and values of `cached<...>`. Zero at first. Made by a program; to be handed
/// to another one of the same states, which then goes on where the first one stopped.
class program_state {
public:
    program_state(std::size_t bytes, std::uint64_t layout)
        : data_(allocate<std::byte>(bytes)), bytes_(bytes), layout_(layout) {}

    std::byte* data() { return data_.get(); }
    std::byte const* data() const { return data_.get(); }
    std::size_t size() const { return bytes_; }
    std::uint64_t layout() const { return layout_; }

private:
    aligned_array<std::byte> data_;
    std::size_t bytes_;
    std::uint64_t layout_;
};

}  // namespace tenet
