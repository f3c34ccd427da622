// SPDX-License-Identifier: MIT
// tensor: the element types of tensors, as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenet {

/// Element types. `real` is the floating type of the program that a graph is compiled for (float or double),
/// so that one model serves both. Those after it are found in files only: a `named_array` may hold them, and they are
/// converted before anything is computed. `float8_e4m3` is the variant without infinities (E4M3FN).
enum class dtype : std::uint8_t {
    float32,
    float64,
    int32,
    int64,
    boolean,
    bfloat16,
    real,
    float16,
    float8_e4m3,
    float8_e5m2,
    int8,
    int16,
    uint8,
    uint16,
    uint32,
    uint64
};

/// Bytes of one element of `t`; `real` counts as float.
constexpr std::size_t size_of(dtype t) {
    switch (t) {
    case dtype::float64:
    case dtype::int64:
    case dtype::uint64: return 8;
    case dtype::bfloat16:
    case dtype::float16:
    case dtype::int16:
    case dtype::uint16: return 2;
    case dtype::boolean:
    case dtype::float8_e4m3:
    case dtype::float8_e5m2:
    case dtype::int8:
    case dtype::uint8: return 1;
    default: return 4;
    }
}

/// The name used in messages, e.g. "float32".
constexpr std::string_view name_of(dtype t) {
    switch (t) {
    case dtype::float32: return "float32";
    case dtype::float64: return "float64";
    case dtype::int32: return "int32";
    case dtype::int64: return "int64";
    case dtype::boolean: return "bool";
    case dtype::bfloat16: return "bfloat16";
    case dtype::float16: return "float16";
    case dtype::float8_e4m3: return "float8_e4m3";
    case dtype::float8_e5m2: return "float8_e5m2";
    case dtype::int8: return "int8";
    case dtype::int16: return "int16";
    case dtype::uint8: return "uint8";
    case dtype::uint16: return "uint16";
    case dtype::uint32: return "uint32";
    case dtype::uint64: return "uint64";
    default: return "real";
    }
}

/// The `dtype` of a C++ element type.
template <class T>
inline constexpr dtype dtype_of = [] {
    static_assert(sizeof(T) == 0, "dtype_of<T>: T must be float, double, std::int32_t, std::int64_t or bool");
    return dtype::real;
}();
template <>
inline constexpr dtype dtype_of<float> = dtype::float32;
template <>
inline constexpr dtype dtype_of<double> = dtype::float64;
template <>
inline constexpr dtype dtype_of<std::int32_t> = dtype::int32;
template <>
inline constexpr dtype dtype_of<std::int64_t> = dtype::int64;
template <>
inline constexpr dtype dtype_of<bool> = dtype::boolean;

}  // namespace tenet
