// SPDX-License-Identifier: MIT
// op: root-mean-square normalisation over one or more axes.
#pragma once

#include <tenet/kernel/rms_norm.hpp>
#include <tenet/op/normalization.hpp>

namespace tenet {
namespace error {
template <class A, std::size_t Extent, class OperandAxes>
struct rms_norm_axis_not_in_operand;
/// rms_norm<A...>(x, weight): the weight has other axes than A.
template <class NormalisedAxes, class WeightAxes>
struct rms_norm_weight_axes_differ;
}  // namespace error

namespace detail {

struct rms_norm_rule {
    static constexpr graph::kind kind = graph::kind::rms_norm, backward_kind = graph::kind::rms_norm_backward;
    static constexpr int statistics = 1;
    static constexpr auto backward_workspace = &kernel::rms_norm_backward_workspace;
    template <class A, std::size_t Extent, class OperandAxes>
    using axis_missing = error::rms_norm_axis_not_in_operand<A, Extent, OperandAxes>;
    template <class NormalisedAxes, class WeightAxes>
    using weight_differs = error::rms_norm_weight_axes_differ<NormalisedAxes, WeightAxes>;
};
template <class... K>
using rms_norm_function = normalization_function<rms_norm_rule, K...>;

}  // namespace detail

/// y = x / sqrt(mean(x^2) + eps) * weight, the mean over the axes `K...`. eps is 1e-5 unless given.
/// Zhang, Sennrich: Root Mean Square Layer Normalization (2019), eq. (4).
template <class... K, Operand X, class... W>
requires(Operand<W> && ...)
constexpr auto rms_norm(X&& x, W&&... weight) {
    return detail::apply(detail::rms_norm_function<K...>{}, std::forward<X>(x), std::forward<W>(weight)...);
}
template <class... K, Operand X, Operand W>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto rms_norm(X&& x, W&& weight, double eps) {
    return detail::apply(detail::rms_norm_function<K...>{eps}, x, weight);
}

}  // namespace tenet
