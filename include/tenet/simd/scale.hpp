// SPDX-License-Identifier: MIT
// simd: a power of two as a factor, for which AVX-512 has an instruction and xsimd 8.1 no name.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <tenet/simd/batch.hpp>

namespace tenet::simd::detail {

/// Whether the machine multiplies by powers of two in one instruction.
template <class T>
inline constexpr bool scales_by_powers = false;
#if defined(__AVX512F__)
template <>
inline constexpr bool scales_by_powers<float> = sizeof(batch<float>) == 64;
#endif

/// x 2^n, n a whole number, rounded once; only where `scales_by_powers<T>`: elsewhere `exp` does it with integers.
template <class T>
TENET_INLINE batch<T> times_power_of_two(batch<T> const& x, [[maybe_unused]] batch<T> const& n) {
    static_assert(scales_by_powers<T>, "this machine has no such instruction");
#if defined(__AVX512F__)
    // All lanes by mask: g++ 12 warns of its own header's plain form.
    return batch<T>(_mm512_mask_scalef_ps(x.data, 0xffff, x.data, n.data));
#else
    return x;
#endif
}

}  // namespace tenet::simd::detail
