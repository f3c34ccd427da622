// SPDX-License-Identifier: MIT
// graph: one node of the compile-time graph. A node is plain data in a flat array; it names its operands by their
// position, so that shared subexpressions are free and every pass is ordinary constexpr code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tenet/shape/axis.hpp>
#include <tenet/simd/batch.hpp>
#include <tenet/tensor/dtype.hpp>

namespace tenet::graph {

/// The most axes a tensor may have, and the most operands a node may have.
inline constexpr int max_rank = 8;
inline constexpr int max_inputs = 8;

/// What a node computes. Element-wise operations and users' primitives are open sets, told apart by a descriptor.
enum class kind : std::uint8_t {
    parameter,      ///< a leaf in a parameter block
    input,          ///< a leaf that the caller hands over
    constant,       ///< a number
    inverse_count,  ///< 1 / (product of the run-time extents of `over`)
    iota,           ///< the position along the axis `over`
    random,         ///< a uniform number in [0, 1) an element, counter-based
    elementwise,    ///< described by an elementwise_info
    custom,         ///< a user's primitive, described by a custom_info
    alias,          ///< the same memory with other axes of the same total size
    view,           ///< a part of another node's memory
    dequantize,     ///< a stored parameter as numbers
    copy,           ///< a dense copy, possibly with the axes in another order
    pad,            ///< the operand inside a larger extent
    concat,         ///< operands one after the other along an axis
    reduce_sum,
    reduce_max,
    reduce_min,
    argmax,
    dot,
    gather_rows,
    scatter_add_rows,
    gather_along,
    scatter_add_along,
    softmax,
    log_softmax,
    logsumexp,
    softmax_backward,
    log_softmax_backward,
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
    cross_entropy,
    cross_entropy_backward,
    attention,
    attention_backward,
    cached_attention,  ///< appends keys and values to two states and attends over them
    rotary,            ///< pairs of elements rotated by their position
    state,             ///< a leaf that keeps its values from step to step
    carry_in,          ///< the value a loop's body starts an iteration with
    carry_result,      ///< the value a loop leaves behind
    output,            ///< a further result of a node that has several
    sink               ///< writes or adds its operand to the gradient of a parameter
};

/// A list of axes as positions in the graph's table of axes.
struct axis_list {
    std::uint8_t id[max_rank] = {};
    std::uint8_t rank = 0;

    constexpr void push(int axis) { id[rank++] = static_cast<std::uint8_t>(axis); }
    constexpr int operator[](int i) const { return id[i]; }
    constexpr int find(int axis) const {
        for (int i = 0; i < rank; ++i)
            if (id[i] == axis) return i;
        return -1;
    }
    constexpr bool contains(int axis) const { return find(axis) >= 0; }
    constexpr bool operator==(axis_list const& other) const {
        if (rank != other.rank) return false;
        for (int i = 0; i < rank; ++i)
            if (id[i] != other.id[i]) return false;
        return true;
    }
    /// Whether both hold the same axes, in any order.
    constexpr bool same_set(axis_list const& other) const {
        if (rank != other.rank) return false;
        for (int i = 0; i < rank; ++i)
            if (!other.contains(id[i])) return false;
        return true;
    }
};

class builder;

/// Emits the nodes of a vector-Jacobian product: adds to the cotangents of `node`'s operands.
using vjp_function = void (*)(builder&, int node, int cotangent);

/// An element-wise function of up to three registers.
template <class T>
using batch_function = simd::batch<T> (*)(simd::batch<T>, simd::batch<T>, simd::batch<T>);

/// The descriptor of an element-wise operation; one constant object an operation.
struct elementwise_info {
    std::string_view name;
    int arity;
    batch_function<float> f32;
    batch_function<double> f64;
    vjp_function vjp;     ///< null if there is no gradient
    bool zero_gradient;   ///< the gradient is zero everywhere (comparisons, stop_gradient)
    bool yields_boolean;  ///< the result is a mask
    double flops;         ///< per element, for the cost model
    bool recomputed;      ///< one operand, which the gradient needs: the result is computed again rather than kept
};

/// What a user's primitive gets: memory and run-time extents of every operand and of the result.
struct custom_arguments {
    void const* const* operands;
    void* result;
    std::size_t const* extents;  ///< by position in the graph's table of axes
};

/// The descriptor of a user's primitive.
struct custom_info {
    std::string_view name;
    void (*f32)(custom_arguments const&, axis_list const* operand_axes, axis_list const& result_axes);
    void (*f64)(custom_arguments const&, axis_list const* operand_axes, axis_list const& result_axes);
    vjp_function vjp;
};

/// How a sink meets what the gradient already holds.
enum class sink_mode : std::uint8_t { store, add, store_first_iteration };

/// A node of the graph.
struct node {
    kind op = kind::constant;
    dtype type = dtype::real;
    bool frozen = false;         ///< parameter: not trained through this use
    bool shared = true;          ///< may be merged with an equal node
    bool packed = true;          ///< strides follow the run-time extents (parameters: the capacities)
    bool zero_gradient = false;  ///< no cotangent passes through
    std::uint8_t input_count = 0;
    sink_mode mode = sink_mode::store;
    std::int32_t region = 0;
    std::int32_t input[max_inputs] = {-1, -1, -1, -1, -1, -1, -1, -1};
    axis_list axes;
    axis_list over;                        ///< axes that the operation runs over
    axis_list physical;                    ///< view: the axes of the memory it looks into
    std::uint8_t position[max_rank] = {};  ///< view: where each own axis stands among the physical ones
    std::int32_t start[max_rank] = {};     ///< view: first index along each physical axis
    bool partial[max_rank] = {};           ///< view: the physical axis is not seen whole
    double number[2] = {};
    std::int32_t integer[4] = {};
    std::size_t elements = 0;  ///< number of elements if it is not the product of the axes
    elementwise_info const* function = nullptr;
    custom_info const* primitive = nullptr;
    vjp_function vjp = nullptr;  ///< emits the vector-Jacobian product; null where there is no gradient
    std::string_view name;       ///< for messages, where no descriptor has one
    std::string_view tap;
    std::uint32_t hash = 0;

    constexpr void add_input(int id) { input[input_count++] = id; }
};

/// A loop over the layers of a stack, or a part of the program that is computed again in the backward pass.
struct region {
    bool loop = false;
    bool checkpoint = false;
    bool reversed = false;
    std::int32_t parent = -1;
    std::int32_t family = -1;  ///< the index that the loop runs over; shared with its backward loops
    std::int32_t trips = 1;
    std::int32_t stack = -1;          ///< the stack whose body it runs, by its number in the trace
    std::int32_t begin = 0, end = 0;  ///< its nodes
};

/// A value carried from one iteration of a loop to the next.
struct carry {
    std::int32_t region = 0;
    std::int32_t init = -1, in = -1, out = -1, result = -1;
};

/// How the run-time extent of an axis follows from those of others.
struct extent_rule {
    std::int32_t axis = -1;
    axis_list factors;  ///< extent = product of these (divided by `divisor`)
    std::size_t divisor = 1;
};

/// What made a graph unfit for the purpose it is compiled for.
enum class failure : std::uint8_t {
    none,
    no_gradient,         ///< an operation on the path to a parameter has no gradient
    no_second_gradient,  ///< an operation whose gradient cannot be differentiated again
    nothing_to_train,    ///< no parameter is reached
    gradient_crosses_stack,
    gradient_of_stored,        ///< a parameter that is stored in fewer bits is differentiated by
    adapter_has_no_parameter,  ///< an adapter asks for a parameter that it did not declare
    parameter_outside_stack,
    cache_batch_axis_missing,  ///< the start of a cache has an axis that a query of attention lacks
    rank_too_high
};

}  // namespace tenet::graph
