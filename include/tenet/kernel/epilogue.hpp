// SPDX-License-Identifier: MIT
// kernel: what a matrix product does to its results while they are in registers. One plain struct, read at run time:
// the loops of a product are compiled once, not once an epilogue.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenet/base/macros.hpp>
#include <tenet/simd/activation.hpp>

namespace tenet::kernel {

/// A function that an epilogue applies to each element. `gelu` is the form by tanh, `gelu_erf` the exact one.
enum class activation : std::uint8_t { none, relu, gelu, gelu_erf, silu };

/// The epilogue of c = a b, in this order, for the element of row i and column j, which lies at `o` = &c[i,j] - c.data:
///
///     z = scale * (a b)[i,j] (+ c[i,j] if the product accumulates) + row_bias[i] + column_bias[j]
///     kept[o] = z
///     c[i,j] = f(z) * (dropout_uniform_at(key, o) >= rate ? 1 / (1 - rate) : 0) + residual[o]
///
/// A null pointer, `none` and a rate of 0 leave their part out. `kept` (what the backward of f needs) and `residual`
/// have the strides of c; none of them may overlap c. Entries of a batch share the biases; `kept`, `residual` and the
/// dropout's counter advance with c.
/// PyTorch: torch.nn.functional.linear, gelu, dropout and + in one.
template <class T>
struct epilogue {
    T scale = T{1};
    T const* row_bias = nullptr;     ///< m elements
    T const* column_bias = nullptr;  ///< n elements: the bias of torch.nn.Linear
    T* kept = nullptr;
    activation f = activation::none;
    float rate = 0;         ///< of dropout, below 1
    std::uint64_t key = 0;  ///< of dropout, as of `dropout_key`
    T const* residual = nullptr;

    /// Whether there is nothing to do.
    constexpr bool empty() const {
        return scale == T{1} && !row_bias && !column_bias && !kept && f == activation::none && rate <= 0 && !residual;
    }
};

/// f(x), the activation a constant.
template <activation F, class T>
TENET_INLINE simd::batch<T> activate(simd::batch<T> const& x) {
    if constexpr (F == activation::relu) return simd::relu<T>(x);
    else if constexpr (F == activation::gelu) return simd::gelu<T>(x);
    else if constexpr (F == activation::gelu_erf) return simd::gelu_erf<T>(x);
    else if constexpr (F == activation::silu) return simd::silu<T>(x);
    else return x;
}

}  // namespace tenet::kernel
