// SPDX-License-Identifier: MIT
// io: the elements of arrays from files, whatever their type and wherever they lie: visited in the type that holds them
// exactly, and converted where a conversion is wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/io/float_formats.hpp>
#include <tenet/tensor/dtype.hpp>

namespace tenet {

/// Whether elements of `type` are floating numbers.
constexpr bool is_floating(dtype type) {
    switch (type) {
    case dtype::float32:
    case dtype::float64:
    case dtype::float16:
    case dtype::bfloat16:
    case dtype::float8_e4m3:
    case dtype::float8_e5m2: return true;
    default: return false;
    }
}

namespace detail {

template <class T>
T element_at(std::byte const* bytes, std::size_t index) {
    T value;
    std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));  // files promise no alignment
    return value;
}

template <class T>
auto plain_elements(std::byte const* bytes) {
    return [=](std::size_t i) { return element_at<T>(bytes, i); };
}
template <class T, class Widen>
auto widened_elements(std::byte const* bytes, Widen widen) {
    return [=](std::size_t i) { return widen(element_at<T>(bytes, i)); };
}

}  // namespace detail

/// Calls `f(element)` once, where `element(i)` is the i-th element at `bytes` in the C++ type that holds it exactly:
/// float for everything narrower, double, the integers, bool (any byte but 0 is true).
template <class F>
decltype(auto) visit_elements(dtype type, std::byte const* bytes, F&& f) {
    using namespace detail;
    switch (type) {
    case dtype::float64: return f(plain_elements<double>(bytes));
    case dtype::float16: return f(widened_elements<std::uint16_t>(bytes, [](auto b) { return float_from_float16(b); }));
    case dtype::bfloat16:
        return f(widened_elements<std::uint16_t>(bytes, [](auto b) { return float_from_bfloat16(b); }));
    case dtype::float8_e4m3:
        return f(widened_elements<std::uint8_t>(bytes, [](auto b) { return float_from_float8_e4m3(b); }));
    case dtype::float8_e5m2:
        return f(widened_elements<std::uint8_t>(bytes, [](auto b) { return float_from_float8_e5m2(b); }));
    case dtype::int8: return f(plain_elements<std::int8_t>(bytes));
    case dtype::int16: return f(plain_elements<std::int16_t>(bytes));
    case dtype::int32: return f(plain_elements<std::int32_t>(bytes));
    case dtype::int64: return f(plain_elements<std::int64_t>(bytes));
    case dtype::uint8: return f(plain_elements<std::uint8_t>(bytes));
    case dtype::uint16: return f(plain_elements<std::uint16_t>(bytes));
    case dtype::uint32: return f(plain_elements<std::uint32_t>(bytes));
    case dtype::uint64: return f(plain_elements<std::uint64_t>(bytes));
    case dtype::boolean: return f(widened_elements<std::uint8_t>(bytes, [](auto b) { return b != 0; }));
    default: return f(plain_elements<float>(bytes));
    }
}

/// Copies the elements of `bytes` to `to` as its own element type. Integers stay integers: real numbers do not become
/// integers, and an integer that the destination cannot hold is an `exception` that begins with `place`. Anything but
/// zero becomes true. Real numbers are rounded to nearest.
template <class Iterator>
void copy_elements(dtype type, std::span<std::byte const> bytes, Iterator to, std::string const& place) {
    using T = typename std::iterator_traits<Iterator>::value_type;
    visit_elements(type, bytes.data(), [&](auto const& element) {
        using From = decltype(element(0));
        const std::size_t n = bytes.size() / size_of(type);
        if constexpr (std::is_same_v<T, bool>) {
            for (std::size_t i = 0; i < n; ++i, ++to) *to = element(i) != From{};
        } else if constexpr (std::is_floating_point_v<T>) {
            for (std::size_t i = 0; i < n; ++i, ++to) *to = static_cast<T>(element(i));
        } else if constexpr (std::is_floating_point_v<From>) {
            fail_expectation(place, "integers", "elements of type " + std::string(name_of(type)));
        } else {
            const auto fits = [](From v) {
                if constexpr (std::is_same_v<From, bool>) return true;
                else return std::in_range<T>(v);
            };
            for (std::size_t i = 0; i < n; ++i, ++to) {
                const From v = element(i);
                if (!fits(v)) {
                    fail_expectation(place, "integers of type " + std::string(name_of(dtype_of<T>)), std::to_string(v));
                }
                *to = static_cast<T>(v);
            }
        }
    });
}

namespace detail {

// The range of an integer type, as the exponent of its upper end; negative numbers if `has_sign`.
struct integer_range {
    int bits;
    bool has_sign;
};
constexpr integer_range range_of(dtype type) {
    const bool has_sign = type == dtype::int8 || type == dtype::int16 || type == dtype::int32 || type == dtype::int64;
    if (type == dtype::boolean) return {1, false};
    return {static_cast<int>(8 * size_of(type)) - (has_sign ? 1 : 0), has_sign};
}

template <class T, class Narrow>
void store_all(void* to, std::size_t n, Narrow const& at) {
    for (std::size_t i = 0; i < n; ++i) {
        const T value = at(i);
        std::memcpy(static_cast<std::byte*>(to) + i * sizeof(T), &value, sizeof(T));
    }
}

}  // namespace detail

/// Whether every array of type `from` has a meaning as one of type `to`: floating types convert to the floating types
/// of 16 bits and more (rounding to nearest), and integers and booleans to integer types that hold all their values.
constexpr bool convertible(dtype from, dtype to) {
    if (from == to) return true;
    if (is_floating(from) || is_floating(to))
        return is_floating(from) && is_floating(to) && to != dtype::float8_e4m3 && to != dtype::float8_e5m2;
    if (to == dtype::boolean) return false;
    const auto a = detail::range_of(from), b = detail::range_of(to);
    return a.bits <= b.bits && (!a.has_sign || b.has_sign);
}

/// Writes `n` elements to `memory` as elements of type `to`: the i-th is the one of number `place(i)` at `bytes`, of
/// type `from`, for `convertible(from, to)`. Neither side need be aligned. Booleans are written as 0 and 1.
template <class Place>
void convert_elements(dtype from, std::byte const* bytes, std::size_t n, dtype to, void* memory, Place const& place) {
    visit_elements(from, bytes, [&](auto const& element_of) {
        const auto element = [&](std::size_t i) { return element_of(place(i)); };
        using From = decltype(element_of(0));
        const auto cast = [&]<class T>(T) {
            detail::store_all<T>(memory, n, [&](std::size_t i) { return static_cast<T>(element(i)); });
        };
        if constexpr (std::is_floating_point_v<From>) {
            switch (to) {
            case dtype::float64: return cast(double{});
            case dtype::float16:
                return detail::store_all<std::uint16_t>(
                    memory, n, [&](std::size_t i) { return float16_from_double(static_cast<double>(element(i))); });
            case dtype::bfloat16:
                return detail::store_all<std::uint16_t>(memory, n, [&](std::size_t i) {
                    if constexpr (std::is_same_v<From, float>) return bfloat16_from_float(element(i));
                    else return bfloat16_from_double(element(i));
                });
            default: return cast(float{});
            }
        } else {
            switch (to) {
            case dtype::int8: return cast(std::int8_t{});
            case dtype::int16: return cast(std::int16_t{});
            case dtype::int32: return cast(std::int32_t{});
            case dtype::int64: return cast(std::int64_t{});
            case dtype::uint16: return cast(std::uint16_t{});
            case dtype::uint32: return cast(std::uint32_t{});
            case dtype::uint64: return cast(std::uint64_t{});
            default: return cast(std::uint8_t{});  // uint8, and boolean as 0 and 1
            }
        }
    });
}

/// The same for elements that keep their order.
inline void convert_elements(dtype from, std::byte const* bytes, std::size_t n, dtype to, void* memory) {
    if (n == 0) return;
    if (from == to && from != dtype::boolean) std::memcpy(memory, bytes, n * size_of(to));
    else convert_elements(from, bytes, n, to, memory, [](std::size_t i) { return i; });
}

}  // namespace tenet
