// SPDX-License-Identifier: MIT
// kernel: root-mean-square normalisation of rows, forward and backward; built as layer_norm.hpp is.
#pragma once

#include <cmath>
#include <cstddef>

#include <tenet/kernel/norm_rows.hpp>
#include <tenet/kernel/row.hpp>

namespace tenet::kernel {

namespace detail {

template <std::size_t Rows, class T, class Y, class N>
[[gnu::flatten]] void rms_norm_rows(T const* x, T const* gamma, Y* y, T* rstd, N n, T eps) {
    batch<T> scale[Rows];
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        T const* const row = x + k * n;
        const T square =
            fold<T, adding<T>>(n, [=](std::size_t i, auto t) { return square_alone<T>(load(row + i, t)); });
        rstd[k] = T{1} / std::sqrt(square / static_cast<T>(n) + eps);
        scale[k] = batch<T>(rstd[k]);
    }
    for_vectors<T>(n, [=, &scale](std::size_t i, auto t) {
        batch<T> gain(T{1});
        if (gamma) gain = load(gamma + i, t);
        TENET_UNROLL
        for (std::size_t k = 0; k < Rows; ++k) store<T>(load(x + k * n + i, t) * scale[k] * gain, y + k * n + i, t);
    });
}

}  // namespace detail

/// y = x rstd gamma by rows; rstd = 1 / sqrt(mean(x^2) + eps) is kept for the backward.
///
/// x, y: [rows, n], gamma: [n] or null (1), rstd: [rows]; y may be x, or of `bfloat16`.
/// PyTorch: torch.nn.functional.rms_norm. Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
template <class T, class Y>
void rms_norm(T const* x, detail::same_as<T> const* gamma, Y* y, T* rstd, auto rows, auto n, detail::same_as<T> eps) {
    const auto length = detail::row_length<T>(n);
    detail::for_some_rows(rows, length, [=](std::size_t r, auto count) {
        detail::rms_norm_rows<decltype(count)::value>(x + r * length, gamma, y + r * length, rstd + r, length, eps);
    });
}

/// Elements of workspace that `rms_norm_backward` needs.
constexpr std::size_t rms_norm_backward_workspace(std::size_t rows, std::size_t n) {
    return detail::row_chunks(rows) * n;
}

namespace detail {

/// The arrays of an rms_norm_backward; dx and gamma may be null.
template <class T>
struct rms_norm_arrays {
    T const *dy, *x, *gamma, *rstd;
    T* dx;
};

// `Rows` rows from `r` on; sums: those of gamma; there are none if it has no gradient.
template <std::size_t Rows, bool Sums, class T, class N>
[[gnu::flatten]] void rms_norm_backward_rows(rms_norm_arrays<T> a, std::size_t r, N n, [[maybe_unused]] T* sums) {
    batch<T> rstd[Rows], of_gx[Rows];
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        T const *const dy = a.dy + (r + k) * n, *const x = a.x + (r + k) * n, *const gamma = a.gamma;
        const batch<T> s(a.rstd[r + k]);
        T total = 0;
        if (a.dx)
            total = fold<T, adding<T>>(n, [=](std::size_t i, auto t) {
                batch<T> g = load(dy + i, t);
                if (gamma) g = g * load(gamma + i, t);
                return g * (load(x + i, t) * s);
            });
        rstd[k] = s;
        of_gx[k] = batch<T>(total / static_cast<T>(n));
    }
    for_vectors<T>(n, [&](std::size_t i, auto t) {
        batch<T> factor(T{1});
        [[maybe_unused]] batch<T> for_gamma(T{0});
        if (a.gamma) factor = load(a.gamma + i, t);
        TENET_UNROLL
        for (std::size_t k = 0; k < Rows; ++k) {
            const std::size_t at = (r + k) * n + i;
            const batch<T> dy = load(a.dy + at, t), x = load(a.x + at, t) * rstd[k];
            if constexpr (Sums) for_gamma = simd::fma<T>(dy, x, for_gamma);
            if (a.dx) store<T>(simd::fnma<T>(x, of_gx[k], dy * factor) * rstd[k], a.dx + at, t);
        }
        if constexpr (Sums) store<T>(load(sums + i, t) + for_gamma, sums + i, t);
    });
}

template <bool Sums, class T, class N>
void rms_norm_backward_chunk(rms_norm_arrays<T> const& arrays, std::size_t r, std::size_t last, N n, T* sums) {
    for (; r + 4 <= last; r += 4) rms_norm_backward_rows<4, Sums>(arrays, r, n, sums);
    for (; r < last; ++r) rms_norm_backward_rows<1, Sums>(arrays, r, n, sums);
}

}  // namespace detail

/// dx alone, where gamma is frozen: `rms_norm_backward` without the code of its gradient.
template <class T>
void rms_norm_input_backward(T const* dy, T const* x, detail::same_as<T> const* gamma, T const* rstd, T* dx, auto rows,
                             auto n) {
    const auto length = detail::row_length<T>(n);
    const detail::rms_norm_arrays<T> arrays{dy, x, gamma, rstd, dx};
    detail::for_row_chunks<T>(rows, 2 * length, 0, static_cast<T*>(nullptr),
                              [=](std::size_t r, std::size_t last, T* none) {
                                  detail::rms_norm_backward_chunk<false>(arrays, r, last, length, none);
                              });
}

/// The derivatives of `rms_norm`: dx = rstd (g - x' mean(g x')) with g = dy gamma and x' = x rstd; dgamma = sum over
/// rows of dy x'. Both are overwritten, not added to.
///
/// dy, x, dx: [rows, n]; gamma: [n] or null; rstd: [rows]; dgamma: [n]; dx and dgamma may be null, dx may be dy.
/// workspace: rms_norm_backward_workspace(rows, n) elements, unused if dgamma is null.
template <class T>
void rms_norm_backward(T const* dy, T const* x, detail::same_as<T> const* gamma, T const* rstd, detail::same_as<T>* dx,
                       detail::same_as<T>* dgamma, detail::same_as<T>* workspace, auto rows, auto n) {
    const auto length = detail::row_length<T>(n);
    if (!dgamma) {
        if (dx) rms_norm_input_backward<T>(dy, x, gamma, rstd, dx, rows, n);
        return;
    }
    const detail::rms_norm_arrays<T> arrays{dy, x, gamma, rstd, dx};
    const std::size_t count = rows, width = length;
    detail::for_row_chunks<T>(count, 2 * length, width, workspace, [=](std::size_t r, std::size_t last, T* sums) {
        detail::rms_norm_backward_chunk<true>(arrays, r, last, length, sums);
    });
    detail::add_row_chunks<T>(count, width, workspace, dgamma, length);
}

}  // namespace tenet::kernel
