// SPDX-License-Identifier: MIT
// program: matrix products, with what follows them, and weights that are stored in fewer bits.
#pragma once

#include <utility>

#include <tenet/graph/contraction.hpp>
#include <tenet/graph/dequantize.hpp>
#include <tenet/kernel/dequantize.hpp>
#include <tenet/kernel/gemm.hpp>
#include <tenet/kernel/gemm_bf16.hpp>
#include <tenet/kernel/gemm_quantized.hpp>
#include <tenet/program/epilogue.hpp>
#include <tenet/program/node_access.hpp>

namespace tenet::detail {

/// Whether node `Id` is a parameter that is stored in fewer bits.
template <class P, int Id>
inline constexpr bool is_stored = graph::storage_format(P::image.nodes[Id]) != storage::plain;

/// Such a parameter as kernels take it.
template <class P, int Id>
kernel::stored_matrix stored_at(run_context<P> const& c) {
    constexpr graph::parameter_slot p = P::image.parameters[static_cast<std::size_t>(P::image.nodes[Id].integer[0])];
    return {{p.format, p.elements, p.columns}, reinterpret_cast<std::byte const*>(address<P, Id>(c))};
}

/// Whether the product of node `id` rounds its operands in program `P`.
template <class P>
constexpr bool rounds_operands(int id) {
    return mixes_precision<P> && rounds_operands(P::image, id);
}

/// A matrix product inside up to three loops: their extents and all strides.
struct product_layout {
    graph::extent_product a_row, a_inner, b_inner, b_column, c_row, c_column;
    std::size_t loop_count = 0;
    graph::extent_product count[3], a_loop[3], b_loop[3], c_loop[3];
};

/// The layout of the product of nodes `a` and `b` into memory that lies like node `c`.
template <class Image>
constexpr product_layout layout_of_product(Image const& image, graph::contraction_plan const& plan, int a, int b,
                                           int c) {
    // A missing group has one element and a stride that keeps the layout plain.
    const auto or_one = [](graph::extent_product s) { return s.fixed == 0 ? graph::extent_product{} : s; };
    const auto stride = [&](int id, axis_list const& axes) { return graph::stride_along(image, image.at(id), axes); };
    product_layout l;
    l.a_row = stride(a, plan.rows);
    l.a_inner = or_one(stride(a, plan.inner));
    l.b_inner = or_one(stride(b, plan.inner));
    l.b_column = or_one(stride(b, plan.columns));
    l.c_row = or_one(stride(c, plan.rows));
    l.c_column = or_one(stride(c, plan.columns));
    l.loop_count = static_cast<std::size_t>(plan.loop_count);
    for (std::size_t i = 0; i < l.loop_count; ++i) {
        l.count[i] = graph::elements_along(image, plan.loops[i]);
        // A loop over rows stands still in the right operand, one over columns in the left.
        l.a_loop[i] = stride(a, plan.loops[i]);
        l.b_loop[i] = stride(b, plan.loops[i]);
        l.c_loop[i] = stride(c, plan.loops[i]);
    }
    return l;
}

/// The product of node `Id`, written to where node `Result` lies, which has the same layout.
template <class P, int Id, int Result>
void run_product(run_context<P> const& c, kernel::epilogue<typename P::spec::real_type> const& finish) {
    using T = typename P::spec::real_type;
    constexpr graph::node n = P::image.nodes[Id];
    constexpr int A = n.input[0], B = n.input[1];
    constexpr graph::contraction_plan plan = graph::plan_contraction(P::image, P::image.nodes[A], P::image.nodes[B], n);
    static_assert(plan.possible, "a contraction that is no matrix product reached the executor");
    static constexpr product_layout layout = layout_of_product(P::image, plan, A, B, Id);
    const auto m = extent_of_list<P, plan.rows>(c);
    const auto columns = extent_of_list<P, plan.columns>(c);
    const auto k = extent_of_list<P, plan.inner>(c);
    kernel::gemm_batch batch;
    batch.rank = layout.loop_count;
    for (std::size_t i = 0; i < layout.loop_count; ++i) {
        batch.count[i] = c.size(layout.count[i]);
        batch.a[i] = c.stride(layout.a_loop[i]);
        batch.b[i] = c.stride(layout.b_loop[i]);
        batch.c[i] = c.stride(layout.c_loop[i]);
    }
    const kernel::matrix_view<element_of<P, A> const> a{address<P, A>(c), c.stride(layout.a_row),
                                                        c.stride(layout.a_inner)};
    const kernel::matrix_view<element_of<P, B> const> b{address<P, B>(c), c.stride(layout.b_inner),
                                                        c.stride(layout.b_column)};
    const kernel::matrix_view<element_of<P, Result>> result{address<P, Result>(c), c.stride(layout.c_row),
                                                            c.stride(layout.c_column)};
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
    } else if constexpr (rounds_operands<P>(Id)) {
        using left = element_of<P, A>;
        using right = element_of<P, B>;
        if constexpr (P::image.rounded[Result] != 0)
            kernel::gemm_bf16<left, right>(m, columns, k, a, b, result, finish, batch);
        else
            kernel::gemm_bf16<left, right>(m, columns, k, a, b, result, Id == Result && accumulates<P, Id>(c), finish,
                                           batch);
    } else if constexpr (Id == Result) {
        kernel::gemm<T>(m, columns, k, a, b, result, accumulates<P, Id>(c), batch);
    } else {
        kernel::gemm<T>(m, columns, k, a, b, result, false, finish, batch);
    }
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

}  // namespace tenet::detail
