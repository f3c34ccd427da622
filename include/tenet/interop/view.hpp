// SPDX-License-Identifier: MIT
// interop: tensors and parameters as xtensor arrays, without a copy. A view borrows: the tensor must outlive it, and
// keep its extents while it is used.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include <tenet/interop/xtensor.hpp>
#include <tenet/program/parameters.hpp>
#include <tenet/tensor/tensor.hpp>
#include <tenet/tensor/view.hpp>

namespace tenet {
namespace detail {

// The pointer must be an rvalue: xt::adapt keeps a reference to one that is not.
template <class T, std::size_t Rank>
auto adapt_elements(T* data, std::size_t size, std::array<std::size_t, Rank> const& shape) {
    return xt::adapt(+data, size, xt::no_ownership(), shape);
}

}  // namespace detail

/// `t` as an `xt::xtensor` of the same rank over the same elements: what is written through it is written to `t`.
/// PyTorch: Tensor.numpy().
///
///     view(t) = xt::random::randn<float>({2, 3});
///     xt::xtensor<float, 2> doubled = 2 * view(t);
template <class T, class... A>
auto view(tensor<T, A...>& t) {
    return detail::adapt_elements(t.data(), t.size(), t.extents());
}
template <class T, class... A>
auto view(tensor<T, A...> const& t) {
    return detail::adapt_elements(t.data(), t.size(), t.extents());
}
template <class T, class... A>
auto view(tensor<T, A...>&&) = delete;  // a view of a temporary would dangle
template <class T, class... A>
auto view(tensor_view<T, A...> t) {
    return detail::adapt_elements(t.data(), t.size(), t.extents());
}

/// One parameter by its checkpoint name, as an `xt::xarray` over its elements in the block. Errors: `exception` if
/// there is no such parameter.
///
///     view(theta, "h.0.attn.c_attn.weight") *= 0.5f;
template <class Model, class T>
auto view(parameters<Model, T>& theta, std::string_view name) {
    const named_array a = theta.array(name);
    return xt::adapt(static_cast<T*>(a.data), a.size(), xt::no_ownership(), a.shape);
}
template <class Model, class T>
auto view(parameters<Model, T> const& theta, std::string_view name) {
    const named_array a = const_cast<parameters<Model, T>&>(theta).array(name);  // only to find it
    return xt::adapt(static_cast<T const*>(a.data), a.size(), xt::no_ownership(), a.shape);
}

}  // namespace tenet
