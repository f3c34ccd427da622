// SPDX-License-Identifier: MIT
// simd: the one place that knows xsimd's batches. Releases 8.1 to 14 differ; the differences end here.
#pragma once

#include <cstddef>
#include <cstring>

// g++ 12 warns of its own <immintrin.h> (GCC bug 105593), which xsimd includes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <tenet/base/macros.hpp>

namespace tenet::simd {

/// A register of `T` of the widest kind that the translation unit is compiled for.
template <class T>
using batch = xsimd::batch<T>;

/// One truth value a lane: the type of `x < y` on batches.
template <class T>
using mask = xsimd::batch_bool<T>;

/// Elements of `T` in one register.
template <class T>
inline constexpr std::size_t width = batch<T>::size;

/// a * b + c, rounded once where the machine has a fused multiply-add.
/// The instruction itself: xsimd 8.1 multiplies, then adds, on AVX-512, and compilers join a product and a sum in some
/// places only, so that bits would depend on what surrounds them.
template <class T>
TENET_INLINE batch<T> fma(batch<T> const& a, batch<T> const& b, batch<T> const& c) {
#if defined(__AVX512F__)
    if constexpr (sizeof a.data == 64 && sizeof(T) == 4) return batch<T>(_mm512_fmadd_ps(a.data, b.data, c.data));
    if constexpr (sizeof a.data == 64 && sizeof(T) == 8) return batch<T>(_mm512_fmadd_pd(a.data, b.data, c.data));
#elif defined(__FMA__)
    if constexpr (sizeof a.data == 32 && sizeof(T) == 4) return batch<T>(_mm256_fmadd_ps(a.data, b.data, c.data));
    if constexpr (sizeof a.data == 32 && sizeof(T) == 8) return batch<T>(_mm256_fmadd_pd(a.data, b.data, c.data));
#endif
    return batch<T>(a.data * b.data + c.data);
}

/// c - a * b, rounded once where the machine has a fused multiply-add.
template <class T>
TENET_INLINE batch<T> fnma(batch<T> const& a, batch<T> const& b, batch<T> const& c) {
    return batch<T>(c.data - a.data * b.data);
}

namespace detail {

// Copies of 8, 4, 2, 1 elements: each is one move, where a loop over n would be up to 15.
template <class T, std::size_t Chunk>
TENET_INLINE void copy_chunks(T const* from, T* to, std::size_t n) {
    if constexpr (Chunk != 0) {
        if (n & Chunk) {
            std::memcpy(to, from, Chunk * sizeof(T));
            from += Chunk;
            to += Chunk;
        }
        copy_chunks<T, Chunk / 2>(from, to, n);
    }
}

}  // namespace detail

/// The first `n` elements at `p` (n <= width), the other lanes zero. Reads nothing beyond p[n - 1].
template <class T>
TENET_INLINE batch<T> load_partial(T const* p, std::size_t n) {
#if defined(__clang__)
    alignas(64) T lanes[width<T>] = {};
    detail::copy_chunks<T, width<T>>(p, lanes, n);
#else
    // g++ makes one masked load of this loop, unless it knows n: then it copies one by one.
    asm("" : "+r"(n));
    alignas(64) T lanes[width<T>];
    for (std::size_t i = 0; i < width<T>; ++i) lanes[i] = i < n ? p[i] : T{};
#endif
    return batch<T>::load_aligned(lanes);
}

/// Writes the first `n` lanes of `x` to `p` (n <= width).
template <class T>
TENET_INLINE void store_partial(batch<T> const& x, T* p, std::size_t n) {
    alignas(64) T lanes[width<T>];
    x.store_aligned(lanes);
#if defined(__clang__)
    detail::copy_chunks<T, width<T>>(lanes, p, n);
#else
    asm("" : "+r"(n));
    for (std::size_t i = 0; i < width<T>; ++i)
        if (i < n) p[i] = lanes[i];
#endif
}

}  // namespace tenet::simd
