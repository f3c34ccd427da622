// SPDX-License-Identifier: MIT
// kernel: the backward of multi-head attention, in a header of its own for programs that only run forward.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/kernel/attention.hpp>

namespace tenet::kernel {

namespace detail {

template <class T>
struct attention_backward_operands {
    attention_operand<T const> q, k, v, out, dout;
    attention_operand<T> dq, dk, dv;
};

template <class T>
[[gnu::noinline]] void run_attention_backward(attention_sizes const& n, attention_backward_operands<T> const& x,
                                              T const* saved, T scale) {
    for_heads(n, [&](std::size_t b, std::size_t h, std::size_t i) {
        const std::size_t kh = h / n.group;  // its keys' gradient is the sum over the group
        const attention_head<T> head = head_of(n, b, scale);
        attend_backward(head,
                        attention_products<T>(head, rows_of(x.q, b, h), rows_of(x.k, b, kh), rows_of(x.v, b, kh),
                                              rows_of(x.dout, b, h)),
                        rows_of(x.out, b, h), {rows_of(x.dq, b, h), rows_of(x.dk, b, kh), rows_of(x.dv, b, kh)},
                        kept_of(n, saved, i), lse_of(n, saved, i), h % n.group != 0);
    });
}

}  // namespace detail

/// Gradients of `attention`: dq, dk, dv of a loss whose gradient by out is dout. They are overwritten.
///
/// Sizes, mask, `scale`, `key_lengths`, `capacity_of_s`, `group` and operands as in the forward call, `out` and `saved`
/// as it left them; dout like out. `workspace` is unused (`attention_workspace_size` is 0) and may be null. With P the
/// probabilities: dv = P^T dout, dP = dout v^T, dS = P * (dP - rowsum(P * dP)), dq = scale dS k, dk = scale dS^T q.
/// Cost: four products of the forward's size, five beyond 64 keys, where P is computed again. Source: Dao,
/// "FlashAttention-2", 2023, algorithm 2.
template <attention_mask Mask, class T>
void attention_backward(auto B, auto Tq, auto S, auto H, auto D, std::type_identity_t<attention_operand<T const>> q,
                        std::type_identity_t<attention_operand<T const>> k,
                        std::type_identity_t<attention_operand<T const>> v,
                        std::type_identity_t<attention_operand<T const>> out,
                        std::type_identity_t<attention_operand<T const>> dout, attention_operand<T> dq,
                        attention_operand<T> dk, attention_operand<T> dv, std::type_identity_t<T> const* saved,
                        [[maybe_unused]] std::type_identity_t<T>* workspace, std::type_identity_t<T> scale,
                        std::int32_t const* key_lengths, std::size_t capacity_of_s = 0, std::size_t group = 1) {
    const std::size_t s = S;
    detail::run_attention_backward<T>(
        {B, Tq, s, H, D, capacity_of_s == 0 ? s : capacity_of_s, key_lengths, Mask == attention_mask::causal, group},
        {q, k, v, out, dout, dq, dk, dv}, saved, scale);
}

}  // namespace tenet::kernel
