// SPDX-License-Identifier: MIT
// program: what runs over rows: cross-entropy, normalisations, softmax and its like, reductions.
#pragma once

#include <cstring>
#include <string>

#include <tenet/kernel/argmax.hpp>
#include <tenet/kernel/cross_entropy.hpp>
#include <tenet/kernel/layer_norm.hpp>
#include <tenet/kernel/reduce.hpp>
#include <tenet/kernel/rms_norm.hpp>
#include <tenet/kernel/softmax.hpp>
#include <tenet/op/cross_entropy.hpp>
#include <tenet/program/node_access.hpp>

namespace tenet::detail {

template <class P, int Id>
void run_cross_entropy(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list row_axes = graph::minus(P::image.nodes[n.input[0]].axes, n.over);
    const auto rows = extent_of_list<P, row_axes>(c);
    const auto classes = extent_of_list<P, n.over>(c);
    constexpr bool all = n.integer[2] == 0;
    const std::size_t valid = all ? std::size_t{classes} : static_cast<std::size_t>(n.integer[2]);
    T const* const logits = address<P, n.input[0]>(c);
    std::int32_t const* const targets = address<P, n.input[1]>(c);
    constexpr auto mode = static_cast<reduction>(n.integer[1]);
    const T smoothing = static_cast<T>(n.number[0]);
    if constexpr (n.op == kind::cross_entropy) {
        T* const lse = result_address<P, Id, 1>(c);
        std::ptrdiff_t bad;
        if constexpr (mode == reduction::none)
            bad = kernel::cross_entropy_rows<T>(logits, targets, address<P, Id>(c), lse, rows, classes, valid,
                                                n.integer[0], smoothing);
        else
            bad = kernel::cross_entropy<T>(logits, targets, address<P, Id>(c), lse, result_address<P, Id, 2>(c), rows,
                                           classes, valid, n.integer[0], smoothing, mode == reduction::mean);
        if (bad >= 0) bad_index<P, Id>("cross_entropy target at position " + std::to_string(bad), targets[bad], valid);
    } else {
        T const* const lse = address<P, n.input[2]>(c);
        T const* const dloss = address<P, n.input[3]>(c);
        if constexpr (mode == reduction::none)
            kernel::cross_entropy_rows_backward<T>(logits, targets, lse, dloss, address<P, Id>(c), rows, classes, valid,
                                                   n.integer[0], smoothing);
        else
            kernel::cross_entropy_backward<T>(logits, targets, lse, dloss, address<P, Id>(c), rows, classes, valid,
                                              n.integer[0], smoothing, mode == reduction::mean);
    }
}

template <class P, int Id>
void run_norm(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list row_axes = graph::minus(n.axes, n.over);
    const auto rows = extent_of_list<P, row_axes>(c);
    const auto length = extent_of_list<P, n.over>(c);
    const T eps = static_cast<T>(n.number[0]);
    auto* const y = address<P, Id>(c);
    const auto at = [&](auto k) -> T const* {
        if constexpr (static_cast<int>(k.value) < n.input_count) return address<P, n.input[k.value]>(c);
        else return nullptr;
    };
    if constexpr (n.op == kind::layer_norm)
        kernel::layer_norm<T>(at(constant<0>{}), at(constant<1>{}), at(constant<2>{}), y, result_address<P, Id, 1>(c),
                              result_address<P, Id, 2>(c), rows, length, eps);
    else if constexpr (n.op == kind::rms_norm)
        kernel::rms_norm<T>(at(constant<0>{}), at(constant<1>{}), y, result_address<P, Id, 1>(c), rows, length, eps);
    else if constexpr (n.op == kind::layer_norm_backward) {
        if constexpr (result_of<P, Id>(1) < 0 && result_of<P, Id>(2) < 0)
            kernel::layer_norm_input_backward<T>(at(constant<0>{}), at(constant<1>{}), at(constant<4>{}),
                                                 at(constant<2>{}), at(constant<3>{}), y, rows, length);
        else
            kernel::layer_norm_backward<T>(at(constant<0>{}), at(constant<1>{}), at(constant<4>{}), at(constant<2>{}),
                                           at(constant<3>{}), y, result_address<P, Id, 1>(c),
                                           result_address<P, Id, 2>(c), result_address<P, Id, 3>(c), rows, length);
    } else if constexpr (result_of<P, Id>(1) < 0) {
        kernel::rms_norm_input_backward<T>(at(constant<0>{}), at(constant<1>{}), at(constant<3>{}), at(constant<2>{}),
                                           y, rows, length);
    } else {
        kernel::rms_norm_backward<T>(at(constant<0>{}), at(constant<1>{}), at(constant<3>{}), at(constant<2>{}), y,
                                     result_address<P, Id, 1>(c), result_address<P, Id, 2>(c), rows, length);
    }
}

template <class P, int Id>
void run_rows(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr split_axes s = split_around(P::image.nodes[n.input[0]].axes, n.over);
    const auto pre = extent_of_list<P, s.before>(c);
    const auto length = extent_of_list<P, s.run>(c);
    const auto post = extent_of_list<P, s.after>(c);
    T const* const x = address<P, n.input[0]>(c);
    auto* const y = address<P, Id>(c);
    if constexpr (n.op == kind::reduce_sum)
        kernel::reduce<kernel::reduction::sum, T>(x, y, pre, length, post, accumulates<P, Id>(c));
    else if constexpr (n.op == kind::reduce_max) kernel::reduce<kernel::reduction::max, T>(x, y, pre, length, post);
    else if constexpr (n.op == kind::reduce_min) kernel::reduce<kernel::reduction::min, T>(x, y, pre, length, post);
    else if constexpr (n.op == kind::argmax) kernel::argmax<T>(x, y, pre, length, post);
    else if constexpr (n.op == kind::softmax) kernel::softmax<T>(x, y, pre, length, post);
    else if constexpr (n.op == kind::log_softmax) kernel::log_softmax<T>(x, y, pre, length, post);
    else if constexpr (n.op == kind::logsumexp) kernel::logsumexp<T>(x, y, pre, length, post);
    else {
        T const* const dy = address<P, n.input[1]>(c);
        if constexpr (n.op == kind::softmax_backward) kernel::softmax_backward<T>(x, dy, y, pre, length, post);
        else kernel::log_softmax_backward<T>(x, dy, y, pre, length, post);
    }
}

}  // namespace tenet::detail
