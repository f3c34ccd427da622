// SPDX-License-Identifier: MIT
// program: what mixed precision rounds: operands of products and of attention, decided by capacities so that it is part
// of the type; and hence which values are stored rounded. A value that nobody reads but to round it may as well be
// written rounded: the results keep their bits, and the arena gets smaller.
#pragma once

#include <bit>
#include <cstdint>

#include <tenet/graph/contraction.hpp>
#include <tenet/graph/dequantize.hpp>
#include <tenet/graph/fuse.hpp>
#include <tenet/graph/plan.hpp>
#include <tenet/graph/prune.hpp>
#include <tenet/kernel/gemm_bf16.hpp>
#include <tenet/program/precision.hpp>

namespace tenet::detail {

/// Whether the product of node `id` rounds its operands. Small and narrow products would spend their time on it.
template <class Graph>
constexpr bool rounds_operands(Graph const& graph, int id) {
    graph::node const& n = graph.at(id);
    graph::node const &a = graph.at(n.input[0]), &b = graph.at(n.input[1]);
    const graph::contraction_plan plan = graph::plan_contraction(graph, a, b, n);
    return graph::storage_format(a) == storage::plain && graph::storage_format(b) == storage::plain &&
           is_worth_rounding(graph.capacity(plan.rows), graph.capacity(plan.columns), graph.capacity(plan.inner));
}

/// Whether attention or its backward, node `id`, rounds the operands of its products.
template <class Graph>
constexpr bool rounds_attention(Graph const& graph, int id) {
    graph::node const& n = graph.at(id);
    return is_worth_rounding(graph.capacity(n.over[0]), graph.capacity(n.over[1]), graph.capacity(n.over[2]));
}

/// Whether multiplying by `x` and rounding may change places: x is a power of two.
constexpr bool keeps_digits(float x) {
    return (std::bit_cast<std::uint32_t>(x) & 0x7fffffu) == 0 && x > 1e-30f;
}

/// Which values of a fused graph are stored in bfloat16, by node; aliases and views as what they look into.
class rounded_values {
public:
    constexpr rounded_values(graph::builder const& graph, graph::fusion const& groups)
        : graph_(graph), groups_(groups), stored_(graph.nodes.size(), 0), rounds_(graph.nodes.size(), 0) {}

    constexpr list<char> find() {
        const int count = static_cast<int>(graph_.nodes.size());
        for (int i = 0; i < count; ++i) {
            graph::node const& n = graph_.at(i);
            if (n.op == kind::dot) rounds_[at(i)] = rounds_operands(graph_, i);
            if (n.op == kind::attention || n.op == kind::attention_backward)
                rounds_[at(i)] = rounds_attention(graph_, i);
            stored_[at(i)] = is_written_rounded(i);
        }
        // What somebody else needs to have whole: whoever hands it on, and readers that do not round.
        for (int id : graph_.outputs) keep_whole(id);
        for (graph::carry const& c : graph_.carries)
            for (int id : {c.init, c.in, c.out, c.result}) keep_whole(id);
        for (int i = 0; i < count; ++i) {
            graph::node const& n = graph_.at(i);
            if (!n.tap.empty()) keep_whole(i);
            if (!graph::detail::owns_memory(n.op) && n.op != kind::sink) continue;
            for (int k = 0; k < n.input_count; ++k) {
                const bool in_register =
                    groups_.group[at(i)] >= 0 && groups_.group[at(n.input[k])] == groups_.group[at(i)];
                if (!in_register && !reads_rounded(i, k)) keep_whole(n.input[k]);
            }
        }
        while (keep_whole_beside_whole()) {
        }
        for (int i = 0; i < count; ++i) {
            graph::node const& n = graph_.at(i);
            if (n.op == kind::alias || n.op == kind::view) stored_[at(i)] = stored_[at(n.input[0])];
        }
        return stored_;
    }

private:
    using kind = graph::kind;
    graph::builder const& graph_;
    graph::fusion const& groups_;
    list<char> stored_, rounds_;

    static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

    constexpr void keep_whole(int id) { stored_[at(graph::storage_of(graph_, id))] = 0; }

    // Queries, keys and values have one type. Returns whether one had not.
    constexpr bool keep_whole_beside_whole() {
        bool changed = false;
        for (graph::node const& n : graph_.nodes) {
            if (n.op != kind::attention && n.op != kind::attention_backward) continue;
            int stored = 0;
            for (int k = 0; k < 3; ++k) stored += stored_[at(graph::storage_of(graph_, n.input[k]))];
            if (stored == 0 || stored == 3) continue;
            for (int k = 0; k < 3; ++k) keep_whole(n.input[k]);
            changed = true;
        }
        return changed;
    }

    // Whether there is a kernel that writes node `id` rounded.
    constexpr bool is_written_rounded(int id) const {
        graph::node const& n = graph_.at(id);
        if (n.type != dtype::real) return false;
        switch (n.op) {
        case kind::layer_norm:
        case kind::rms_norm: return true;
        case kind::cross_entropy_backward: return !ends_with(n.input[0], id);  // else it takes the logits' place
        case kind::dot: return groups_.group[at(id)] < 0 && is_product_written_rounded(id);
        case kind::elementwise: {
            list<int> const& members = groups_.members[at(groups_.group[at(id)])];
            if (graph_.at(members[0]).op != kind::dot) return true;
            return id == members.back() && is_product_written_rounded(members[0]);
        }
        default: return false;
        }
    }
    // Whether node `reader` is the last one that needs the value of `id`.
    constexpr bool ends_with(int id, int reader) const {
        const int root = graph::storage_of(graph_, id);
        for (int o : graph_.outputs)
            if (graph::storage_of(graph_, o) == root) return false;
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            graph::node const& n = graph_.nodes[i];
            if (!n.tap.empty() && graph::storage_of(graph_, static_cast<int>(i)) == root) return false;
            for (int k = 0; static_cast<int>(i) > reader && k < n.input_count; ++k)
                if (graph::storage_of(graph_, n.input[k]) == root) return false;
        }
        return true;
    }
    constexpr bool is_product_written_rounded(int id) const {
        graph::node const& n = graph_.at(id);
        const graph::contraction_plan plan =
            graph::plan_contraction(graph_, graph_.at(n.input[0]), graph_.at(n.input[1]), n);
        return rounds_[at(id)] != 0 && graph_.capacity(plan.inner) <= kernel::gemm_bf16_most_rounded_k;
    }

    // Whether node `id` takes operand `k` rounded, with the same results as if it did the rounding.
    constexpr bool reads_rounded(int id, int k) const {
        graph::node const& n = graph_.at(id);
        if (n.op == kind::dot) return rounds_[at(id)] != 0;
        // Attention multiplies queries by its scale first, and computes a single one in float.
        if (n.op == kind::attention || n.op == kind::attention_backward)
            return rounds_[at(id)] != 0 && graph_.is_static(n.over[0]) &&
                   (k == 1 || k == 2 || (k == 0 && keeps_digits(static_cast<float>(n.number[0]))));
        return false;
    }
};

}  // namespace tenet::detail
