// SPDX-License-Identifier: MIT
// nn: layers over one axis are written layer_norm<Embed>, over several layer_norm<axes<Heads, HeadDim>>.
#pragma once

#include <tenet/op/layer_norm.hpp>
#include <tenet/op/parameter.hpp>
#include <tenet/op/rms_norm.hpp>

namespace tenet::nn::detail {

template <class A>
struct axes_argument {
    using parameter_type = parameter<A>;
    using layer_norm_function = tenet::detail::layer_norm_function<A>;
    using rms_norm_function = tenet::detail::rms_norm_function<A>;
};
template <class... A>
struct axes_argument<axes<A...>> {
    using parameter_type = parameter<A...>;
    using layer_norm_function = tenet::detail::layer_norm_function<A...>;
    using rms_norm_function = tenet::detail::rms_norm_function<A...>;
};

}  // namespace tenet::nn::detail
