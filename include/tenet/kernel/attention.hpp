// SPDX-License-Identifier: MIT
// kernel: multi-head attention over strided operands, heads shared out to threads. One head's work never depends on
// another's or on the number of threads; sizes are run-time numbers inside, so that all calls share the code of a type.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <tenet/base/exception.hpp>
#include <tenet/kernel/attention_head.hpp>
#include <tenet/parallel/parallel_for.hpp>

namespace tenet::kernel {

/// Elements between two batch entries, two positions, two heads; elements of a head are contiguous.
struct attention_strides {
    std::ptrdiff_t batch, time, head;
};

/// q, k, v or out of attention, or a gradient: [B, T, H, D] by any strides, e.g. a third of a packed q, k, v.
template <class T>
struct attention_operand {
    T* data;
    attention_strides stride;

    constexpr operator attention_operand<T const>() const
    requires(!std::is_const_v<T>)
    {
        return {data, stride};
    }
};

/// Which keys a query sees: all, or under `causal` key j if j <= i + (S - Tq), the last query seeing all.
enum class attention_mask { none, causal };

/// Up to this many keys the forward keeps the probabilities, for reading them is faster than computing them again.
inline constexpr std::size_t attention_kept_keys = 64;

/// Elements that the forward saves for the backward: the probabilities of up to 64 keys, else a number a query.
/// For sizes that vary at run time, call it with their capacities and pass the capacity of S to the kernels too.
constexpr std::size_t attention_saved_size(std::size_t B, std::size_t Tq, std::size_t S, std::size_t H) {
    return B * H * Tq * (S <= attention_kept_keys ? S : 1);
}

/// Elements of scratch memory that the backward needs besides its threads' own: none.
constexpr std::size_t attention_workspace_size(std::size_t, std::size_t, std::size_t, std::size_t, std::size_t) {
    return 0;
}

namespace detail {

struct attention_sizes {
    std::size_t B, Tq, S, H, D;
    std::size_t capacity;  ///< of S: decides what is saved
    std::int32_t const* key_lengths;
    bool causal;
    std::size_t group;  ///< query heads that share a head of keys and values
};

template <class T>
head_rows<T> rows_of(attention_operand<T> const& x, std::size_t b, std::size_t h) {
    return {x.data + static_cast<std::ptrdiff_t>(b) * x.stride.batch + static_cast<std::ptrdiff_t>(h) * x.stride.head,
            x.stride.time};
}

template <class T>
attention_head<T> head_of(attention_sizes const& n, std::size_t b, T scale) {
    std::size_t length = n.S;
    if (n.key_lengths != nullptr)
        length =
            static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(n.key_lengths[b], 0, static_cast<std::ptrdiff_t>(n.S)));
    return {n.Tq, n.S, n.D, length, n.causal, scale};
}

/// Multiply-adds of a head that are worth a part of a loop; fewer where they wait for memory, as with one query.
inline constexpr std::size_t attention_part = std::size_t{1} << 18, attention_part_of_memory = std::size_t{1} << 14;

/// f(b, h, index) for every head, on several threads when that pays; heads of one group stay together.
template <class F>
void for_heads(attention_sizes const& n, F const& f) {
    if (n.D > largest_head)
        fail_expectation("attention", "a head of at most " + std::to_string(largest_head) + " elements",
                         std::to_string(n.D));
    const std::size_t work = std::max<std::size_t>(1, n.group * n.Tq * n.S * n.D);
    const std::size_t grain = std::max<std::size_t>(1, (n.Tq == 1 ? attention_part_of_memory : attention_part) / work);
    parallel_for(n.B * n.H / n.group, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin * n.group; i < end * n.group; ++i) f(i / n.H, i % n.H, i);
    });
}

/// Of the saved memory, the part of head `index`, if it is of the kind asked for.
template <class T>
T* kept_of(attention_sizes const& n, T* saved, std::size_t index) {
    return saved != nullptr && n.capacity <= attention_kept_keys ? saved + index * n.Tq * n.S : nullptr;
}
template <class T>
T* lse_of(attention_sizes const& n, T* saved, std::size_t index) {
    return saved != nullptr && n.capacity > attention_kept_keys ? saved + index * n.Tq : nullptr;
}

template <class T>
[[gnu::noinline]] void run_attention(attention_sizes const& n, attention_operand<T const> const& q,
                                     attention_operand<T const> const& k, attention_operand<T const> const& v,
                                     attention_operand<T> const& out, T* saved, T scale) {
    for_heads(n, [&](std::size_t b, std::size_t h, std::size_t i) {
        const attention_head<T> head = head_of(n, b, scale);
        attend(head,
               attention_products<T>(head, rows_of(q, b, h), rows_of(k, b, h / n.group), rows_of(v, b, h / n.group)),
               rows_of(out, b, h), kept_of(n, saved, i), lse_of(n, saved, i));
    });
}

}  // namespace detail

/// Multi-head attention: out[b,i,h,:] = sum over j of softmax_j(scale * q[b,i,h,:] . k[b,j,h,:]) v[b,j,h,:].
///
/// q, out: [B, Tq, H, D]; k, v: [B, S, H / group, D]: heads h and h + 1 of one group of `group` read the same keys
/// and values. `key_lengths` is null or B numbers: entry b has that many keys, the rest
/// is padding. A query that sees no key gets zeros. `saved`, of `attention_saved_size` elements, is for the backward;
/// null saves nothing. `capacity_of_s` is the largest S that `saved` was laid out for (0: S itself).
/// Throws `exception` if D > 1024. Up to 64 keys the probabilities are stored, beyond, the softmax is online over tiles
/// of keys and hidden tiles are skipped. Never allocates; bits do not depend on the number of threads.
/// Sources: Vaswani et al. 2017; Dao, "FlashAttention-2", 2023.
/// PyTorch: torch.nn.functional.scaled_dot_product_attention (there is_causal aligns to the first key when S != Tq).
template <attention_mask Mask, class T>
void attention(auto B, auto Tq, auto S, auto H, auto D, std::type_identity_t<attention_operand<T const>> q,
               std::type_identity_t<attention_operand<T const>> k, std::type_identity_t<attention_operand<T const>> v,
               attention_operand<T> out, std::type_identity_t<T>* saved, std::type_identity_t<T> scale,
               std::int32_t const* key_lengths, std::size_t capacity_of_s = 0, std::size_t group = 1) {
    const std::size_t s = S;
    detail::run_attention<T>(
        {B, Tq, s, H, D, capacity_of_s == 0 ? s : capacity_of_s, key_lengths, Mask == attention_mask::causal, group}, q,
        k, v, out, saved, scale);
}

}  // namespace tenet::kernel
