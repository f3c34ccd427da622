// SPDX-License-Identifier: MIT
// op: rename, split, merge, select, slice, pad, arrange: what changes the axes and not the numbers.
#pragma once

#include <tenet/graph/rearrange.hpp>
#include <tenet/op/apply.hpp>
#include <tenet/shape/rearrange.hpp>

namespace tenet {
namespace detail {

template <class From, class To>
struct rename_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!shape::contains<From, L>)
            return broken_rule<error::rename_axis_not_in_operand<From, From::capacity, L>>{};
        else if constexpr (shape::contains<To, L>)
            return broken_rule<error::rename_axis_already_in_operand<To, To::capacity, L>>{};
        else if constexpr (!Renameable<From, To>)
            return broken_rule<error::rename_extent_differs<From, From::capacity, To, To::capacity>>{};
        else {
            graph::builder& g = x.graph();
            const int from = axis_id<From>(g), to = axis_id<To>(g);
            if constexpr (!From::is_static) {
                graph::extent_rule rule;
                rule.axis = to;
                rule.factors.push(from);
                g.rules.push_back(rule);
            }
            return symbol<T, shape::replace<L, From, axes<To>>>(graph::rename(x.value(), from, to));
        }
    }
};

template <class A, class... B>
struct split_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        using rest = shape::minus<L, axes<A>>;
        if constexpr (!shape::contains<A, L>) {
            return broken_rule<error::split_axis_not_in_operand<A, A::capacity, L>>{};
        } else if constexpr (!std::is_same_v<shape::intersection<axes<B...>, rest>, axes<>>) {
            using again = shape::first_missing<axes<B...>, shape::minus<axes<B...>, rest>>;
            return broken_rule<error::split_axis_already_in_operand<again, extent_of<again>(), L>>{};
        } else if constexpr (!A::is_static || !(B::is_static && ...)) {
            return broken_rule<error::axis_extent_not_static<A, A::capacity>>{};
        } else if constexpr (!Splittable<A, B...>) {
            return broken_rule<error::split_changes_element_count<A, A::capacity, axes<B...>, axes<B...>::capacity>>{};
        } else {
            using result = shape::replace<L, A, axes<B...>>;
            return symbol<T, result>(graph::reshape(x.value(), axis_ids<result>::in(x.graph())));
        }
    }
};

template <class New, class... A>
struct merge_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        using missing = shape::first_missing<axes<A...>, L>;
        if constexpr (!std::is_void_v<missing>) {
            return broken_rule<error::merge_axis_not_in_operand<missing, extent_of<missing>(), L>>{};
        } else if constexpr (shape::contains<New, shape::minus<L, axes<A...>>>) {
            return broken_rule<error::merge_axis_already_in_operand<New, New::capacity, L>>{};
        } else if constexpr (New::capacity != axes<A...>::capacity || New::is_static != axes<A...>::is_static) {
            return broken_rule<
                error::merge_changes_element_count<New, New::capacity, axes<A...>, axes<A...>::capacity>>{};
        } else {
            // The merged axes stand together, in the order given, where the first of them stood.
            using first = std::tuple_element_t<0, std::tuple<A...>>;
            using together = shape::replace<shape::minus<L, shape::minus<axes<A...>, axes<first>>>, first, axes<A...>>;
            using result = shape::replace<shape::minus<L, shape::minus<axes<A...>, axes<first>>>, first, axes<New>>;
            graph::builder& g = x.graph();
            if constexpr (!New::is_static) {
                graph::extent_rule rule;
                rule.axis = axis_id<New>(g);
                rule.factors = axis_ids<axes<A...>>::in(g);
                g.rules.push_back(rule);
            }
            const graph::value ordered = graph::arrange(x.value(), axis_ids<together>::in(g));
            return symbol<T, result>(graph::reshape(ordered, axis_ids<result>::in(g)));
        }
    }
};

template <class A, std::size_t Index>
struct select_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!shape::contains<A, L>)
            return broken_rule<error::select_axis_not_in_operand<A, A::capacity, L>>{};
        else if constexpr (!A::is_static) return broken_rule<error::axis_extent_not_static<A, A::capacity>>{};
        else if constexpr (Index >= A::capacity)
            return broken_rule<error::select_index_out_of_range<A, A::capacity, Index>>{};
        else
            return symbol<T, shape::minus<L, axes<A>>>(
                graph::select(x.value(), axis_id<A>(x.graph()), static_cast<int>(Index)));
    }
};

template <class A, class B, std::size_t Start>
struct slice_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!shape::contains<A, L>) return broken_rule<error::slice_axis_not_in_operand<A, A::capacity, L>>{};
        else if constexpr (shape::contains<B, L>)
            return broken_rule<error::slice_axis_already_in_operand<B, B::capacity, L>>{};
        else if constexpr (!A::is_static || !B::is_static)
            return broken_rule<error::axis_extent_not_static<A, A::capacity>>{};
        else if constexpr (Start + B::capacity > A::capacity)
            return broken_rule<error::slice_out_of_range<A, A::capacity, B, Start, B::capacity>>{};
        else
            return symbol<T, shape::replace<L, A, axes<B>>>(
                graph::slice(x.value(), axis_id<A>(x.graph()), axis_id<B>(x.graph()), static_cast<int>(Start)));
    }
};

template <class A, class B, std::size_t Before>
struct pad_function {
    double fill = 0;
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!shape::contains<A, L>) return broken_rule<error::pad_axis_not_in_operand<A, A::capacity, L>>{};
        else if constexpr (shape::contains<B, L>)
            return broken_rule<error::pad_axis_already_in_operand<B, B::capacity, L>>{};
        else if constexpr (!A::is_static || !B::is_static)
            return broken_rule<error::axis_extent_not_static<A, A::capacity>>{};
        else if constexpr (Before + A::capacity > B::capacity)
            return broken_rule<error::pad_does_not_fit<A, A::capacity, B, B::capacity, Before>>{};
        else
            return symbol<T, shape::replace<L, A, axes<B>>>(
                graph::pad(x.value(), axis_id<A>(x.graph()), axis_id<B>(x.graph()), static_cast<int>(Before), fill));
    }
};

template <class... A>
struct arrange_function {
    template <dtype T, class L>
    constexpr auto operator()(symbol<T, L> x) const {
        if constexpr (!shape::same_set<L, axes<A...>> || axes<A...>::rank != L::rank)
            return broken_rule<error::arrange_axes_differ<axes<A...>, L>>{};
        else
            return symbol<T, axes<A...>>(
                graph::arrange(graph::in_memory(x.value()), axis_ids<axes<A...>>::in(x.graph())));
    }
};

}  // namespace detail

/// `x` with the axis `From` called `To`, of the same extent; no copy. A tensor cannot have an axis twice, so this is
/// how a tensor meets itself: `dot<Embed>(x, rename<Time, Keys>(x))`. PyTorch (named tensors): Tensor.rename.
template <class From, class To, Operand X>
constexpr auto rename(X&& x) {
    return detail::apply(detail::rename_function<From, To>{}, std::forward<X>(x));
}

/// `x` with the axis `A` split into `B...`, outermost first; the extents multiply to that of `A`; no copy.
/// PyTorch: Tensor.unflatten.
template <class A, class... B, Operand X>
constexpr auto split(X&& x) {
    return detail::apply(detail::split_function<A, B...>{}, std::forward<X>(x));
}

/// `x` with the axes `A...` merged into `New`, outermost first; no copy if they stand side by side in this order.
/// PyTorch: Tensor.flatten.
template <class New, class... A, Operand X>
constexpr auto merge(X&& x) {
    return detail::apply(detail::merge_function<New, A...>{}, std::forward<X>(x));
}

/// `x` at position `Index` of the axis `A`, which vanishes; looks into x's memory. PyTorch: Tensor.select.
template <class A, std::size_t Index, Operand X>
constexpr auto select(X&& x) {
    return detail::apply(detail::select_function<A, Index>{}, std::forward<X>(x));
}

/// The part of `x` from position `Start` of the axis `A` on, as long as the axis `B`, which takes the place of `A`;
/// looks into x's memory. PyTorch: Tensor.narrow.
template <class A, class B, std::size_t Start, Operand X>
constexpr auto slice(X&& x) {
    return detail::apply(detail::slice_function<A, B, Start>{}, std::forward<X>(x));
}

/// `x` with the axis `A` made as long as `B`: `Before` elements of `fill` before, the rest after.
/// PyTorch: torch.nn.functional.pad.
template <class A, class B, std::size_t Before = 0, Operand X>
constexpr auto pad(X&& x) {
    return detail::apply(detail::pad_function<A, B, Before>{}, std::forward<X>(x));
}
/// The same with another filling than 0; inside programs only.
template <class A, class B, std::size_t Before = 0, Operand X>
requires(!detail::is_lazy<std::remove_cvref_t<X>>)
constexpr auto pad(X&& x, double fill) {
    return detail::apply(detail::pad_function<A, B, Before>{fill}, std::forward<X>(x));
}

/// `x` with its axes in the order `A...`: the same values, another layout. Only interfaces need it: no operation
/// depends on the order of axes. PyTorch: Tensor.permute(...).contiguous().
template <class... A, Operand X>
constexpr auto arrange(X&& x) {
    return detail::apply(detail::arrange_function<A...>{}, std::forward<X>(x));
}

}  // namespace tenet
