// SPDX-License-Identifier: MIT
// program: in which numbers a program computes, as a type: one for all of it, or, in mixed precision, a shorter one for
// what enters matrix products.
#pragma once

#include <cstddef>
#include <type_traits>

#include <tenet/simd/bf16.hpp>

namespace tenet {

/// The precision of a program whose matrix products and attention round their operands to `Product` and add up in
/// `Real`. Parameters (so that there is one set, which also the optimiser updates), gradients, moments and results stay
/// `Real`; so do normalisations, softmax, losses and all element-wise operations. Intermediate values that only such
/// products read are stored in `Product`.
///
///     program_of<mixed_precision<float, bfloat16>, gpt, next_token_loss, tokens<Batch, Time>, tokens<Batch, Time>>
///
/// Checked at compile time: `Real` is float and `Product` is `bfloat16`. Products with a side below 16 or with fewer
/// than 65,536 multiply-adds, and those of quantised weights, stay in `Real`: what a program rounds follows from the
/// capacities of its axes. With bfloat16 no scaling of the loss is needed, for it has the exponents of float.
/// Source: Micikevicius et al., "Mixed precision training", 2018; Kalamkar et al., "A study of BFLOAT16 for deep
/// learning training", 2019. PyTorch: torch.autocast("cpu", dtype=torch.bfloat16).
template <class Real, class Product>
struct mixed_precision {
    static_assert(std::is_same_v<Real, float> && std::is_same_v<Product, bfloat16>,
                  "mixed_precision<Real, Product>: Real must be float and Product must be tenet::bfloat16");
};

namespace detail {

template <class Precision>
struct precision_of {
    using real_type = Precision;
    using product_type = Precision;
    using storage_type = Precision;
};
// The only pair there is, also after the error about another one.
template <class Real, class Product>
struct precision_of<mixed_precision<Real, Product>> : mixed_precision<Real, Product> {
    using real_type = float;
    using product_type = bfloat16;
    using storage_type = bfloat16;
};

/// Whether rounding the operands of a product of this size, by capacities, costs less than it saves.
constexpr bool is_worth_rounding(std::size_t m, std::size_t n, std::size_t k) {
    constexpr std::size_t least_side = 16, least_work = std::size_t{1} << 16;
    return m >= least_side && n >= least_side && k >= least_side && m * n * k >= least_work;
}

}  // namespace detail
}  // namespace tenet
