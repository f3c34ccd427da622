// SPDX-License-Identifier: MIT
// interop: arrays in NumPy's file format, read from bytes that nobody vouches for: every size is checked against the
// bytes that are there before it is used. NEP 1: A Simple File Format for NumPy Arrays.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/interop/convert.hpp>
#include <tenet/io/elements.hpp>
#include <tenet/io/file_error.hpp>

namespace tenet {

/// An array from a .npy or .npz file: element type, shape, and its elements in row-major order.
struct npy_array {
    dtype type = dtype::float32;
    std::vector<std::size_t> shape;  ///< empty for a scalar
    std::vector<std::byte> bytes;    ///< size() elements of `type`

    /// Number of elements.
    std::size_t size() const { return bytes.size() / size_of(type); }

    /// All elements as `T`. Integers stay integers: real ones do not become integers, and an integer that `T` cannot
    /// hold is an `exception`.
    template <class T>
    std::vector<T> values() const {
        std::vector<T> all(size());
        copy_to(all.begin());
        return all;
    }

    /// The array as a tensor type: `array.as<tensor<float, Rows, Cols>>()`. The shape is checked as by `from_xtensor`.
    template <class Tensor>
    Tensor as() const {
        Tensor t;
        t.set_extents(detail::checked_extents(std::type_identity<Tensor>{}, "npy_array::as", shape));
        copy_to(t.begin());
        return t;
    }

private:
    template <class Iterator>
    void copy_to(Iterator to) const {
        copy_elements(type, bytes, to, "npy_array");
    }
};

namespace detail {

// What NumPy calls element types. It has none for bfloat16 and the floating types of 8 bits.
inline constexpr std::array<std::pair<dtype, std::string_view>, 12> npy_types{{{dtype::float32, "<f4"},
                                                                               {dtype::float64, "<f8"},
                                                                               {dtype::float16, "<f2"},
                                                                               {dtype::int8, "|i1"},
                                                                               {dtype::int16, "<i2"},
                                                                               {dtype::int32, "<i4"},
                                                                               {dtype::int64, "<i8"},
                                                                               {dtype::uint8, "|u1"},
                                                                               {dtype::uint16, "<u2"},
                                                                               {dtype::uint32, "<u4"},
                                                                               {dtype::uint64, "<u8"},
                                                                               {dtype::boolean, "|b1"}}};

/// The header of a .npy file: a Python dictionary of three literals, in any order.
class npy_header {
public:
    npy_header(std::string_view text, std::string const& place) : rest_(text), place_(place) {
        expect('{');
        while (!accept('}')) {
            const std::string_view key = string();
            expect(':');
            if (key == "descr") read_type();
            else if (key == "fortran_order") fortran_ = boolean();
            else if (key == "shape") read_shape();
            else fail("keys descr, fortran_order and shape", quoted(key));
            const int bit = key == "descr" ? 1 : key == "shape" ? 2 : 4;
            if ((seen_ & bit) != 0) fail("each key once", quoted(key) + " twice");
            seen_ |= bit;
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        if (seen_ != 7) fail("descr, fortran_order and shape", "a header without one of them");
    }
    dtype type() const { return type_; }
    bool fortran() const { return fortran_; }
    std::vector<std::size_t> const& shape() const { return shape_; }

private:
    std::string_view rest_;
    std::string const& place_;
    dtype type_ = dtype::float32;
    bool fortran_ = false;
    std::vector<std::size_t> shape_;
    int seen_ = 0;

    [[noreturn]] void fail(std::string const& expected, std::string const& found) const {
        fail_expectation(place_ + ": NumPy header", expected, found);
    }
    void skip_blanks() {
        while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
    }
    bool accept(char c) {
        skip_blanks();
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(std::string(1, c), rest_.empty() ? "the end" : quoted(rest_.substr(0, 20)));
    }
    std::string_view string() {
        skip_blanks();
        const char mark = rest_.empty() ? '\0' : rest_[0];
        const std::size_t end = mark == '\'' || mark == '"' ? rest_.find(mark, 1) : std::string_view::npos;
        if (end == std::string_view::npos) fail("a plain element type or key", quoted(rest_.substr(0, 20)));
        const std::string_view text = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return text;
    }
    bool boolean() {
        skip_blanks();
        for (std::string_view word : {"True", "False"})
            if (rest_.starts_with(word)) {
                rest_.remove_prefix(word.size());
                return word == "True";
            }
        fail("True or False", quoted(rest_.substr(0, 20)));
    }
    void read_type() {
        const std::string_view name = string();
        for (auto const& [type, text] : npy_types)
            if (name == text) {
                type_ = type;
                return;
            }
        fail("an element type of numbers or booleans, e.g. <f4", quoted(name));
    }
    void read_shape() {
        expect('(');
        shape_.clear();
        while (!accept(')')) {
            skip_blanks();
            std::size_t n = 0, digits = 0;
            for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
                const auto d = static_cast<std::size_t>(rest_[digits] - '0');
                if (n > (std::numeric_limits<std::size_t>::max() - d) / 10) fail("an extent", "one beyond 64 bits");
                n = n * 10 + d;
            }
            if (digits == 0) fail("an extent", rest_.empty() ? "the end" : quoted(rest_.substr(0, 20)));
            rest_.remove_prefix(digits);
            shape_.push_back(n);
            if (shape_.size() > 32) fail("at most 32 axes", "more");
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
    }
};

// Elements in column-major order, put into row-major order.
inline std::vector<std::byte> row_major(std::span<std::byte const> from, std::vector<std::size_t> const& shape,
                                        std::size_t element) {
    std::vector<std::byte> to(from.size());
    std::vector<std::size_t> index(shape.size(), 0);
    for (std::size_t i = 0; i * element < to.size(); ++i) {
        std::size_t at = 0;
        for (std::size_t k = shape.size(); k-- > 0;) at = at * shape[k] + index[k];
        std::memcpy(to.data() + i * element, from.data() + at * element, element);
        for (std::size_t k = shape.size(); k-- > 0 && ++index[k] == shape[k];) index[k] = 0;
    }
    return to;
}

/// Reads the array that `file` holds; `place` begins the message of an error.
inline npy_array read_npy(std::span<std::byte const> file, std::string const& place) {
    static_assert(std::endian::native == std::endian::little, "NumPy files are read on little-endian machines only");
    const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(file[i]); };
    constexpr std::string_view magic = "\x93NUMPY";
    if (file.size() < 10 || std::memcmp(file.data(), magic.data(), magic.size()) != 0)
        fail_expectation(place, "a NumPy file", std::to_string(file.size()) + " bytes without its signature");
    const std::size_t version = byte(6);
    if (version < 1 || version > 3)
        fail_expectation(place, "a NumPy file of version 1 to 3", "version " + std::to_string(version));
    const std::size_t start = version == 1 ? 10 : 12;
    if (file.size() < start) fail_expectation(place, "a NumPy header", "the end of the file");
    std::size_t length = byte(8) | byte(9) << 8;
    if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
    if (length > file.size() - start)
        fail_expectation(place, "a NumPy header of " + std::to_string(length) + " bytes",
                         std::to_string(file.size() - start) + " bytes");
    const npy_header header({reinterpret_cast<char const*>(file.data()) + start, length}, place);

    const std::span<std::byte const> data = file.subspan(start + length);
    std::size_t bytes = size_of(header.type());
    for (std::size_t e : header.shape()) {
        if (e != 0 && bytes > std::numeric_limits<std::size_t>::max() / e)
            fail_expectation(place, "an array that fits into memory", "shape " + shape_text(header.shape()));
        bytes *= e;
    }
    if (data.size() != bytes)
        fail_expectation(place,
                         std::to_string(bytes) + " bytes of " + std::string(name_of(header.type())) + " for shape " +
                             shape_text(header.shape()),
                         std::to_string(data.size()));
    npy_array array{header.type(), header.shape(), {}};
    if (header.fortran() && header.shape().size() > 1)
        array.bytes = row_major(data, header.shape(), size_of(header.type()));
    else array.bytes.assign(data.begin(), data.end());
    return array;
}

}  // namespace detail
}  // namespace tenet
