// SPDX-License-Identifier: MIT
// kernel: multi-head attention whose products round their operands to bfloat16 and add up in float; the softmax is
// float's. Loops, tiles and what is saved are those of attention.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/kernel/attention.hpp>
#include <tenet/kernel/attention_bf16_products.hpp>

namespace tenet::kernel {

/// `attention` with products of operands rounded to bfloat16, added up in float. Arguments are those of `attention`; q,
/// k and v are of type S, float or `bfloat16`.
///
/// Rounded are scale * q, k, v and the probabilities (before they are divided by their sum, beyond 64 keys); the
/// softmax, its sums and the result are float. A single query of floats is computed in float as a whole. Cost: about
/// two thirds of `attention` where the processor has AVX512_BF16 or tiles (AMX_BF16). PyTorch:
/// scaled_dot_product_attention under torch.autocast("cpu", torch.bfloat16), with a float result.
template <attention_mask Mask, class S = float>
void attention_bf16(auto B, auto Tq, auto keys, auto H, auto D, std::type_identity_t<attention_operand<S const>> q,
                    std::type_identity_t<attention_operand<S const>> k,
                    std::type_identity_t<attention_operand<S const>> v, attention_operand<float> out, float* saved,
                    float scale, std::int32_t const* key_lengths, std::size_t capacity_of_s = 0,
                    std::size_t group = 1) {
    const std::size_t s = keys;
    const detail::attention_sizes n{
        B, Tq, s, H, D, capacity_of_s == 0 ? s : capacity_of_s, key_lengths, Mask == attention_mask::causal, group};
    detail::for_heads(n, [&](std::size_t b, std::size_t h, std::size_t i) {
        using namespace detail;
        const attention_head<float> head = head_of(n, b, scale);
        attend(head,
               bf16_attention_products(head, rows_of(q, b, h), rows_of(k, b, h / group), rows_of(v, b, h / group)),
               rows_of(out, b, h), kept_of(n, saved, i), lse_of(n, saved, i));
    });
}

}  // namespace tenet::kernel
