// SPDX-License-Identifier: MIT
// kernel: the backward of attention in bfloat16 products, in a header of its own for programs that only run forward.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/kernel/attention_backward.hpp>
#include <tenet/kernel/attention_bf16.hpp>

namespace tenet::kernel {

/// Gradients of `attention_bf16`. Arguments are those of `attention_backward`; q, k and v are of type S.
///
/// Rounded are q (and scale * q), k, v, dout, the probabilities and their gradients, each before a product; sums,
/// the softmax's gradient and the results are float.
template <attention_mask Mask, class S = float>
void attention_backward_bf16(auto B, auto Tq, auto keys, auto H, auto D,
                             std::type_identity_t<attention_operand<S const>> q,
                             std::type_identity_t<attention_operand<S const>> k,
                             std::type_identity_t<attention_operand<S const>> v, attention_operand<float const> out,
                             attention_operand<float const> dout, attention_operand<float> dq,
                             attention_operand<float> dk, attention_operand<float> dv, float const* saved, float scale,
                             std::int32_t const* key_lengths, std::size_t capacity_of_s = 0, std::size_t group = 1) {
    const std::size_t s = keys;
    const detail::attention_sizes n{
        B, Tq, s, H, D, capacity_of_s == 0 ? s : capacity_of_s, key_lengths, Mask == attention_mask::causal, group};
    detail::for_heads(n, [&](std::size_t b, std::size_t h, std::size_t i) {
        using namespace detail;
        const std::size_t kh = h / group;  // its keys' gradient is the sum over the group
        const attention_head<float> head = head_of(n, b, scale);
        attend_backward(
            head,
            bf16_attention_products(head, rows_of(q, b, h), rows_of(k, b, kh), rows_of(v, b, kh), rows_of(dout, b, h)),
            rows_of(out, b, h), {rows_of(dq, b, h), rows_of(dk, b, kh), rows_of(dv, b, kh)}, kept_of(n, saved, i),
            lse_of(n, saved, i), h % group != 0);
    });
}

}  // namespace tenet::kernel
