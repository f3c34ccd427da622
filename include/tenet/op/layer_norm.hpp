// SPDX-License-Identifier: MIT
// op: layer normalisation over one or more axes.
#pragma once

#include <tenet/kernel/layer_norm.hpp>
#include <tenet/op/normalization.hpp>

namespace tenet {
namespace error {
template <class A, std::size_t Extent, class OperandAxes>
struct layer_norm_axis_not_in_operand;
/// layer_norm<A...>(x, weight, bias): the weight or bias has other axes than A.
template <class NormalisedAxes, class WeightAxes>
struct layer_norm_weight_axes_differ;
}  // namespace error

namespace detail {

struct layer_norm_rule {
    static constexpr graph::kind kind = graph::kind::layer_norm, backward_kind = graph::kind::layer_norm_backward;
    static constexpr int statistics = 2;
    static constexpr auto backward_workspace = &kernel::layer_norm_backward_workspace;
    template <class A, std::size_t Extent, class OperandAxes>
    using axis_missing = error::layer_norm_axis_not_in_operand<A, Extent, OperandAxes>;
    template <class NormalisedAxes, class WeightAxes>
    using weight_differs = error::layer_norm_weight_axes_differ<NormalisedAxes, WeightAxes>;
};
template <class... K>
using layer_norm_function = normalization_function<layer_norm_rule, K...>;

}  // namespace detail

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, mean and (biased) variance over the axes `K...`; weight and
/// bias, if given, have exactly the axes K. eps is 1e-5 unless given (inside programs only).
/// Ba, Kiros, Hinton: Layer Normalization (2016). PyTorch: torch.nn.functional.layer_norm.
template <class... K, Operand X, class... W>
requires(Operand<W> && ...)
constexpr auto layer_norm(X&& x, W&&... affine) {
    return detail::apply(detail::layer_norm_function<K...>{}, std::forward<X>(x), std::forward<W>(affine)...);
}
template <class... K, Operand X, Operand W, Operand B>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto layer_norm(X&& x, W&& weight, B&& bias, double eps) {
    return detail::apply(detail::layer_norm_function<K...>{eps}, x, weight, bias);
}

}  // namespace tenet
