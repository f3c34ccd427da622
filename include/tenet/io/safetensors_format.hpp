// SPDX-License-Identifier: MIT
// io: what the safetensors format fixes: element types and their sizes, the header's limits, and how our element
// types are called there. Shared by the reader, the writer and the loader.
// Source: github.com/huggingface/safetensors, README.md "Format" and safetensors/src/tensor.rs.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tenet/base/exception.hpp>
#include <tenet/tensor/dtype.hpp>

namespace tenet::safetensors {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

/// The longest JSON header that a reader accepts: 100 MB, as the reference implementation.
inline constexpr std::size_t max_header_size = 100'000'000;

/// The key of the header under which a file keeps strings instead of a tensor.
inline constexpr std::string_view metadata_key = "__metadata__";

namespace detail {

struct element_format {
    std::string_view name;
    std::size_t bits;
};

// In the reference implementation's order, which is the order (from last to first) of tensors in a file.
inline constexpr std::array<element_format, 22> element_formats{{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};

inline constexpr std::array<std::pair<dtype, std::string_view>, 15> dtype_names{{
    {dtype::float32, "F32"},
    {dtype::float64, "F64"},
    {dtype::float16, "F16"},
    {dtype::bfloat16, "BF16"},
    {dtype::float8_e4m3, "F8_E4M3"},
    {dtype::float8_e5m2, "F8_E5M2"},
    {dtype::int8, "I8"},
    {dtype::int16, "I16"},
    {dtype::int32, "I32"},
    {dtype::int64, "I64"},
    {dtype::uint8, "U8"},
    {dtype::uint16, "U16"},
    {dtype::uint32, "U32"},
    {dtype::uint64, "U64"},
    {dtype::boolean, "BOOL"},
}};

inline std::optional<std::size_t> multiply(std::size_t a, std::size_t b) {
    if (b != 0 && a > std::numeric_limits<std::size_t>::max() / b) return std::nullopt;
    return a * b;
}

// Factors are multiplied in order, as the reference does: a zero after an overflow does not excuse it.
inline std::optional<std::size_t> element_count(std::span<std::size_t const> shape) {
    std::optional<std::size_t> count = 1;
    for (std::size_t extent : shape) {
        count = multiply(*count, extent);
        if (!count) return std::nullopt;
    }
    return count;
}

inline std::string shape_text(std::span<std::size_t const> shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i == 16) return out + ", ... " + std::to_string(shape.size() - i) + " more]";
        out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    }
    return out + "]";
}

}  // namespace detail

/// Bits of one element of the type called `name` in a file ("F32", "BF16", "F8_E4M3", ...), or nothing if the
/// format knows no such type.
constexpr std::optional<std::size_t> bits_of(std::string_view name) {
    for (auto const& format : detail::element_formats) {
        if (format.name == name) return format.bits;
    }
    return std::nullopt;
}

/// The name of one of our element types in a file. Throws for `dtype::real`, which no memory has.
inline std::string_view file_name_of(dtype type) {
    for (auto const& [known, name] : detail::dtype_names) {
        if (known == type) return name;
    }
    fail_expectation("safetensors", "a concrete element type", std::string(name_of(type)));
}

/// The element type that a file calls `name`, or nothing if we have none for it ("C64", "F4", "F8_E8M0", ...).
constexpr std::optional<dtype> dtype_named(std::string_view name) {
    for (auto const& [type, known] : detail::dtype_names) {
        if (known == name) return type;
    }
    return std::nullopt;
}

}  // namespace tenet::safetensors
