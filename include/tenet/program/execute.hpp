// SPDX-License-Identifier: MIT
// program: one node of the plan as one direct call of a kernel, with the node's constants.
#pragma once

#include <cstring>
#include <string>
#include <utility>

#include <tenet/base/exception.hpp>
#include <tenet/graph/contraction.hpp>
#include <tenet/graph/dequantize.hpp>
#include <tenet/kernel/argmax.hpp>
#include <tenet/kernel/attention.hpp>
#include <tenet/kernel/attention_backward.hpp>
#include <tenet/kernel/attention_cached.hpp>
#include <tenet/kernel/copy.hpp>
#include <tenet/kernel/cross_entropy.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gather.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/kernel/gemm_quantized.hpp>
#include <tenet/kernel/layer_norm.hpp>
#include <tenet/kernel/reduce.hpp>
#include <tenet/kernel/rms_norm.hpp>
#include <tenet/kernel/rotary.hpp>
#include <tenet/kernel/softmax.hpp>
#include <tenet/op/cross_entropy.hpp>
#include <tenet/program/group.hpp>

namespace tenet::detail {

using graph::axis_list;
using graph::kind;

/// The axes of a list before, in and after a run, which stands together in it.
struct split_axes {
    axis_list before, run, after;
};
constexpr split_axes split_around(axis_list const& all, axis_list const& run) {
    split_axes s;
    bool seen = false;
    for (int i = 0; i < all.rank; ++i) {
        const bool in = run.contains(all[i]);
        seen = seen || in;
        (in ? s.run : seen ? s.after : s.before).push(all[i]);
    }
    return s;
}

/// The node that lies at the `which`-th further result of node `Id`, or -1.
template <class P, int Id>
constexpr int result_of(int which) {
    for (std::size_t i = 0; i < P::image.nodes.size(); ++i) {
        graph::node const& n = P::image.nodes[i];
        if (n.op == kind::output && n.input[0] == Id && n.integer[0] == which) return static_cast<int>(i);
    }
    return -1;
}
template <class P, int Id, int Which>
auto* result_address(run_context<P> const& c) {
    constexpr int id = result_of<P, Id>(Which);
    if constexpr (id < 0) return static_cast<typename P::spec::real_type*>(nullptr);
    else return address<P, id>(c);
}

/// Whether what node `Id` computes is added to what lies there (a gradient that another use has begun).
template <class P, int Id>
bool accumulates([[maybe_unused]] run_context<P> const& c) {
    constexpr int sink = P::image.nodes[Id].op == kind::sink ? Id : P::image.direct_sink[Id];
    if constexpr (sink < 0) {
        return false;
    } else {
        constexpr graph::node s = P::image.nodes[sink];
        if constexpr (s.mode == graph::sink_mode::store) return false;
        else if constexpr (s.mode == graph::sink_mode::add) return true;
        else {
            // Stored in the first iteration of the loops that are not over the parameter's own layers.
            constexpr graph::location l = P::image.locations[sink];
            for (int r = s.region; r >= 0; r = P::image.regions[static_cast<std::size_t>(r)].parent) {
                graph::region const& loop = P::image.regions[static_cast<std::size_t>(r)];
                if (!loop.loop) continue;
                bool own = false;
                for (int k = 0; k < l.level_count; ++k) own = own || l.levels[k].family == loop.family;
                if (!own && c.iteration[static_cast<std::size_t>(loop.family)] != 0) return true;
            }
            return false;
        }
    }
}

template <class P, int Id>
[[noreturn]] void bad_index(std::string const& what, long long found, std::size_t limit) {
    fail_expectation(what, "an index from 0 to " + std::to_string(limit - 1), std::to_string(found));
}

/// Whether node `Id` is a parameter that is stored in fewer bits.
template <class P, int Id>
inline constexpr bool is_stored = graph::storage_format(P::image.nodes[Id]) != storage::plain;

/// Such a parameter as kernels take it.
template <class P, int Id>
kernel::stored_matrix stored_at(run_context<P> const& c) {
    constexpr graph::parameter_slot p = P::image.parameters[static_cast<std::size_t>(P::image.nodes[Id].integer[0])];
    return {{p.format, p.elements, p.columns}, reinterpret_cast<std::byte const*>(address<P, Id>(c))};
}

/// The product of node `Id`, written to where node `Result` lies, which has the same layout.
template <class P, int Id, int Result>
void run_product(run_context<P> const& c, kernel::epilogue<typename P::spec::real_type> const& finish) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr int A = n.input[0], B = n.input[1];
    constexpr graph::contraction_plan plan = graph::plan_contraction(P::image, P::image.nodes[A], P::image.nodes[B], n);
    static_assert(plan.possible, "a contraction that is no matrix product reached the executor");
    const auto m = extent_of_list<P, plan.rows>(c);
    const auto columns = extent_of_list<P, plan.columns>(c);
    const auto k = extent_of_list<P, plan.inner>(c);
    kernel::gemm_batch batch;
    batch.rank = plan.loop_count;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                if constexpr (static_cast<int>(I) < plan.loop_count) {
                    batch.count[I] = extent_of_list<P, plan.loops[I]>(c);
                    // A loop over rows stands still in the right operand, one over columns in the left.
                    batch.a[I] = list_stride<P, A, plan.loops[I]>(c);
                    batch.b[I] = list_stride<P, B, plan.loops[I]>(c);
                    batch.c[I] = list_stride<P, Id, plan.loops[I]>(c);
                }
            }(),
            ...);
    }(std::make_index_sequence<3>{});
    // A missing group has one element and a stride that keeps the layout plain.
    const auto or_one = [](std::ptrdiff_t s) { return s == 0 ? std::ptrdiff_t{1} : s; };
    const kernel::matrix_view<T const> a{address<P, A>(c), list_stride<P, A, plan.rows>(c),
                                         or_one(list_stride<P, A, plan.inner>(c))};
    const kernel::matrix_view<T const> b{address<P, B>(c), or_one(list_stride<P, B, plan.inner>(c)),
                                         or_one(list_stride<P, B, plan.columns>(c))};
    const kernel::matrix_view<T> result{address<P, Result>(c), or_one(list_stride<P, Id, plan.rows>(c)),
                                        or_one(list_stride<P, Id, plan.columns>(c))};
    if constexpr (is_stored<P, A> || is_stored<P, B>) {
        // What is stored comes second: the left operand is the right one of the transposed product.
        const auto multiply = [&](auto... epilogue_if_any) {
            if constexpr (is_stored<P, B>) {
                const kernel::stored_view right{stored_at<P, B>(c), 0, b.row_stride, b.column_stride};
                kernel::gemm_quantized<T>(m, columns, k, a, right, result, accumulates<P, Id>(c), epilogue_if_any...,
                                          batch);
            } else {
                const kernel::stored_view right{stored_at<P, A>(c), 0, a.column_stride, a.row_stride};
                std::swap(batch.a, batch.b);
                (std::swap(epilogue_if_any.row_bias, epilogue_if_any.column_bias), ...);
                kernel::gemm_quantized<T>(columns, m, k, {b.data, b.column_stride, b.row_stride}, right,
                                          kernel::matrix_view<T>{result.data, result.column_stride, result.row_stride},
                                          accumulates<P, Id>(c), epilogue_if_any..., batch);
            }
        };
        if constexpr (Id == Result) multiply();
        else multiply(finish);
    } else if constexpr (Id == Result) {
        kernel::gemm<T>(m, columns, k, a, b, result, accumulates<P, Id>(c), batch);
    } else {
        kernel::gemm<T>(m, columns, k, a, b, result, false, finish, batch);
    }
}
template <class P, int Id>
void run_dot(run_context<P> const& c) {
    run_product<P, Id, Id>(c, {});
}

/// The first member of the group whose last is `Last`.
template <class P, int Last>
constexpr int first_member() {
    return P::image
        .members[static_cast<std::size_t>(P::image.group_begin[static_cast<std::size_t>(P::image.group[Last])])];
}
/// Whether a group is a product with its epilogue.
template <class P, int Last>
inline constexpr bool is_product_group = P::image.nodes[first_member<P, Last>()].op == kind::dot;

template <class P, int Last>
void run_product_group(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr auto& image = P::image;
    constexpr int product = first_member<P, Last>();
    constexpr product_epilogue e = [] {
        const auto g = static_cast<std::size_t>(image.group[Last]);
        const int begin = image.group_begin[g] + 1;
        return match_epilogue(whole_image<typename P::spec>, product, &image.members[static_cast<std::size_t>(begin)],
                              static_cast<std::size_t>(image.group_begin[g + 1] - begin), [](int id) {
                                  return image.locations[static_cast<std::size_t>(id)].in != graph::space::none;
                              });
    }();
    static_assert(e.last == Last, "a product's epilogue is not what the planner saw: a defect of the planner");
    kernel::epilogue<T> finish;
    finish.f = e.f;
    if constexpr (e.bias >= 0) finish.column_bias = address<P, e.bias>(c);
    if constexpr (e.residual >= 0) finish.residual = address<P, e.residual>(c);
    if constexpr (e.before >= 0) {
        if constexpr (image.locations[static_cast<std::size_t>(e.before)].in != graph::space::none)
            finish.kept = address<P, e.before>(c);
    }
    run_product<P, product, Last>(c, finish);
}

template <class P, int Id>
void run_dequantize(run_context<P> const& c) {
    kernel::dequantize(stored_at<P, P::image.nodes[Id].input[0]>(c), address<P, Id>(c));
}

template <class P, int Id, int Operand>
auto attention_at(run_context<P> const& c) {
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list all = P::image.nodes[Operand].axes;
    constexpr axis_list heads = graph::minus(graph::minus(all, n.over), n.physical);
    constexpr int time = all.contains(n.over[0]) ? n.over[0] : n.over[1];
    kernel::attention_strides s{list_stride<P, Operand, n.physical>(c), axis_stride<P, Operand, time>(c),
                                list_stride<P, Operand, heads>(c)};
    return std::pair{address<P, Operand>(c), s};
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
    const attention_operand<T const> q{qp, qs}, k{kp, ks}, v{vp, vs};
    std::int32_t const* lengths = nullptr;
    constexpr int length_input = backward ? 6 : 3;
    if constexpr (n.input_count > length_input) lengths = address<P, n.input[length_input]>(c);
    constexpr auto mask = n.integer[0] != 0 ? kernel::attention_mask::causal : kernel::attention_mask::none;
    const T scale = static_cast<T>(n.number[0]);
    constexpr std::size_t most_keys = P::image.capacity(n.over[1]);
    if constexpr (!backward) {
        const auto [op, os] = attention_at<P, Id, Id>(c);
        kernel::attention<mask, T>(B, Tq, S, H, D, q, k, v, attention_operand<T>{op, os}, result_address<P, Id, 1>(c),
                                   scale, lengths, most_keys, shared);
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
void run_gather(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr bool scatter = n.op == kind::scatter_add_rows;
    constexpr int Table = scatter ? Id : n.input[0], Index = n.input[1], Rows = scatter ? n.input[0] : Id;
    constexpr axis_list fresh = graph::minus(P::image.nodes[Index].axes, n.physical);
    constexpr axis_list rest = graph::minus(graph::minus(P::image.nodes[Table].axes, n.physical), n.over);
    const auto entries = extent_of_list<P, n.physical>(c);
    const auto count = extent_of_list<P, fresh>(c);
    const auto rows = extent_of_list<P, n.over>(c);
    const auto width = extent_of_list<P, rest>(c);
    auto* const table = address<P, Table>(c);
    std::int32_t const* const index = address<P, Index>(c);
    auto* const out = address<P, Rows>(c);
    if constexpr (!scatter) {
        std::ptrdiff_t bad = -1;
        if constexpr (is_stored<P, Table>) {
            bad = kernel::gather_quantized_rows<T>(stored_at<P, Table>(c), index, out, count, rows, width);
        } else if constexpr (rest.rank == 0 && n.physical.rank > 0) {
            bad = kernel::gather_along<T>(table, index, out, entries, rows, count, constant<1>{});
        } else {
            for (std::size_t e = 0; e < entries && bad < 0; ++e) {
                bad = kernel::gather_rows<T>(table + e * rows * width, index + e * count, out + e * count * width,
                                             count, rows, width);
                if (bad >= 0) bad += static_cast<std::ptrdiff_t>(e * count);
            }
        }
        if (bad >= 0) bad_index<P, Id>("lookup at position " + std::to_string(bad), index[bad], rows);
    } else {
        const bool add = accumulates<P, Id>(c);
        for (std::size_t e = 0; e < entries; ++e)
            kernel::scatter_add_rows<T>(out + e * count * width, index + e * count, table + e * rows * width, count,
                                        rows, width, add);
    }
}

// Copies node `Source` to memory with the given strides of the axes of node `Shape`, or adds it to what is there.
template <class P, int Source, int Shape, class Element>
void copy_by_axes(run_context<P> const& c, Element const* from, Element* to,
                  std::array<std::ptrdiff_t, 8> const& target_strides, bool add) {
    constexpr graph::node shape = P::image.nodes[Shape];
    std::array<std::size_t, 8> extents{};
    std::array<std::ptrdiff_t, 8> source{};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                constexpr axis_list one = [] {
                    axis_list l;
                    l.push(P::image.nodes[Shape].axes[I]);
                    return l;
                }();
                extents[I] = extent_of_list<P, one>(c);
                source[I] = axis_stride<P, Source, one[0]>(c);
            }(),
            ...);
    }(std::make_index_sequence<shape.axes.rank>{});
    if constexpr (std::is_floating_point_v<Element>) {
        if (add) {
            kernel::add_strided<Element>(from, to, extents, source, target_strides, shape.axes.rank);
            return;
        }
    }
    kernel::copy_strided<Element>(from, to, extents, source, target_strides, shape.axes.rank);
}

template <class P, int Id>
std::array<std::ptrdiff_t, 8> own_strides(run_context<P> const& c) {
    std::array<std::ptrdiff_t, 8> strides{};
    constexpr graph::node n = P::image.nodes[Id];
    constexpr graph::geometry g = graph::geometry_of(n);
    for (int i = 0; i < n.axes.rank; ++i)
        strides[static_cast<std::size_t>(i)] = static_cast<std::ptrdiff_t>(stride_of<P>(c, g, g.position[i]));
    return strides;
}

template <class P, int Id>
void run_pad(run_context<P> const& c) {
    using element = element_of<P, Id>;
    constexpr graph::node n = P::image.nodes[Id];
    element* to = address<P, Id>(c);
    kernel::fill<element>(to, extent_of_list<P, n.axes>(c), static_cast<element>(n.number[0]));
    // The part's axes lie at `position` among the result's.
    const auto all = own_strides<P, Id>(c);
    std::array<std::ptrdiff_t, 8> target{};
    for (int p = 0; p < n.axes.rank; ++p) to += n.start[p] * all[static_cast<std::size_t>(p)];
    for (int i = 0; i < P::image.nodes[n.input[0]].axes.rank; ++i)
        target[static_cast<std::size_t>(i)] = all[n.position[i]];
    copy_by_axes<P, n.input[0], n.input[0], element>(c, address<P, n.input[0]>(c), to, target, false);
}

template <class P, int Id>
void run_concat(run_context<P> const& c) {
    using element = element_of<P, Id>;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr int k = n.axes.find(n.over[0]);
    const auto all = own_strides<P, Id>(c);
    element* to = address<P, Id>(c);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                constexpr int X = n.input[I];
                copy_by_axes<P, X, X, element>(c, address<P, X>(c), to, all, false);
                to += static_cast<std::ptrdiff_t>(P::image.capacity(P::image.nodes[X].axes[k])) *
                      all[static_cast<std::size_t>(k)];
            }(),
            ...);
    }(std::make_index_sequence<n.input_count>{});
}

template <class P, int Id>
void run_sink(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr int X = n.input[0], Leaf = n.input[1];
    constexpr graph::location l = P::image.locations[Id];
    T* const to = address_at<P, Leaf, l>(c);
    const bool add = accumulates<P, Id>(c);
    constexpr graph::node leaf = P::image.nodes[Leaf];
    if constexpr (!P::image.is_static(leaf.axes))
        if (!add) kernel::fill<T>(to, P::image.capacity(leaf.axes), T{0});
    copy_by_axes<P, X, Leaf, T>(c, address<P, X>(c), to, own_strides<P, Leaf>(c), add);
}

template <class P, int Id>
void run_norm(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list row_axes = graph::minus(n.axes, n.over);
    const auto rows = extent_of_list<P, row_axes>(c);
    const auto length = extent_of_list<P, n.over>(c);
    const T eps = static_cast<T>(n.number[0]);
    T* const y = address<P, Id>(c);
    const auto at = [&](auto k) -> T const* {
        if constexpr (static_cast<int>(k.value) < n.input_count) return address<P, n.input[k.value]>(c);
        else return nullptr;
    };
    if constexpr (n.op == kind::layer_norm)
        kernel::layer_norm<T>(at(constant<0>{}), at(constant<1>{}), at(constant<2>{}), y, result_address<P, Id, 1>(c),
                              result_address<P, Id, 2>(c), rows, length, eps);
    else if constexpr (n.op == kind::rms_norm)
        kernel::rms_norm<T>(at(constant<0>{}), at(constant<1>{}), y, result_address<P, Id, 1>(c), rows, length, eps);
    else if constexpr (n.op == kind::layer_norm_backward)
        kernel::layer_norm_backward<T>(at(constant<0>{}), at(constant<1>{}), at(constant<4>{}), at(constant<2>{}),
                                       at(constant<3>{}), y, result_address<P, Id, 1>(c), result_address<P, Id, 2>(c),
                                       result_address<P, Id, 3>(c), rows, length);
    else
        kernel::rms_norm_backward<T>(at(constant<0>{}), at(constant<1>{}), at(constant<3>{}), at(constant<2>{}), y,
                                     result_address<P, Id, 1>(c), result_address<P, Id, 2>(c), rows, length);
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

template <class P, int Id>
void run_rotary(run_context<P> const& c) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr axis_list rest = graph::minus(graph::minus(n.axes, n.over), n.physical);
    kernel::rotary<static_cast<kernel::rotary_pairs>(n.integer[0]), T>(
        address<P, n.input[0]>(c), address<P, n.input[1]>(c), address<P, Id>(c), extent_of_list<P, n.physical>(c),
        extent_of_list<P, rest>(c), extent_of_list<P, n.over>(c), n.number[0], n.integer[1] != 0);
}

/// Runs node `Id` of the plan.
template <class P, int Id>
void run_node(run_context<P> const& c) {
    constexpr graph::node n = P::image.nodes[Id];
    if constexpr (n.op == kind::dot) run_dot<P, Id>(c);
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
