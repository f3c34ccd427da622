// SPDX-License-Identifier: MIT
// interop: comparisons with xtensor as the oracle, for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include <tenet/interop/convert.hpp>

namespace tenet {
namespace detail {

template <class X, class Y>
bool all_close(X const& x, Y const& y, double relative, double absolute) {
    auto const& s = x.shape();
    auto const& t = y.shape();
    if (!std::equal(s.begin(), s.end(), t.begin(), t.end(),
                    [](auto a, auto b) { return static_cast<std::size_t>(a) == static_cast<std::size_t>(b); }))
        return false;
    return std::equal(x.template begin<xt::layout_type::row_major>(), x.template end<xt::layout_type::row_major>(),
                      y.template begin<xt::layout_type::row_major>(), [&](auto a, auto b) {
                          const auto p = static_cast<double>(a), q = static_cast<double>(b);
                          return p == q || std::abs(p - q) <= absolute + relative * std::abs(q);
                      });
}

}  // namespace detail

/// Whether the tensor `t` has the shape of the expression (or of the other tensor, with the same axes) and
/// |t - e| <= absolute + relative |e| everywhere. Unlike NumPy's, it does not broadcast: another shape is unequal.
/// NaN equals nothing. PyTorch: torch.allclose.
// References like those of xt::allclose, which argument-dependent lookup finds as well: the constraints decide.
template <class X, class E>
requires detail::is_tensor<std::remove_cvref_t<X>> && XtensorExpression<E>
bool allclose(X&& t, E&& e, double relative = 1e-5, double absolute = 1e-8) {
    return detail::all_close(view(std::as_const(t)), e, relative, absolute);
}
template <class X, class Y>
requires detail::is_tensor<std::remove_cvref_t<X>> && detail::is_tensor<std::remove_cvref_t<Y>>
bool allclose(X&& t, Y&& u, double relative = 1e-5, double absolute = 1e-8) {
    static_assert(
        std::is_same_v<typename std::remove_cvref_t<X>::axes_type, typename std::remove_cvref_t<Y>::axes_type>,
        "allclose(t, u): two tensors have the same axes");
    return detail::all_close(view(std::as_const(t)), view(std::as_const(u)), relative, absolute);
}

}  // namespace tenet
