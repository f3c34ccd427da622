// SPDX-License-Identifier: MIT
// op: between element types; values that gradients stop at; intermediate values with a name.
#pragma once

#include <tenet/base/fixed_string.hpp>
#include <tenet/graph/rearrange.hpp>
#include <tenet/op/comparison.hpp>

namespace tenet {
namespace op {

struct truncate_op {
    static constexpr std::string_view name = "truncate";
    static constexpr bool zero_gradient = true;
    template <class B>
    static B forward(B x) {
        return simd::trunc(x);
    }
};
struct stop_gradient_op {
    static constexpr std::string_view name = "stop_gradient";
    static constexpr bool zero_gradient = true;
    static constexpr double flops = 0;
    template <class B>
    static B forward(B x) {
        return x;
    }
};

}  // namespace op

namespace detail {

template <dtype To>
struct cast_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (T == To) {
            return x;
        } else if constexpr (To == dtype::real) {
            const graph::axis_list axes = x.value().axes();
            return symbol<To, L>(graph::elementwise(graph::info_of<graph::detail::identity_op>, {x.value()}, &axes));
        } else if constexpr (To == dtype::boolean) {
            return symbol<To, L>(
                graph::elementwise(graph::info_of<op::not_equal_op>, {x.value(), graph::constant(x.graph(), 0)}));
        } else {
            graph::builder& g = x.graph();
            graph::node n;
            n.op = graph::kind::elementwise;
            n.function = &graph::info_of<op::truncate_op>;
            n.zero_gradient = true;
            n.type = To;
            n.axes = x.value().axes();
            n.add_input(x.id());
            return symbol<To, L>(graph::value(g, g.emit(n)));
        }
    }
};

template <fixed_string Name>
inline constexpr fixed_string tap_name = Name;

template <fixed_string Name>
struct tap_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        graph::builder& g = x.graph();
        graph::value v = x.value();
        const graph::kind k = v.get().op;
        const bool named = !v.get().tap.empty();
        if (named || k != graph::kind::elementwise) v = graph::own_copy(v);
        g.at(v.id()).tap = tap_name<Name>.view();
        return symbol<T, L>(v);
    }
};

}  // namespace detail

/// `x` as another element type: `cast<dtype::real>(tokens)`, `cast<dtype::int32>(x)` (towards zero),
/// `cast<dtype::boolean>(x)` (not zero). Gradients pass between real types only. PyTorch: Tensor.to.
template <dtype To, Operand X>
constexpr auto cast(X&& x) {
    return detail::apply(detail::cast_function<To>{}, std::forward<X>(x));
}

/// y = x, with dx = 0: what led to `x` has no backward through this use. PyTorch: Tensor.detach.
template <Operand X>
constexpr auto stop_gradient(X&& x) {
    return elementwise<op::stop_gradient_op>(std::forward<X>(x));
}

/// y = x, kept under a name that can be read after a step: `step.tap<"attention">()`. Model code is constexpr and
/// cannot print; this is how to look inside. Costs the memory of the value, in a stack one slot a layer.
template <fixed_string Name, Operand X>
constexpr auto tap(X&& x) {
    return detail::apply(detail::tap_function<Name>{}, std::forward<X>(x));
}

}  // namespace tenet
