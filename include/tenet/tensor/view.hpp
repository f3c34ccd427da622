// SPDX-License-Identifier: MIT
// tensor: a tensor in memory that somebody else owns.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <tenet/shape/axes.hpp>

namespace tenet {

/// A dense row-major view of `T` (const or not) with the axes `A...` and their run-time extents. Borrows its memory.
template <class T, class... A>
class tensor_view {
public:
    using value_type = std::remove_const_t<T>;
    using axes_type = axes<A...>;
    static constexpr std::size_t rank = sizeof...(A);

    constexpr tensor_view(T* data, std::array<std::size_t, rank> const& extents) : data_(data), extents_(extents) {}

    constexpr T* data() const { return data_; }
    constexpr std::array<std::size_t, rank> const& extents() const { return extents_; }
    constexpr std::size_t size() const {
        std::size_t n = 1;
        for (std::size_t e : extents_) n *= e;
        return n;
    }
    template <class Which>
    constexpr std::size_t extent() const {
        static_assert(shape::contains<Which, axes_type>, "tensor_view::extent<A>(): the view has no axis A");
        if constexpr (Which::is_static) return Which::capacity;
        else return extents_[shape::index_of<Which>(axes_type{})];
    }
    constexpr T* begin() const { return data_; }
    constexpr T* end() const { return data_ + size(); }

    /// The element at the given indices, one an axis; unchecked.
    template <class... I>
    constexpr T& operator()(I... i) const {
        static_assert(sizeof...(I) == rank, "tensor_view(i...): one index an axis");
        const std::array<std::size_t, rank> index{static_cast<std::size_t>(i)...};
        std::size_t at = 0;
        for (std::size_t k = 0; k < rank; ++k) at = at * extents_[k] + index[k];
        return data_[at];
    }

private:
    T* data_;
    std::array<std::size_t, rank> extents_;
};

}  // namespace tenet
