// SPDX-License-Identifier: MIT
// kernel: AdamW whose moments are kept as one byte each: codes of the dynamic maps, in blocks of 256 with a float each.
// A block is read, stepped in float and written again, so that blocks are independent and threads share them out.
// Source: Dettmers et al., "8-bit Optimizers via Block-wise Quantization", 2022; bitsandbytes, csrc/kernels.cu.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <tenet/kernel/dynamic_map.hpp>
#include <tenet/kernel/optimizer.hpp>
#include <tenet/kernel/row.hpp>

namespace tenet::kernel {

/// Numbers of state that share a scale: 256, as in bitsandbytes since 0.44 (2048 before).
inline constexpr std::size_t state_block = 256;

namespace detail {

/// Where to look for a number among a map's values: by its leading bits, of which so many are taken that no two values
/// of the map share them.
class code_finder {
public:
    explicit code_finder(byte_map const& map) : map_(map) {
        for (std::size_t key = 0; key < keys; ++key) {
            const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(key + lowest) << 16);
            positive_[key] = floor_of(x);
            negative_[key] = floor_of(-std::bit_cast<float>(static_cast<std::uint32_t>(key + lowest + 1) << 16));
        }
    }

    /// As `nearest_code`.
    TENET_INLINE std::uint8_t operator()(float x) const {
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) & 0x7fffffffu;
        const std::size_t high = std::clamp<std::size_t>(bits >> 16, lowest, lowest + keys - 1) - lowest;
        std::size_t low = x < 0 ? negative_[high] : positive_[high];
        if (bits >> 16 < lowest) return nearest_code(map_, x);
        low += low < 255 && map_[low + 1] < x;
        low += low < 255 && x - map_[low] > map_[low + 1] - x;
        return static_cast<std::uint8_t>(low);
    }

private:
    // Exponent and seven bits of fraction of 2^-24 to 1.
    static constexpr std::size_t lowest = std::size_t{103} << 7, keys = (std::size_t{24} << 7) + 1;
    byte_map const& map_;
    std::array<std::uint8_t, keys> positive_, negative_;

    // The last value below x, or the first of all.
    std::uint8_t floor_of(float x) const {
        std::size_t low = 0;
        while (low < 255 && map_[low + 1] < x) ++low;
        return static_cast<std::uint8_t>(low);
    }
};

inline code_finder const& finder_of_signed() {
    static const code_finder finder(signed_dynamic_map);
    return finder;
}
inline code_finder const& finder_of_unsigned() {
    static const code_finder finder(unsigned_dynamic_map);
    return finder;
}

template <class T>
[[gnu::flatten]] void adamw_8bit_block(T* w, T const* g, std::uint8_t* m, float& m_scale, std::uint8_t* v,
                                       float& v_scale, std::size_t n, adamw_step const& p) {
    float first[state_block], second[state_block], first_most = 0, second_most = 0;
    const auto beta1 = static_cast<float>(p.beta1), rest1 = static_cast<float>(1 - p.beta1);
    const auto beta2 = static_cast<float>(p.beta2), rest2 = static_cast<float>(1 - p.beta2);
    const auto factor = static_cast<float>(p.grad_scale);
    for (std::size_t i = 0; i < n; ++i) {
        const float gradient = static_cast<float>(g[i]) * factor;
        first[i] = beta1 * (signed_dynamic_map[m[i]] * m_scale) + rest1 * gradient;
        second[i] = beta2 * (unsigned_dynamic_map[v[i]] * v_scale) + rest2 * gradient * gradient;
    }
    for (std::size_t i = 0; i < n; ++i) first_most = std::max(first_most, std::abs(first[i]));
    for (std::size_t i = 0; i < n; ++i) second_most = std::max(second_most, second[i]);
    const auto keep = static_cast<float>(1 - p.lr * p.weight_decay), eps = static_cast<float>(p.eps);
    const auto rate = static_cast<float>(p.lr / p.bias_correction1);
    const auto unbias = static_cast<float>(1 / std::sqrt(p.bias_correction2));
    for (std::size_t i = 0; i < n; ++i) {
        const float step = rate * first[i] / (std::sqrt(second[i]) * unbias + eps);
        w[i] = static_cast<T>(static_cast<float>(w[i]) * keep - step);
    }
    m_scale = first_most;
    v_scale = second_most;
    code_finder const &code_of_m = finder_of_signed(), &code_of_v = finder_of_unsigned();
    const float m_inverse = 1 / std::max(first_most, 1e-38f), v_inverse = 1 / std::max(second_most, 1e-38f);
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint8_t code = code_of_m(first[i] * m_inverse);
        // A moment keeps its sign: what is negative does not become zero.
        const bool lost = std::signbit(first[i]) && signed_dynamic_map[code] == 0;
        m[i] = static_cast<std::uint8_t>(code - lost);
        v[i] = code_of_v(second[i] * v_inverse);
    }
}

}  // namespace detail

/// The codes of a moment of zeros: what the state starts from.
inline constexpr std::uint8_t zero_of_m = nearest_code(signed_dynamic_map, 0), zero_of_v = 0;

/// One step of AdamW over n parameters, in place, as `adamw`; the moments are codes (signed for m, unsigned for v) with
/// a scale for each `state_block` numbers. The step uses the moments before they are rounded.
///
/// The same bits for any number of threads. Cost: some 3 ns a parameter. bitsandbytes: optim.AdamW8bit, where the
/// weight decays after the step.
template <class T>
void adamw_8bit(T* w, T const* g, std::uint8_t* m, float* m_scales, std::uint8_t* v, float* v_scales, std::size_t n,
                adamw_step const& p) {
    detail::for_rows((n + state_block - 1) / state_block, 8 * state_block, [&](std::size_t b) {
        const std::size_t at = b * state_block;
        detail::adamw_8bit_block(w + at, g + at, m + at, m_scales[b], v + at, v_scales[b],
                                 std::min(state_block, n - at), p);
    });
}

}  // namespace tenet::kernel
