// SPDX-License-Identifier: MIT
// kernel: cross-entropy of logits against class indices, forward and backward, with label smoothing, ignored rows and
// padded columns (a vocabulary padded to whole registers). The backward rebuilds probabilities from one number a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenet/kernel/norm_rows.hpp>
#include <tenet/kernel/reduce.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/kernel/softmax_rows.hpp>

namespace tenet::kernel {

namespace detail {

/// The first row whose target is neither below `valid` nor `ignore_index`, or -1.
inline std::ptrdiff_t first_bad_target(std::int32_t const* targets, std::size_t rows, std::size_t valid,
                                       std::int32_t ignore_index) {
    for (std::size_t r = 0; r < rows; ++r)
        if (targets[r] != ignore_index && (targets[r] < 0 || static_cast<std::size_t>(targets[r]) >= valid))
            return static_cast<std::ptrdiff_t>(r);
    return -1;
}

inline std::size_t kept_rows(std::int32_t const* targets, std::size_t rows, std::int32_t ignore_index) {
    std::size_t kept = 0;
    for (std::size_t r = 0; r < rows; ++r) kept += targets[r] != ignore_index;
    return kept;
}

// (1 - e) (lse - x[target]) + e (lse - mean(x)), from the parts of lse: each difference is taken to the maximum.
template <class T, class N>
[[gnu::flatten]] T cross_entropy_of_row(T const* x, std::size_t target, T* lse, N valid, T smoothing) {
    const auto [shift, log_sum] = row_logsumexp(x, valid);
    lse[0] = shift;
    lse[1] = log_sum;
    const T loss = (shift - x[target]) + log_sum;
    if (smoothing == T{0}) return loss;
    const batch<T> m(shift);
    const T below = fold<T, adding<T>>(valid, [=](std::size_t i, auto t) { return m - load(x + i, t); });
    return (T{1} - smoothing) * loss + smoothing * (below / static_cast<T>(valid) + log_sum);
}

// scale (p - (1 - e) [j = target] - e / valid) in the valid columns, 0 in the others and in rows that are ignored.
template <class T, class D, class N>
[[gnu::flatten]] void cross_entropy_backward_row(T const* x, std::int32_t target, bool ignored, T const* lse, T scale,
                                                 D* dx, std::size_t classes, N valid, T smoothing) {
    std::size_t written = 0;
    if (!ignored) {
        const batch<T> shift(lse[0]), log_sum(lse[1]), factor(scale),
            uniform(scale * smoothing / static_cast<T>(valid));
        const auto gradient = [=](batch<T> const& logit) {
            return simd::exp_not_positive<T>((logit - shift) - log_sum) * factor - uniform;
        };
        for_vectors<T>(valid, [=](std::size_t i, auto t) { store<T>(gradient(load(x + i, t)), dx + i, t); });
        const T target_part = scale * (T{1} - smoothing);
        if constexpr (std::is_same_v<D, T>) dx[target] -= target_part;
        else  // the whole of it is rounded, once
            store<T>(batch<T>(gradient(batch<T>(x[target])).get(0) - target_part), dx + target, part{1});
        written = valid;
    }
    for_vectors<T>(classes - written, [=](std::size_t i, auto t) { store<T>(batch<T>(T{0}), dx + written + i, t); });
}

}  // namespace detail

/// losses[r] = (1 - e) (lse - x[target]) + e (lse - mean(x)) for each row x of logits, with e the label smoothing; 0
/// where the target is `ignore_index`. lse = log(sum(exp(x))) is kept for the backward as two numbers a row, the
/// maximum and the rest: one number would round away the rest of large logits.
///
/// logits: [rows, classes], of which only the first `valid` columns exist (the others count as -inf); targets, losses:
/// [rows]; lse: [rows, 2]. Returns -1, or the first row whose target is not below `valid` and not `ignore_index`, and
/// then writes nothing. Logits of any finite size are safe. PyTorch: cross_entropy(..., reduction='none').
template <class T>
std::ptrdiff_t cross_entropy_rows(T const* logits, std::int32_t const* targets, T* losses, T* lse, auto rows,
                                  auto classes, auto valid, std::int32_t ignore_index,
                                  detail::same_as<T> label_smoothing) {
    const auto length = detail::row_length<T>(valid);
    const std::size_t stride = classes;
    if (const auto bad = detail::first_bad_target(targets, rows, length, ignore_index); bad >= 0) return bad;
    detail::for_rows(rows, 2 * length, [=](std::size_t r) {
        lse[2 * r] = lse[2 * r + 1] = losses[r] = T{0};
        if (targets[r] != ignore_index)
            losses[r] = detail::cross_entropy_of_row(logits + r * stride, static_cast<std::size_t>(targets[r]),
                                                     lse + 2 * r, length, label_smoothing);
    });
    return -1;
}

/// dlogits[r, j] = dlosses[r] (softmax(x)[j] - (1 - e) [j = target] - e / valid); exactly 0 in padded columns and
/// ignored rows. lse as `cross_entropy_rows` left it; dlogits may be logits, or of `bfloat16`.
template <class T, class D>
void cross_entropy_rows_backward(T const* logits, std::int32_t const* targets, T const* lse, T const* dlosses,
                                 D* dlogits, auto rows, auto classes, auto valid, std::int32_t ignore_index,
                                 detail::same_as<T> label_smoothing) {
    const auto length = detail::row_length<T>(valid);
    const std::size_t stride = classes;
    detail::for_rows(rows, stride, [=](std::size_t r) {
        detail::cross_entropy_backward_row(logits + r * stride, targets[r], targets[r] == ignore_index, lse + 2 * r,
                                           dlosses[r], dlogits + r * stride, stride, length, label_smoothing);
    });
}

/// Elements of workspace that `cross_entropy` needs: the loss of each row.
constexpr std::size_t cross_entropy_workspace(std::size_t rows) {
    return rows;
}

/// *loss = the mean over the rows not ignored (`mean`), or the sum, of the losses of `cross_entropy_rows`; otherwise as
/// there. The mean over no rows is NaN, as in PyTorch.
///
/// workspace: cross_entropy_workspace(rows) elements. PyTorch: torch.nn.functional.cross_entropy.
template <class T>
std::ptrdiff_t cross_entropy(T const* logits, std::int32_t const* targets, T* loss, T* lse, T* workspace, auto rows,
                             auto classes, auto valid, std::int32_t ignore_index, detail::same_as<T> label_smoothing,
                             bool mean) {
    const auto bad =
        cross_entropy_rows(logits, targets, workspace, lse, rows, classes, valid, ignore_index, label_smoothing);
    if (bad >= 0) return bad;
    reduce<reduction::sum>(workspace, loss, constant<1>{}, static_cast<std::size_t>(rows), constant<1>{});
    if (mean) *loss /= static_cast<T>(detail::kept_rows(targets, rows, ignore_index));
    return -1;
}

/// The derivative of `cross_entropy` by the logits, *dloss being that by its result; lse as it was left there; dlogits
/// may be logits, or of `bfloat16`. Padded columns and ignored rows get exactly 0.
template <class T, class D>
void cross_entropy_backward(T const* logits, std::int32_t const* targets, T const* lse, T const* dloss, D* dlogits,
                            auto rows, auto classes, auto valid, std::int32_t ignore_index,
                            detail::same_as<T> label_smoothing, bool mean) {
    const auto length = detail::row_length<T>(valid);
    const std::size_t stride = classes;
    const std::size_t kept = detail::kept_rows(targets, rows, ignore_index);
    const T scale = mean && kept != 0 ? *dloss / static_cast<T>(kept) : *dloss;
    detail::for_rows(rows, stride, [=](std::size_t r) {
        detail::cross_entropy_backward_row(logits + r * stride, targets[r], targets[r] == ignore_index, lse + 2 * r,
                                           scale, dlogits + r * stride, stride, length, label_smoothing);
    });
}

}  // namespace tenet::kernel
