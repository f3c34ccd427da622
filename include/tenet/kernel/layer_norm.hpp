// SPDX-License-Identifier: MIT
// kernel: layer normalisation of rows, forward and backward. The variance is taken around the mean found first; the
// backward works on four rows at a time, so that the sums for gamma and beta are read and written once for all four.
#pragma once

#include <cmath>
#include <cstddef>

#include <tenet/kernel/norm_rows.hpp>
#include <tenet/kernel/row.hpp>

namespace tenet::kernel {

namespace detail {

// Several short rows pass by pass, since a row's passes wait for each other. Long rows want fewer streams. Products are
// written so that the compiler joins none with a sum in some places only: a row has the same bits in any company.
template <std::size_t Rows, class T, class Y, class N>
[[gnu::flatten]] void layer_norm_rows(T const* x, T const* gamma, T const* beta, Y* y, T* mean, T* rstd, N n, T eps) {
    batch<T> shift[Rows], scale[Rows];
    T square[Rows];
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        T const* const row = x + k * n;
        mean[k] = fold<T, adding<T>>(n, [=](std::size_t i, auto t) { return load(row + i, t); }) / static_cast<T>(n);
        shift[k] = batch<T>(mean[k]);
    }
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        T const* const row = x + k * n;
        const batch<T> m = shift[k];
        square[k] = fold<T, adding<T>>(n, [=](std::size_t i, auto t) {
            const batch<T> d = load(row + i, t) - m;
            return square_alone<T>(d);
        });
    }
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        rstd[k] = T{1} / std::sqrt(square[k] / static_cast<T>(n) + eps);
        scale[k] = batch<T>(rstd[k]);
    }
    for_vectors<T>(n, [=, &shift, &scale](std::size_t i, auto t) {
        batch<T> gain(T{1}), bias(T{0});
        if (gamma) gain = load(gamma + i, t);
        if (beta) bias = load(beta + i, t);
        TENET_UNROLL
        for (std::size_t k = 0; k < Rows; ++k) {
            const batch<T> v = (load(x + k * n + i, t) - shift[k]) * scale[k];
            store<T>(simd::fma<T>(v, gain, bias), y + k * n + i, t);
        }
    });
}

}  // namespace detail

/// y = (x - mean) rstd gamma + beta by rows; mean and rstd = 1 / sqrt(variance + eps), the variance being the biased
/// one, are kept for the backward.
///
/// x, y: [rows, n], gamma and beta: [n] or null (1 and 0), mean and rstd: [rows]; y may be x, or of `bfloat16`.
/// PyTorch: torch.nn.functional.layer_norm. Ba, Kiros, Hinton, "Layer Normalization", 2016.
template <class T, class Y>
void layer_norm(T const* x, detail::same_as<T> const* gamma, detail::same_as<T> const* beta, Y* y, T* mean, T* rstd,
                auto rows, auto n, detail::same_as<T> eps) {
    const auto length = detail::row_length<T>(n);
    detail::for_some_rows(rows, length, [=](std::size_t r, auto count) {
        detail::layer_norm_rows<decltype(count)::value>(x + r * length, gamma, beta, y + r * length, mean + r, rstd + r,
                                                        length, eps);
    });
}

/// Elements of workspace that `layer_norm_backward` needs.
constexpr std::size_t layer_norm_backward_workspace(std::size_t rows, std::size_t n) {
    return detail::row_chunks(rows) * 2 * n;
}

namespace detail {

/// The arrays of a layer_norm_backward; dx, and gamma, may be null, and `sums` if neither is wanted.
template <class T>
struct layer_norm_arrays {
    T const *dy, *x, *gamma, *mean, *rstd;
    T* dx;
};

// `Rows` rows from `r` on; sums: those of gamma, then those of beta; there are none if the weights have no gradient.
template <std::size_t Rows, bool Sums, class T, class N>
[[gnu::flatten]] void layer_norm_backward_rows(layer_norm_arrays<T> a, std::size_t r, N n, [[maybe_unused]] T* sums) {
    batch<T> mean[Rows], rstd[Rows], of_g[Rows], of_gx[Rows];
    TENET_UNROLL
    for (std::size_t k = 0; k < Rows; ++k) {
        T const *const dy = a.dy + (r + k) * n, *const x = a.x + (r + k) * n, *const gamma = a.gamma;
        const batch<T> m(a.mean[r + k]), s(a.rstd[r + k]);
        two<T> total{};
        if (a.dx)
            total = fold<T, adding_two<T>>(n, [=](std::size_t i, auto t) {
                batch<T> g = load(dy + i, t);
                if (gamma) g = g * load(gamma + i, t);
                return two<batch<T>>{g, g * ((load(x + i, t) - m) * s)};
            });
        mean[k] = m;
        rstd[k] = s;
        of_g[k] = batch<T>(total.first / static_cast<T>(n));
        of_gx[k] = batch<T>(total.second / static_cast<T>(n));
    }
    for_vectors<T>(n, [&](std::size_t i, auto t) {
        batch<T> factor(T{1});
        [[maybe_unused]] batch<T> for_gamma(T{0}), for_beta(T{0});
        if (a.gamma) factor = load(a.gamma + i, t);
        TENET_UNROLL
        for (std::size_t k = 0; k < Rows; ++k) {
            const std::size_t at = (r + k) * n + i;
            const batch<T> dy = load(a.dy + at, t), x = (load(a.x + at, t) - mean[k]) * rstd[k];
            if constexpr (Sums) {
                for_gamma = simd::fma<T>(dy, x, for_gamma);
                for_beta = for_beta + dy;
            }
            if (a.dx) store<T>((simd::fnma<T>(x, of_gx[k], dy * factor) - of_g[k]) * rstd[k], a.dx + at, t);
        }
        if constexpr (Sums) {
            store<T>(load(sums + i, t) + for_gamma, sums + i, t);
            store<T>(load(sums + n + i, t) + for_beta, sums + n + i, t);
        }
    });
}

template <bool Sums, class T, class N>
void layer_norm_backward_chunk(layer_norm_arrays<T> const& arrays, std::size_t r, std::size_t last, N n, T* sums) {
    for (; r + 4 <= last; r += 4) layer_norm_backward_rows<4, Sums>(arrays, r, n, sums);
    for (; r < last; ++r) layer_norm_backward_rows<1, Sums>(arrays, r, n, sums);
}

}  // namespace detail

/// dx alone, where gamma and beta are frozen: `layer_norm_backward` without the code of their gradients.
template <class T>
void layer_norm_input_backward(T const* dy, T const* x, detail::same_as<T> const* gamma, T const* mean, T const* rstd,
                               T* dx, auto rows, auto n) {
    const auto length = detail::row_length<T>(n);
    const detail::layer_norm_arrays<T> arrays{dy, x, gamma, mean, rstd, dx};
    detail::for_row_chunks<T>(rows, 2 * length, 0, static_cast<T*>(nullptr),
                              [=](std::size_t r, std::size_t last, T* none) {
                                  detail::layer_norm_backward_chunk<false>(arrays, r, last, length, none);
                              });
}

/// The derivatives of `layer_norm`, from what it was given and what it kept:
/// dx = rstd (g - mean(g) - x' mean(g x')) with g = dy gamma and x' = (x - mean) rstd; dgamma = sum over rows of dy x',
/// dbeta = sum over rows of dy. All are overwritten, not added to.
///
/// dy, x, dx: [rows, n]; gamma: [n] or null; mean, rstd: [rows]; dgamma, dbeta: [n]; dx, dgamma, dbeta may be null, dx
/// may be dy. workspace: layer_norm_backward_workspace(rows, n) elements, unused if dgamma and dbeta are null.
template <class T>
void layer_norm_backward(T const* dy, T const* x, detail::same_as<T> const* gamma, T const* mean, T const* rstd,
                         detail::same_as<T>* dx, detail::same_as<T>* dgamma, detail::same_as<T>* dbeta,
                         detail::same_as<T>* workspace, auto rows, auto n) {
    const auto length = detail::row_length<T>(n);
    if (!dgamma && !dbeta) {
        if (dx) layer_norm_input_backward<T>(dy, x, gamma, mean, rstd, dx, rows, n);
        return;
    }
    const detail::layer_norm_arrays<T> arrays{dy, x, gamma, mean, rstd, dx};
    const std::size_t count = rows, width = 2 * std::size_t{length};
    detail::for_row_chunks<T>(count, 2 * length, width, workspace, [=](std::size_t r, std::size_t last, T* sums) {
        detail::layer_norm_backward_chunk<true>(arrays, r, last, length, sums);
    });
    if (dgamma) detail::add_row_chunks<T>(count, width, workspace, dgamma, length);
    if (dbeta) detail::add_row_chunks<T>(count, width, workspace + length, dbeta, length);
}

}  // namespace tenet::kernel
