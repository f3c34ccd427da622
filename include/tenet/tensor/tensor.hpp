// SPDX-License-Identifier: MIT
// tensor: an array in aligned memory whose axes are types. Run-time extents belong to `at_most` axes alone.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include <tenet/base/exception.hpp>
#include <tenet/base/mistake.hpp>
#include <tenet/shape/axes.hpp>
#include <tenet/tensor/dtype.hpp>
#include <tenet/tensor/memory.hpp>

namespace tenet {

/// The run-time extent of an `at_most` axis, for constructors: `tensor<float, Batch, Embed> t(extent<Batch>(5));`
template <class A>
struct extent_value {
    static_assert(!A::is_static, "extent<A>(n): the extent of A is a constant");
    std::size_t value;
};
template <class A>
constexpr extent_value<A> extent(std::size_t n) {
    return {n};
}

/// A dense row-major array of `T` with the axes `A...`; the last axis is contiguous.
///
/// Memory is allocated once, for the capacity, 64-byte aligned, and zero at first. The extents of `at_most` axes are
/// full unless given; elements are packed by the extents. Copies copy, moves move.
/// Errors: `exception` if an extent exceeds its capacity.
template <class T, class... A>
class tensor {
public:
    using value_type = T;
    using axes_type = axes<A...>;
    static_assert(shape::unique<axes_type>, "tensor<T, A...>: an axis stands twice");
    static constexpr std::size_t rank = sizeof...(A);
    static constexpr std::size_t capacity = axes_type::capacity;

    tensor() : data_(allocate<T>(capacity)) {}

    /// With run-time extents for some of its `at_most` axes.
    template <class... E>
    requires(sizeof...(E) > 0)
    explicit tensor(extent_value<E>... extents) : tensor() {
        static_assert((shape::contains<E, axes_type> && ...), "tensor(extent<E>(n)): the tensor has no axis E");
        (set_extent<E>(extents.value), ...);
    }

    /// From values in row-major order; there must be as many as the tensor has elements.
    tensor(std::initializer_list<T> values) : tensor() { assign(values.begin(), values.end()); }

    tensor(tensor const& other) : data_(allocate<T>(capacity)), extents_(other.extents_) {
        std::copy_n(other.data(), other.size(), data());
    }
    tensor& operator=(tensor const& other) {
        if (this != &other) {
            extents_ = other.extents_;
            std::copy_n(other.data(), other.size(), data());
        }
        return *this;
    }
    tensor(tensor&&) noexcept = default;
    tensor& operator=(tensor&&) noexcept = default;

    /// From an expression with the same axes in any order; evaluates it (program/expression.hpp).
    template <class E>
    requires requires { typename E::symbol_type; }
    tensor(E const& e) : tensor() {
        evaluate_into(e, *this);
    }
    template <class E>
    requires requires { typename E::symbol_type; }
    tensor& operator=(E const& e) {
        evaluate_into(e, *this);
        return *this;
    }

    // From what a reported mistake left behind: the compiler has said all there is to say.
    template <std::same_as<poison> P>
    tensor(P) : tensor() {}
    template <std::same_as<poison> P>
    tensor& operator=(P) {
        return *this;
    }

    T* data() { return data_.get(); }
    T const* data() const { return data_.get(); }

    /// Number of elements at the current extents.
    std::size_t size() const {
        std::size_t n = 1;
        for (std::size_t e : extents_) n *= e;
        return n;
    }
    T* begin() { return data(); }
    T* end() { return data() + size(); }
    T const* begin() const { return data(); }
    T const* end() const { return data() + size(); }

    /// Extents by position and by axis.
    std::array<std::size_t, rank> const& extents() const { return extents_; }
    template <class Which>
    std::size_t extent() const {
        static_assert(shape::contains<Which, axes_type>, "tensor::extent<A>(): the tensor has no axis A");
        return extents_[shape::index_of<Which>(axes_type{})];
    }
    /// Changes the extent of an `at_most` axis; the elements are then unspecified.
    template <class Which>
    void set_extent(std::size_t n) {
        static_assert(!Which::is_static, "tensor::set_extent<A>(n): the extent of A is a constant");
        if (n > Which::capacity || n == 0)
            fail_expectation("extent of " + std::string(short_type_name<Which>()),
                             "1 to " + std::to_string(Which::capacity), std::to_string(n));
        extents_[shape::index_of<Which>(axes_type{})] = n;
    }
    /// Changes all extents at once; constant ones must be given as they are.
    void set_extents(std::array<std::size_t, rank> const& extents) {
        static constexpr std::array<std::size_t, rank> most{A::capacity...};
        static constexpr std::array<bool, rank> fixed{A::is_static...};
        for (std::size_t i = 0; i < rank; ++i)
            if (extents[i] == 0 || extents[i] > most[i] || (fixed[i] && extents[i] != most[i]))
                fail_expectation("extent of axis " + std::to_string(i),
                                 fixed[i] ? std::to_string(most[i]) : "1 to " + std::to_string(most[i]),
                                 std::to_string(extents[i]));
        extents_ = extents;
    }

    /// The element at the given indices, one an axis; unchecked.
    template <std::convertible_to<std::size_t>... I>
    T& operator()(I... i) {
        return data()[offset(static_cast<std::size_t>(i)...)];
    }
    template <std::convertible_to<std::size_t>... I>
    T const& operator()(I... i) const {
        return data()[offset(static_cast<std::size_t>(i)...)];
    }

    void fill(T value) { std::fill(begin(), end(), value); }

    /// Replaces all elements by a range of exactly `size()` values.
    template <class Iterator>
    void assign(Iterator first, Iterator last) {
        const auto n = static_cast<std::size_t>(std::distance(first, last));
        if (n != size())
            fail_expectation("values of a tensor", std::to_string(size()) + " elements", std::to_string(n));
        std::transform(first, last, begin(), [](auto const& v) { return static_cast<T>(v); });
    }

private:
    aligned_array<T> data_;
    std::array<std::size_t, rank> extents_{A::capacity...};

    template <class... I>
    std::size_t offset(I... i) const {
        static_assert(sizeof...(I) == rank, "tensor(i...): one index an axis");
        const std::array<std::size_t, rank> index{i...};
        std::size_t at = 0;
        for (std::size_t k = 0; k < rank; ++k) at = at * extents_[k] + index[k];
        return at;
    }
};

/// A tensor with positional axes: `ndarray<float, 2, 3>`. Broadcasting aligns the last axes, as in NumPy, but sizes of
/// 1 are not stretched.
namespace detail {
template <class T, class Index, std::size_t... N>
struct positional;
template <class T, std::size_t... I, std::size_t... N>
struct positional<T, std::index_sequence<I...>, N...> {
    using type = tensor<T, dim<sizeof...(N) - 1 - I, N>...>;
};
template <class X>
inline constexpr bool is_tensor = false;
template <class T, class... A>
inline constexpr bool is_tensor<tensor<T, A...>> = true;
}  // namespace detail
template <class T, std::size_t... N>
using ndarray = typename detail::positional<T, std::make_index_sequence<sizeof...(N)>, N...>::type;

}  // namespace tenet
