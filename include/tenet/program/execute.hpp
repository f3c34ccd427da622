// SPDX-License-Identifier: MIT
// program: one node of the plan as one direct call of a kernel, with the node's constants.
#pragma once

#include <tenet/program/execute_attention.hpp>
#include <tenet/program/execute_move.hpp>
#include <tenet/program/execute_product.hpp>
#include <tenet/program/execute_rows.hpp>
#include <tenet/program/group.hpp>

namespace tenet::detail {

template <class P, int Id>
void run_custom(run_context<P> const& c) {
    constexpr graph::node n = P::image.nodes[Id];
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        void const* const operands[] = {address<P, n.input[I]>(c)...};
        static constexpr axis_list operand_axes[] = {P::image.nodes[n.input[I]].axes...};
        static constexpr axis_list result_axes = n.axes;
        const graph::custom_arguments arguments{operands, address<P, Id>(c), c.extents.data()};
        constexpr graph::custom_info const* code = codes_of<typename P::spec>[static_cast<std::size_t>(Id)].primitive;
        constexpr auto call = std::is_same_v<typename P::spec::real_type, float> ? code->f32 : code->f64;
        call(arguments, operand_axes, result_axes);
    }(std::make_index_sequence<n.input_count>{});
}

/// Runs node `Id` of the plan.
template <class P, int Id>
TENET_INLINE void run_node(run_context<P> const& c) {
    constexpr graph::node n = P::image.nodes[Id];
    if constexpr (n.op == kind::dot) run_product<P, Id, Id>(c, {});
    else if constexpr (n.op == kind::attention || n.op == kind::attention_backward) run_attention_node<P, Id>(c);
    else if constexpr (n.op == kind::cross_entropy || n.op == kind::cross_entropy_backward) run_cross_entropy<P, Id>(c);
    else if constexpr (n.op == kind::cached_attention) run_cached_attention<P, Id>(c);
    else if constexpr (n.op == kind::rotary) run_rotary<P, Id>(c);
    else if constexpr (n.op == kind::dequantize) run_dequantize<P, Id>(c);
    else if constexpr (n.op == kind::gather_rows || n.op == kind::scatter_add_rows) run_gather<P, Id>(c);
    else if constexpr (n.op == kind::layer_norm || n.op == kind::layer_norm_backward || n.op == kind::rms_norm ||
                       n.op == kind::rms_norm_backward)
        run_norm<P, Id>(c);
    else if constexpr (n.op == kind::copy)
        copy_by_axes<P, n.input[0], Id, element_of<P, Id>>(c, address<P, n.input[0]>(c), address<P, Id>(c),
                                                           own_strides<P, Id>(c), false);
    else if constexpr (n.op == kind::pad) run_pad<P, Id>(c);
    else if constexpr (n.op == kind::concat) run_concat<P, Id>(c);
    else if constexpr (n.op == kind::sink) {
        if constexpr (P::image.skipped[Id] == 0) run_sink<P, Id>(c);
    } else if constexpr (n.op == kind::custom) {
        run_custom<P, Id>(c);
    } else {
        run_rows<P, Id>(c);
    }
}

}  // namespace tenet::detail
