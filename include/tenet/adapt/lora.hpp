// SPDX-License-Identifier: MIT
// adapt: low-rank adaptation. A weight W of a frozen model is used as W + s A B, wherever the model uses it; only A and
// B are trained. A choice of layers makes a model of its own, whose parameters are A and B.
#pragma once

#include <array>
#include <cstddef>

#include <tenet/adapt/targets.hpp>
#include <tenet/graph/contract.hpp>
#include <tenet/op/dropout.hpp>
#include <tenet/op/exponential.hpp>
#include <tenet/op/gather.hpp>

namespace tenet {

/// How an adapter's update is scaled and regularised. Whole numbers, as PEFT's configuration has them.
struct lora_options {
    int alpha = 0;                 ///< s = alpha / rank; 0: alpha = rank, so s = 1
    bool rank_stabilized = false;  ///< s = alpha / sqrt(rank): Kalajdzievski (2023)
    int dropout_percent = 0;       ///< of the adapter's input, while training; not of look-ups
    bool magnitude = false;        ///< DoRA: the update gives a column's direction, a vector of its own its length
};

/// The axis between A and B.
template <int Rank>
struct lora_rank : axis<static_cast<std::size_t>(Rank)> {};

namespace detail {

constexpr double square_root(double x) {
    double r = x > 1 ? x : 1;
    for (int i = 0; i < 80; ++i) r = 0.5 * (r + x / r);
    return r;
}

/// The axes of a weight as the two sides of a matrix: what goes in (of a table: its rows) and what comes out.
struct weight_sides {
    list<axis_info const*> in, out;
};
constexpr weight_sides sides_of(parameter_leaf const& leaf) {
    const int inputs = leaf.inputs > 0 ? leaf.inputs : 1;
    const bool inputs_first = leaf.inputs == 0 || !leaf.outputs_first;
    const int left = inputs_first ? inputs : leaf.rank - inputs;
    weight_sides s;
    for (int i = 0; i < leaf.rank; ++i) ((i < left) == inputs_first ? s.in : s.out).push_back(leaf.axes[i]);
    return s;
}

constexpr graph::axis_list ids_of(graph::builder& g, list<axis_info const*> const& axes) {
    graph::axis_list ids;
    for (axis_info const* a : axes) ids.push(g.axis_id(a));
    return ids;
}
constexpr graph::axis_list joined(graph::axis_list a, graph::axis_list const& b) {
    for (int i = 0; i < b.rank; ++i)
        if (!a.contains(b[i])) a.push(b[i]);
    return a;
}

/// Low-rank updates as an adapter (program/adapter.hpp) of `Model`.
template <class Model, int Rank, class Targets, lora_options Options>
struct low_rank_update {
    static_assert(Rank > 0, "lora<Model, Rank, ...>: the rank must be positive");
    static_assert(Options.dropout_percent >= 0 && Options.dropout_percent < 100,
                  "lora_options: dropout_percent must be from 0 to 99");
    static constexpr int rank = Rank;
    static constexpr lora_options options = Options;
    using target_choice = Targets;
    static constexpr double alpha = Options.alpha > 0 ? Options.alpha : Rank;
    static constexpr double scale = alpha / (Options.rank_stabilized ? square_root(Rank) : Rank);

    /// Whether the adapter takes a leaf of `parameter_leaves<Model>`.
    static constexpr bool is_target(parameter_leaf const& leaf) {
        return taken[static_cast<std::size_t>(&leaf - parameter_leaves<Model>.data())];
    }
    static constexpr parameter_leaf const& leaf_of(adapter_site const& s) {
        return parameter_leaves<Model>[static_cast<std::size_t>(
            s.weight.graph().parameters[static_cast<std::size_t>(s.slot)].leaf)];
    }

    // A [parts, rank, in] and B [parts, out, rank], as PEFT's files hold them; of a table A [rows, rank], whose rows
    // are looked up.
    static constexpr void declare(parameter_leaf const& weight, adapter_declaration& d) {
        const weight_sides sides = sides_of(weight);
        axis_info const* const parts = Targets::template parts_of<Model>(weight);
        list<axis_info const*> a, b;
        if (parts != nullptr) a.push_back(parts);
        const bool table = weight.inputs == 0;
        if (!table) a.push_back(&axis_info_of<lora_rank<Rank>>);
        for (axis_info const* x : sides.in) a.push_back(x);
        if (table) a.push_back(&axis_info_of<lora_rank<Rank>>);
        for (axis_info const* x : sides.out) b.push_back(x);
        b.push_back(&axis_info_of<lora_rank<Rank>>);
        d.add(table ? "lora_embedding_A" : "lora_A", a);
        d.add(table ? "lora_embedding_B" : "lora_B", b);
        if (Options.magnitude && !table) d.add("lora_magnitude_vector", sides.out);
    }

    struct factors {
        graph::value a, b;
        graph::axis_list in, out, middle;  ///< middle: rank, and the axis of the parts
    };
    static constexpr factors factors_at(adapter_site const& s) {
        graph::builder& g = s.weight.graph();
        parameter_leaf const& leaf = leaf_of(s);
        const weight_sides sides = sides_of(leaf);
        axis_info const* const parts = Targets::template parts_of<Model>(leaf);
        const int rank_axis = g.axis_id(&axis_info_of<lora_rank<Rank>>);
        const bool table = leaf.inputs == 0;
        factors f;
        f.in = ids_of(g, sides.in);
        f.out = ids_of(g, sides.out);
        if (parts != nullptr) f.middle.push(g.axis_id(parts));
        f.middle.push(rank_axis);
        graph::axis_list a = table ? joined(f.in, f.middle) : joined(f.middle, f.in), b = f.out;
        b.push(rank_axis);
        f.a = s.parameter(table ? "lora_embedding_A" : "lora_A", a);
        f.b = s.parameter(table ? "lora_embedding_B" : "lora_B", b);
        return f;
    }

    static constexpr graph::value substitute(adapter_site const& s) {
        const factors f = factors_at(s);
        const graph::value x = dropped(s.input);
        // Contracted over one side whole: first with the factor of that side, which leaves the rank.
        const graph::axis_list rest = graph::minus(x.axes(), s.contracted);
        graph::value delta;
        if (s.contracted.same_set(f.in))
            delta = graph::contract(graph::contract(x, f.a, joined(rest, f.middle)), f.b, s.plain.axes());
        else if (s.contracted.same_set(f.out) && f.middle.rank == 1)
            delta = graph::contract(graph::contract(x, f.b, joined(rest, f.middle)), f.a, s.plain.axes());
        else delta = graph::contract(x, graph::contract(f.a, f.b, s.weight.axes()), s.plain.axes());
        if (Options.magnitude && leaf_of(s).inputs > 0) return with_magnitude(s, f, delta);
        return s.plain + scale * delta;
    }

    static constexpr graph::value substitute_lookup(adapter_site const& s) {
        const factors f = factors_at(s);
        graph::builder& g = s.weight.graph();
        const graph::axis_list fresh = s.input.axes();
        const graph::value rows =
            emit_gather(graph::dense(f.a), graph::dense(s.input), joined(fresh, f.middle), graph::axis_list{}, f.in[0]);
        static_cast<void>(g);
        return s.plain + scale * graph::contract(rows, f.b, s.plain.axes());
    }

private:
    // Asked at every use of a weight while a program is traced: answered once.
    static constexpr auto taken = [] {
        std::array<bool, parameter_leaves<Model>.size()> all{};
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = Targets::template matches<Model>(parameter_leaves<Model>[i]);
        return all;
    }();

    static constexpr graph::value dropped(graph::value x) {
        graph::builder& g = x.graph();
        if (!g.training || Options.dropout_percent == 0) return x;
        graph::node n;
        n.op = graph::kind::random;
        n.zero_gradient = true;
        n.axes = x.axes();
        n.integer[0] = g.random_streams++;
        const double rate = Options.dropout_percent / 100.0;
        const graph::value kept = graph::elementwise(graph::info_of<op::greater_equal_op>,
                                                     {graph::value(g, g.emit(n)), graph::constant(g, rate)});
        return x * (kept * (1 / (1 - rate)));
    }

    // y = m / |W + s A B| (x W + s x A B), with the norm of every output's weights; the norm counts as a constant in
    // the gradient. Liu et al. (2024), eq. (5) and section 4.3.
    static constexpr graph::value with_magnitude(adapter_site const& s, factors const& f, graph::value delta) {
        const graph::value whole = s.weight + scale * graph::contract(f.a, f.b, s.weight.axes());
        const graph::value length =
            graph::elementwise(graph::info_of<op::sqrt_op>, {graph::reduce_sum(graph::in_memory(whole * whole), f.in)});
        const graph::value fixed = graph::elementwise(graph::info_of<op::stop_gradient_op>, {length});
        const graph::value magnitude = s.parameter("lora_magnitude_vector", f.out);
        return (magnitude / fixed) * (s.plain + scale * delta);
    }
};

}  // namespace detail

/// The low-rank adapter of `Model` for the layers that `Targets` takes, as a model of its own:
///
///     using adapter = lora<gpt, 8, targets<"attn.c_attn", "mlp.c_fc">, lora_options{.alpha = 16}>;
///     struct loss { constexpr auto operator()(auto const& base, auto const& delta, auto x, auto y) const {
///         return cross_entropy<Vocab>(with(delta, frozen(base))(x), y); } };
///     program<models<gpt, adapter>, loss, ...> step;
///
/// y = x W + s (x A) B, s = alpha / rank: W [in, out] frozen, A [rank, in] at first U(-1/sqrt(in), 1/sqrt(in)),
/// B [out, rank] zero (`init::lora`), so that training starts from the base. For a table that is looked up A [rows,
/// rank] is zero and B normal. Where a weight is used twice, as a tied head, both uses are adapted.
/// Cost: 2 rank (in + out) multiplications and additions a row instead of 2 in out.
/// Hu et al.: LoRA (2021), eq. (3); Kalajdzievski: rsLoRA (2023); Liu et al.: DoRA (2024). PEFT: LoraConfig.
template <class Model, int Rank, class Targets = all_linear, lora_options Options = lora_options{}>
struct lora : adapter_of<Model, detail::low_rank_update<Model, Rank, Targets, Options>> {
    using update = detail::low_rank_update<Model, Rank, Targets, Options>;
    using base_type = Model;
};

}  // namespace tenet
