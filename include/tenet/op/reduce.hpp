// SPDX-License-Identifier: MIT
// op: reductions over any set of axes, by name; over all axes when none is named.
#pragma once

#include <tenet/graph/rearrange.hpp>
#include <tenet/op/arithmetic.hpp>
#include <tenet/op/comparison.hpp>
#include <tenet/op/exponential.hpp>
#include <tenet/shape/reduction.hpp>

namespace tenet {
namespace error {
template <class A, std::size_t Extent, class OperandAxes>
struct sum_axis_not_in_operand;
template <class A, std::size_t Extent>
struct sum_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct mean_axis_not_in_operand;
template <class A, std::size_t Extent>
struct mean_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct max_axis_not_in_operand;
template <class A, std::size_t Extent>
struct max_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct min_axis_not_in_operand;
template <class A, std::size_t Extent>
struct min_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct variance_axis_not_in_operand;
template <class A, std::size_t Extent>
struct variance_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct norm_axis_not_in_operand;
template <class A, std::size_t Extent>
struct norm_axis_repeated;
template <class A, std::size_t Extent, class OperandAxes>
struct argmax_axis_not_in_operand;
/// `Operation` needs real numbers: `cast<dtype::real>(x)` makes them.
template <class Operation, dtype Found>
struct reduction_needs_a_real_operand;
}  // namespace error

namespace op {
// sqrt whose gradient is 0 at 0: the norm of a zero vector has the subgradient 0.
struct norm_root_op {
    static constexpr std::string_view name = "norm_root";
    static constexpr double flops = 4;
    template <class B>
    static B forward(B x) {
        return simd::sqrt(x);
    }
    static constexpr graph::value pullback(graph::value dy, graph::value y, graph::value) {
        // Dividing by 1 there keeps second derivatives finite too.
        const graph::value zero = graph::constant(dy.graph(), 0), one = graph::constant(dy.graph(), 1);
        const graph::value none = graph::equal(y, zero);
        const graph::value divisor = graph::elementwise(graph::info_of<where_op>, {none, one, y});
        return graph::elementwise(graph::info_of<where_op>, {none, zero, dy * 0.5 / divisor});
    }
};
}  // namespace op

namespace detail {

/// Checks the axes of an operation over `K...` and goes on with `f(value, axis list)`, giving the axes `Result`.
template <template <class, std::size_t, class> class NotThere, template <class, std::size_t> class Repeated, class F,
          class... K>
struct reduction_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        using missing = shape::first_missing<axes<K...>, L>;
        using repeated = shape::first_repeated<axes<K...>>;
        if constexpr (!is_number_like(T)) {
            return broken_rule<error::reduction_needs_a_real_operand<F, T>>{};
        } else if constexpr (!std::is_void_v<missing>) {
            return broken_rule<NotThere<missing, extent_of<missing>(), L>>{};
        } else if constexpr (!std::is_void_v<repeated>) {
            return broken_rule<Repeated<repeated, extent_of<repeated>()>>{};
        } else {
            using over = std::conditional_t<sizeof...(K) == 0, L, axes<K...>>;
            const graph::axis_list list = axis_ids<over>::in(x.graph());
            return symbol<dtype::real, shape::minus<L, over>>(F::emit(x.value(), list));
        }
    }
};

struct sum_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        return graph::reduce_sum(graph::in_memory(x), over);
    }
};
struct mean_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        return sum_rule::emit(x, over) * graph::inverse_count(x.graph(), over);
    }
};
struct max_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        return graph::reduce_max(graph::in_memory(x), over);
    }
};
struct min_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        return graph::reduce_min(graph::in_memory(x), over);
    }
};
// The mean of the squared distance from the mean: two passes, exact where one pass would cancel.
struct variance_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        const graph::value centred = x - mean_rule::emit(x, over);
        return mean_rule::emit(centred * centred, over);
    }
};
struct norm_rule {
    static constexpr graph::value emit(graph::value x, graph::axis_list const& over) {
        return graph::elementwise(graph::info_of<op::norm_root_op>, {sum_rule::emit(x * x, over)});
    }
};

template <class A>
struct argmax_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!is_number_like(T)) {
            return broken_rule<error::reduction_needs_a_real_operand<argmax_function, T>>{};
        } else if constexpr (!shape::contains<A, L>) {
            return broken_rule<error::argmax_axis_not_in_operand<A, A::capacity, L>>{};
        } else {
            graph::builder& g = x.graph();
            graph::node n;
            n.op = graph::kind::argmax;
            n.type = dtype::int32;
            n.zero_gradient = true;
            n.over.push(axis_id<A>(g));
            n.axes = axis_ids<shape::minus<L, axes<A>>>::in(g);
            n.add_input(graph::dense(graph::in_memory(graph::as_real(x.value()))).id());
            return symbol<dtype::int32, shape::minus<L, axes<A>>>(graph::value(g, g.emit(n)));
        }
    }
};

}  // namespace detail

/// y = sum of x over the axes `K...` (all if none is named). dx = dy, repeated. PyTorch: torch.sum.
template <class... K, Operand X>
constexpr auto sum(X&& x) {
    return detail::apply(
        detail::reduction_function<error::sum_axis_not_in_operand, error::sum_axis_repeated, detail::sum_rule, K...>{},
        std::forward<X>(x));
}

/// y = mean of x over the axes `K...`, counting run-time extents. dx = dy / n. PyTorch: torch.mean.
template <class... K, Operand X>
constexpr auto mean(X&& x) {
    return detail::apply(detail::reduction_function<error::mean_axis_not_in_operand, error::mean_axis_repeated,
                                                    detail::mean_rule, K...>{},
                         std::forward<X>(x));
}

/// y = greatest element over the axes `K...`; equal maxima share the gradient evenly. PyTorch: torch.amax.
template <class... K, Operand X>
constexpr auto max(X&& x) {
    return detail::apply(
        detail::reduction_function<error::max_axis_not_in_operand, error::max_axis_repeated, detail::max_rule, K...>{},
        std::forward<X>(x));
}

/// y = least element over the axes `K...`; equal minima share the gradient evenly. PyTorch: torch.amin.
template <class... K, Operand X>
constexpr auto min(X&& x) {
    return detail::apply(
        detail::reduction_function<error::min_axis_not_in_operand, error::min_axis_repeated, detail::min_rule, K...>{},
        std::forward<X>(x));
}

/// y = mean of (x - mean(x))^2 over the axes `K...`: the population variance. PyTorch: torch.var(correction=0).
template <class... K, Operand X>
constexpr auto variance(X&& x) {
    return detail::apply(detail::reduction_function<error::variance_axis_not_in_operand, error::variance_axis_repeated,
                                                    detail::variance_rule, K...>{},
                         std::forward<X>(x));
}

/// y = sqrt(sum of x^2) over the axes `K...`; the gradient at a zero vector is 0. PyTorch: torch.linalg.vector_norm.
template <class... K, Operand X>
constexpr auto norm(X&& x) {
    return detail::apply(detail::reduction_function<error::norm_axis_not_in_operand, error::norm_axis_repeated,
                                                    detail::norm_rule, K...>{},
                         std::forward<X>(x));
}

/// y = position of the greatest element along `A`, as int32; the first one if several are equal. No gradient.
/// PyTorch: torch.argmax.
template <class A, Operand X>
constexpr auto argmax(X&& x) {
    return detail::apply(detail::argmax_function<A>{}, std::forward<X>(x));
}

}  // namespace tenet
