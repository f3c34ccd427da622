// SPDX-License-Identifier: MIT
// program: the loop after a matrix product, as the product's epilogue: a bias, an activation and a residual are applied
// while the sums are in registers, and the product itself has no memory. A product becomes the first member of the
// group of element-wise nodes that it belongs to, and runs where the group stands.
#pragma once

#include <tenet/graph/contraction.hpp>
#include <tenet/graph/fuse.hpp>
#include <tenet/kernel/epilogue.hpp>
#include <tenet/op/activation.hpp>

namespace tenet::detail {

/// What follows a product in its group, by nodes; -1: nothing. `before` is the activation's operand.
struct product_epilogue {
    int product = -1, bias = -1, before = -1, residual = -1, last = -1;
    kernel::activation f = kernel::activation::none;
};

constexpr kernel::activation activation_of(graph::node const& n) {
    if (n.function == &graph::info_of<op::relu_op>) return kernel::activation::relu;
    if (n.function == &graph::info_of<op::gelu_op>) return kernel::activation::gelu;
    if (n.function == &graph::info_of<op::gelu_erf_op>) return kernel::activation::gelu_erf;
    if (n.function == &graph::info_of<op::silu_op>) return kernel::activation::silu;
    return kernel::activation::none;
}

/// A product's size from which an epilogue pays: smaller ones have code of their own.
inline constexpr std::size_t least_product = std::size_t{1} << 16;

/// Whether `n` has the axes and the memory layout of the dense tensor `like`.
template <class Graph>
constexpr bool lies_like(Graph const& graph, graph::node const& n, graph::node const& like) {
    return n.type == dtype::real && n.axes == like.axes && !graph::is_virtual(n.op) && graph::is_dense(graph, n) &&
           (n.packed || graph.is_static(n.axes));
}

/// The other operand of the addition `n`, or -1 if it is none or `of` is no operand.
constexpr int other_addend(graph::node const& n, int of) {
    if (n.function != &graph::info_of<graph::add_op>) return -1;
    return n.input[0] == of ? n.input[1] : n.input[1] == of ? n.input[0] : -1;
}

/// Reads the members of a group, the product first, as an epilogue; `last` is -1 if they are something else.
/// `read_outside(node)` says whether others need a member's value.
template <class Graph, class Members, class Outside>
constexpr product_epilogue match_epilogue(Graph const& graph, int product, Members const& members, std::size_t count,
                                          Outside const& read_outside) {
    product_epilogue e;
    graph::node const& p = graph.at(product);
    const graph::contraction_plan plan = graph::plan_contraction(graph, graph.at(p.input[0]), graph.at(p.input[1]), p);
    if (!plan.possible || plan.swapped || plan.columns.rank == 0) return e;
    // A loop over columns would have to move the bias along.
    for (int l = 0; l < plan.loop_count; ++l)
        for (int i = 0; i < plan.loops[l].rank; ++i)
            if (!graph.at(p.input[0]).axes.contains(plan.loops[l][i])) return e;
    if (graph.capacity(p.axes) * graph.capacity(plan.inner) < least_product) return e;

    int at = product;
    std::size_t k = 0;
    const auto next = [&]() -> graph::node const& { return graph.at(members[k]); };
    const auto take = [&] { at = members[k++]; };
    e.before = product;
    if (k < count) {
        const int bias = other_addend(next(), at);
        if (bias >= 0 && graph.at(bias).axes == plan.columns && graph.at(bias).type == dtype::real &&
            !graph::is_virtual(graph.at(bias).op) && graph::is_dense(graph, graph.at(bias)) && !read_outside(at)) {
            e.bias = bias;
            take();
            e.before = at;
        }
    }
    if (k < count && activation_of(next()) != kernel::activation::none && next().input[0] == at) {
        e.f = activation_of(next());
        take();
    }
    if (k < count) {
        const int residual = other_addend(next(), at);
        if (residual >= 0 && residual != at && lies_like(graph, graph.at(residual), p) &&
            (at == e.before || !read_outside(at))) {
            e.residual = residual;
            take();
        }
    }
    if (k != count || at == product) return e;
    if (at == e.before) e.before = -1;  // the result itself
    e.product = product;
    e.last = at;
    return e;
}

/// Makes products the first members of the groups that are their epilogues.
constexpr void absorb_products(graph::builder const& graph, graph::fusion& fused) {
    const auto at = [](int i) { return static_cast<std::size_t>(i); };
    list<char> is_output(graph.nodes.size(), 0);
    for (int id : graph.outputs) is_output[at(id)] = 1;
    for (graph::carry const& c : graph.carries)
        for (int id : {c.init, c.in, c.out, c.result}) is_output[at(id)] = 1;
    list<int> candidates;  // products with an element-wise reader
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        if (graph.nodes[i].op == graph::kind::dot && !is_output[i] && graph.nodes[i].tap.empty())
            candidates.push_back(static_cast<int>(i));
    for (int product : candidates) {
        graph::node const& p = graph.at(product);
        const int begin = fused.reader_begin[at(product)];
        const int g = begin < fused.reader_begin[at(product) + 1] ? fused.group[at(fused.readers[at(begin)])] : -1;
        if (g < 0) continue;
        list<int>& members = fused.members[at(g)];
        if (graph.at(members[0]).op == graph::kind::dot || graph.at(members[0]).region != p.region ||
            !(graph.at(members[0]).axes == p.axes) || static_cast<int>(members.size()) >= graph::max_group)
            continue;
        const auto readers_outside = [&](int id, int before) {
            for (int u = fused.reader_begin[at(id)]; u < fused.reader_begin[at(id) + 1]; ++u)
                if (fused.group[at(fused.readers[at(u)])] != g && fused.readers[at(u)] < before) return true;
            return false;
        };
        const int end = static_cast<int>(graph.nodes.size());
        if (readers_outside(product, members.back())) continue;  // needed before the group's place
        const auto read_outside = [&](int id) {
            return is_output[at(id)] != 0 || !graph.at(id).tap.empty() || readers_outside(id, end);
        };
        const product_epilogue e = match_epilogue(graph, product, members, members.size(), read_outside);
        if (e.last < 0) continue;
        list<int> all;
        all.push_back(product);
        for (int m : members) all.push_back(m);
        members = all;
        fused.group[at(product)] = g;
    }
}

}  // namespace tenet::detail
