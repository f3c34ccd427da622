// SPDX-License-Identifier: MIT
// op: a trainable tensor as a member of a model. Its name in checkpoints is the path of members that leads to it.
#pragma once

#include <tenet/graph/dequantize.hpp>
#include <tenet/op/symbol.hpp>

namespace tenet {

/// A parameter with the axes `A...`, stored as float (or double) outside of the model.
///
///     struct gpt { parameter<Vocab, Embed> wte; ... };            // "wte"
///     struct old { parameter<Vocab, Embed> table{"tok_emb"}; };   // a literal where a checkpoint says otherwise
template <class... A>
class parameter {
public:
    using axes_type = axes<A...>;
    static_assert(shape::unique<axes_type>, "parameter<A...>: an axis stands twice");

    constexpr parameter() = default;
    constexpr parameter(char const* name) : name_(name) {}

    /// The name given in place of the member's, or null.
    constexpr char const* name() const { return name_; }

    /// Ties this member to a slot of the program being traced. Called by the tracer.
    constexpr void bind(graph::builder& graph, int slot) {
        graph_ = &graph;
        slot_ = slot;
    }
    constexpr bool bound() const { return graph_ != nullptr; }
    constexpr graph::builder& graph() const { return *graph_; }
    constexpr int slot() const { return slot_; }

    /// The handle of the parameter in the program being traced.
    constexpr auto symbolic() const {
        graph::builder& g = *graph_;
        graph::parameter_slot const& where = g.parameters[static_cast<std::size_t>(slot_)];
        graph::node n;
        n.op = graph::kind::parameter;
        n.integer[0] = slot_;
        n.axes = detail::axis_ids<axes_type>::in(g);
        n.packed = g.is_static(n.axes);
        n.integer[1] = static_cast<int>(where.format);
        // What is stored in fewer bits cannot be trained.
        n.frozen = g.scopes.back().frozen || where.format != storage::plain;
        n.region = region_of(g, where.stack);
        return symbol<dtype::real, axes_type>(graph::dequantized(graph::value(g, g.emit(n))));
    }

private:
    graph::builder* graph_ = nullptr;
    int slot_ = -1;
    char const* name_ = nullptr;

    // The loop that runs over the layers this parameter belongs to.
    static constexpr int region_of(graph::builder& g, int stack) {
        if (stack < 0) return 0;
        for (int r = g.current_region; r >= 0; r = g.region_at(r).parent)
            if (g.region_at(r).loop && g.region_at(r).stack == stack) return r;
        g.fail(graph::failure::parameter_outside_stack, "a parameter of a stack's body");
        return 0;
    }
};

namespace detail {
template <class X>
inline constexpr bool is_parameter = false;
template <class... A>
inline constexpr bool is_parameter<parameter<A...>> = true;
}  // namespace detail

}  // namespace tenet
