// SPDX-License-Identifier: MIT
// io: a tensor as a safetensors file knows it: a name, the format's name of the element type, a shape and bytes. It can
// hold every type of the format, also those that we have no `dtype` for.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/io/safetensors_format.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet::safetensors {

/// One tensor of a file.
struct tensor_entry {
    std::string name;
    std::string dtype;                 ///< the format's name, e.g. "F32"
    std::vector<std::size_t> shape;    ///< row-major; empty for a scalar
    std::size_t offset = 0;            ///< of the first byte, counted from the begin of the tensors' bytes
    std::span<std::byte const> bytes;  ///< little-endian, perhaps unaligned: copy before use; borrowed from the reader
};

namespace detail {

/// The bytes that shape and element type ask for. Throws `exception` that begins with `place` if the type is unknown or
/// the size does not fit.
inline std::size_t byte_count(std::string_view dtype, std::span<std::size_t const> shape, std::string const& place) {
    const auto bits_each = bits_of(dtype);
    if (!bits_each) fail_expectation(place, "a known dtype", tenet::detail::quoted(dtype));
    const auto count = element_count(shape);
    const auto bits = count ? multiply(*count, *bits_each) : std::nullopt;
    if (!bits) fail_expectation(place, "a size that fits in 64 bits", "shape " + shape_text(shape));
    if (*bits % 8 != 0) fail_expectation(place, "a whole number of bytes", std::to_string(*bits) + " bits");
    return *bits / 8;
}

}  // namespace detail

/// `array` as a tensor of a file; its memory stays where it is. Throws `exception` for a size that does not fit and for
/// a null pointer.
inline tensor_entry entry_of(named_array const& array) {
    const std::string place = "safetensors::write: " + tenet::detail::quoted(array.name);
    tensor_entry entry{array.name, std::string(file_name_of(array.type)), array.shape, 0, {}};
    const std::size_t size = detail::byte_count(entry.dtype, entry.shape, place);
    if (size != 0 && array.data == nullptr) fail_expectation(place, "data", "a null pointer");
    entry.bytes = {static_cast<std::byte const*>(array.data), size};
    return entry;
}

}  // namespace tenet::safetensors
