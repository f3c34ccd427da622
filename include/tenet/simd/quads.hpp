// SPDX-License-Identifier: MIT
// simd: registers as groups of four floats, for products of 4 x 4. The one raw intrinsic here repeats four floats of
// memory over a register, which g++ 12 does float by float when written as a shuffle.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include <tenet/base/macros.hpp>
#include <tenet/simd/bits.hpp>

namespace tenet::simd {

/// The four floats at `p` over and over.
TENET_INLINE batch<float> repeat_quad(float const* p) {
#if defined(__AVX512F__)
    if constexpr (width<float> == 16) return batch<float>(_mm512_broadcast_f32x4(_mm_loadu_ps(p)));
#endif
    alignas(64) float lanes[width<float>];
    for (std::size_t i = 0; i < width<float>; ++i) lanes[i] = p[i % 4];
    return batch<float>::load_aligned(lanes);
}

/// Element `Which` of each group of four, four times.
template <std::size_t Which>
TENET_INLINE batch<float> spread_quads(batch<float> const& x) {
    return [&]<std::size_t... Lane>(std::index_sequence<Lane...>) __attribute__((always_inline)) {
        const detail::lanes_of<float> v = detail::to_lanes<float>(x);
        return detail::from_vector<float>(
            detail::lanes_of<float>(__builtin_shufflevector(v, v, (Lane / 4 * 4 + Which)...)));
    }(std::make_index_sequence<width<float>>{});
}

}  // namespace tenet::simd
