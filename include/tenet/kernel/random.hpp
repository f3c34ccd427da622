// SPDX-License-Identifier: MIT
// kernel: random numbers as functions of their place: (seed, stream, index) for initialisation, by Philox; (key, index)
// for dropout, by a cheap hash in registers. No state, so that neither threads nor partitions change a number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <Random123/philox.h>

#include <tenet/kernel/dropout.hpp>
#include <tenet/kernel/norm_rows.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/simd/convert.hpp>
#include <tenet/simd/math.hpp>

namespace tenet::kernel {

namespace detail {

/// Random numbers that one Philox block of 128 bits makes.
template <class T>
inline constexpr std::size_t per_block = sizeof(T) == 4 ? 4 : 2;

/// The four words of block `block` of a stream.
inline r123::Philox4x32::ctr_type philox_block(std::uint64_t seed, std::uint64_t stream, std::uint64_t block) {
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    const r123::Philox4x32::ctr_type counter = {{low(block), high(block), low(stream), high(stream)}};
    const r123::Philox4x32::key_type key = {{low(seed), high(seed)}};
    return r123::Philox4x32()(counter, key);
}

// In [0, 1): as many leading bits as T holds.
template <class T>
T uniform_of(r123::Philox4x32::ctr_type const& words, std::size_t k) {
    if constexpr (sizeof(T) == 4) {
        return static_cast<T>(words[k] >> 8) * T(0x1p-24);
    } else {
        const std::uint64_t bits = std::uint64_t{words[2 * k]} << 32 | words[2 * k + 1];
        return static_cast<T>(bits >> 11) * T(0x1p-53);
    }
}

/// f(first element, uniforms, count) for each run of whole Philox blocks of [0, n), in parallel.
template <class T, class F>
void for_random_runs(std::size_t n, std::uint64_t seed, std::uint64_t stream, F const& f) {
    // Two registers at least, so that pairs of numbers fill registers of their own.
    constexpr std::size_t run = 2 * simd::width<T> < 4 ? 4 : 2 * simd::width<T>;
    const std::size_t runs = n / run + (n % run != 0);
    parallel_for(runs, 64, [&](std::size_t first, std::size_t last) {
        for (std::size_t r = first; r < last; ++r) {
            alignas(64) T u[run];
            for (std::size_t b = 0; b < run / per_block<T>; ++b) {
                const auto words = philox_block(seed, stream, r * (run / per_block<T>)+b);
                for (std::size_t k = 0; k < per_block<T>; ++k) u[b * per_block<T> + k] = uniform_of<T>(words, k);
            }
            f(r * run, u, std::min(run, n - r * run));
        }
    });
}

}  // namespace detail

/// The uniform number in [0, 1) at `index` of a stream, as `uniform_fill(p, n, 0, 1, seed, stream)` leaves it in
/// p[index].
template <class T = double>
T uniform_at(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
    constexpr std::size_t k = detail::per_block<T>;
    return detail::uniform_of<T>(detail::philox_block(seed, stream, index / k), index % k);
}

/// p[i] = lo + (hi - lo) uniform_at<T>(seed, stream, i). PyTorch: torch.nn.init.uniform_.
/// Philox 4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
template <class T>
void uniform_fill(T* p, std::size_t n, detail::same_as<T> lo, detail::same_as<T> hi, std::uint64_t seed,
                  std::uint64_t stream) {
    detail::for_random_runs<T>(n, seed, stream, [=](std::size_t first, T const* u, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) p[first + i] = lo + (hi - lo) * u[i];
    });
}

/// p[i] = mean + std z, z normal, made of the uniform numbers 2 (i / 2) and 2 (i / 2) + 1 after Box and Muller: the
/// same for any number of threads, and for any n that includes i. PyTorch: torch.nn.init.normal_.
template <class T>
void normal_fill(T* p, std::size_t n, detail::same_as<T> mean, detail::same_as<T> std, std::uint64_t seed,
                 std::uint64_t stream) {
    using simd::batch;
    constexpr std::size_t width = simd::width<T>;
    constexpr T smallest = sizeof(T) == 4 ? T(0x1p-25) : T(0x1p-54);  // half a step: the logarithm must not see 0
    detail::for_random_runs<T>(n, seed, stream, [=](std::size_t first, T const* u, std::size_t count) {
        alignas(64) T radius[width], angle[width];
        for (std::size_t i = 0; i < width; ++i) {
            radius[i] = u[2 * i] + smallest;
            angle[i] = u[2 * i + 1];
        }
        const batch<T> r = simd::sqrt<T>(batch<T>(T(-2)) * simd::log(batch<T>::load_aligned(radius))) * batch<T>(std);
        const batch<T> a = batch<T>::load_aligned(angle) * batch<T>(T(6.283185307179586477));
        simd::fma<T>(r, simd::cos<T>(a), batch<T>(mean)).store_aligned(radius);
        simd::fma<T>(r, simd::sin<T>(a), batch<T>(mean)).store_aligned(angle);
        for (std::size_t i = 0; i < count; ++i) p[first + i] = i % 2 == 0 ? radius[i / 2] : angle[i / 2];
    });
}

}  // namespace tenet::kernel
