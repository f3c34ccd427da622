// SPDX-License-Identifier: MIT
// program: attention, with a cache or without, and rotary positions.
#pragma once

#include <utility>

#include <tenet/kernel/attention.hpp>
#include <tenet/kernel/attention_backward.hpp>
#include <tenet/kernel/attention_bf16_backward.hpp>
#include <tenet/kernel/attention_cached.hpp>
#include <tenet/kernel/rotary.hpp>
#include <tenet/program/node_access.hpp>

namespace tenet::detail {

template <class P, int Id, int Operand>
auto attention_at(run_context<P> const& c) {
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list all = P::image.nodes[Operand].axes;
    constexpr axis_list heads = graph::minus(graph::minus(all, n.over), n.physical);
    constexpr int time = all.contains(n.over[0]) ? n.over[0] : n.over[1];
    kernel::attention_strides s{c.stride(stride_of<P>(Operand, n.physical)), c.stride(stride_of<P>(Operand, time)),
                                c.stride(stride_of<P>(Operand, heads))};
    return std::pair{address<P, Operand>(c), s};
}

/// Whether attention or its backward, node `id`, rounds the operands of its products in program `P`.
template <class P>
constexpr bool rounds_attention(int id) {
    return mixes_precision<P> && rounds_attention(P::image, id);
}

template <class P, int Id>
void run_attention_node(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    using kernel::attention_operand;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr bool backward = n.op == kind::attention_backward;
    constexpr int Q = n.input[0], K = n.input[1], V = n.input[2];
    constexpr axis_list heads = graph::minus(graph::minus(P::image.nodes[Q].axes, n.over), n.physical);
    constexpr axis_list query = [&] {
        axis_list l;
        l.push(n.over[0]);
        return l;
    }();
    constexpr axis_list key = [&] {
        axis_list l;
        l.push(n.over[1]);
        return l;
    }();
    constexpr axis_list depth = [&] {
        axis_list l;
        l.push(n.over[2]);
        return l;
    }();
    constexpr axis_list group = graph::minus(heads, P::image.nodes[K].axes);
    const auto B = extent_of_list<P, n.physical>(c);
    const auto H = extent_of_list<P, heads>(c);
    const std::size_t shared = extent_of_list<P, group>(c);
    const auto Tq = extent_of_list<P, query>(c);
    const auto S = extent_of_list<P, key>(c);
    const auto D = extent_of_list<P, depth>(c);
    const auto [qp, qs] = attention_at<P, Id, Q>(c);
    const auto [kp, ks] = attention_at<P, Id, K>(c);
    const auto [vp, vs] = attention_at<P, Id, V>(c);
    using operand = element_of<P, Q>;  // rounded_values has all three of one type
    const attention_operand<operand const> q{qp, qs}, k{kp, ks}, v{vp, vs};
    std::int32_t const* lengths = nullptr;
    constexpr int length_input = backward ? 6 : 3;
    if constexpr (n.input_count > length_input) lengths = address<P, n.input[length_input]>(c);
    constexpr auto mask = n.integer[0] != 0 ? kernel::attention_mask::causal : kernel::attention_mask::none;
    const T scale = static_cast<T>(n.number[0]);
    constexpr std::size_t most_keys = P::image.capacity(n.over[1]);
    if constexpr (!backward) {
        const auto [op, os] = attention_at<P, Id, Id>(c);
        const attention_operand<T> out{op, os};
        T* const saved = result_address<P, Id, 1>(c);
        if constexpr (rounds_attention<P>(Id))
            kernel::attention_bf16<mask, operand>(B, Tq, S, H, D, q, k, v, out, saved, scale, lengths, most_keys,
                                                  shared);
        else kernel::attention<mask, T>(B, Tq, S, H, D, q, k, v, out, saved, scale, lengths, most_keys, shared);
    } else {
        constexpr int Out = n.input[3], Dout = n.input[4], Saved = n.input[5];
        const auto [op, os] = attention_at<P, Id, Out>(c);
        const auto [gp, gs] = attention_at<P, Id, Dout>(c);
        attention_operand<T> dq, dk, dv;
        if constexpr (n.integer[2] != 0) {
            // The gradient is packed like the operand: the same strides, other starts.
            T* const packed = address<P, Id>(c);
            dq = {packed + start_offset<P, Q>(c), qs};
            dk = {packed + start_offset<P, K>(c), ks};
            dv = {packed + start_offset<P, V>(c), vs};
        } else {
            constexpr int Dk = result_of<P, Id>(1), Dv = result_of<P, Id>(2);
            const auto [a, as] = attention_at<P, Id, Id>(c);
            const auto [b, bs] = attention_at<P, Id, Dk>(c);
            const auto [d, ds] = attention_at<P, Id, Dv>(c);
            dq = {a, as};
            dk = {b, bs};
            dv = {d, ds};
        }
        if constexpr (rounds_attention<P>(Id))
            kernel::attention_backward_bf16<mask, operand>(B, Tq, S, H, D, q, k, v, {op, os}, {gp, gs}, dq, dk, dv,
                                                           address<P, Saved>(c), scale, lengths, most_keys, shared);
        else
            kernel::attention_backward<mask, T>(B, Tq, S, H, D, q, k, v, {op, os}, {gp, gs}, dq, dk, dv,
                                                address<P, Saved>(c), nullptr, scale, lengths, most_keys, shared);
    }
}

template <class P, int Id>
void run_cached_attention(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list heads = graph::minus(graph::minus(n.axes, n.over), n.physical);
    constexpr axis_list group = graph::minus(heads, P::image.nodes[n.input[3]].axes);
    const auto at = [&](auto k) {
        const auto [data, strides] = attention_at<P, Id, n.input[k.value]>(c);
        return kernel::attention_operand<T>{data, strides};
    };
    const auto [op, os] = attention_at<P, Id, Id>(c);
    std::int32_t const* count = nullptr;
    if constexpr (n.input_count > 6) count = address<P, n.input[6]>(c);
    kernel::cached_attention<T>(
        {extent_of_list<P, n.physical>(c), c.extents[static_cast<std::size_t>(n.over[0])], P::image.capacity(n.over[1]),
         extent_of_list<P, heads>(c), P::image.capacity(n.over[2]), extent_of_list<P, group>(c)},
        {at(constant<0>{}), at(constant<1>{}), at(constant<2>{}), at(constant<3>{}), at(constant<4>{}), {op, os}},
        address<P, n.input[5]>(c), count, static_cast<T>(n.number[0]));
}

template <class P, int Id>
void run_rotary(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list rest = graph::minus(graph::minus(n.axes, n.over), n.physical);
    kernel::rotary<static_cast<kernel::rotary_pairs>(n.integer[0]), T>(
        address<P, n.input[0]>(c), address<P, n.input[1]>(c), address<P, Id>(c), extent_of_list<P, n.physical>(c),
        extent_of_list<P, rest>(c), extent_of_list<P, n.over>(c), n.number[0], n.integer[1] != 0);
}

}  // namespace tenet::detail
