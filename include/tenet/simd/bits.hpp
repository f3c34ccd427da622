// SPDX-License-Identifier: MIT
// simd: the bits of a register, as a vector of the compilers' own (g++ and clang share the extension). It has
// integer arithmetic, shifts, conversions and shuffles on every machine, where xsimd releases differ or lack them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <tenet/simd/batch.hpp>

namespace tenet::simd::detail {

template <class T, std::size_t Bytes>
struct vector_type {
    typedef T type __attribute__((vector_size(Bytes)));
};

/// `N` elements of `T` as a vector of the compiler.
template <class T, std::size_t N>
using vector_of = typename vector_type<T, sizeof(T) * N>::type;

/// The signed integer as wide as `T`.
template <class T>
using integer_of = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// The lanes of a `batch<T>`, and the integers that lie in the same bits.
template <class T>
using lanes_of = vector_of<T, width<T>>;
template <class T>
using bits_of = vector_of<integer_of<T>, width<T>>;

template <class T>
TENET_INLINE lanes_of<T> to_lanes(batch<T> const& x) {
    return std::bit_cast<lanes_of<T>>(x.data);
}

template <class T>
TENET_INLINE bits_of<T> to_bits(batch<T> const& x) {
    return std::bit_cast<bits_of<T>>(x.data);
}

/// The register of `T` with these bits: lanes or integers of the same size.
template <class T, class Vector>
TENET_INLINE batch<T> from_vector(Vector const& v) {
    return batch<T>(std::bit_cast<typename batch<T>::register_type>(v));
}

/// 32-bit words below 2^31, one a lane, as numbers.
template <class T>
TENET_INLINE batch<T> from_integers(vector_of<std::uint32_t, width<T>> const& v) {
    using Signed = vector_of<std::int32_t, width<T>>;
    return from_vector<T>(lanes_of<T>(__builtin_convertvector(std::bit_cast<Signed>(v), lanes_of<T>)));
}

template <class T, std::size_t Distance, std::size_t... Lane>
TENET_INLINE batch<T> swap_lanes(batch<T> const& x, std::index_sequence<Lane...>) {
    const lanes_of<T> v = to_lanes<T>(x);
    return from_vector<T>(lanes_of<T>(__builtin_shufflevector(v, v, (Lane ^ Distance)...)));
}

}  // namespace tenet::simd::detail
