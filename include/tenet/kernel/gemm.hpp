// SPDX-License-Identifier: MIT
// kernel: matrix products.
#pragma once

#include <cstddef>

#include <tenet/base/constant.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/kernel/epilogue.hpp>
#include <tenet/kernel/gemm_finish.hpp>
#include <tenet/kernel/gemm_run.hpp>
#include <tenet/kernel/gemm_small.hpp>

namespace tenet::kernel {

/// Matrix product: c[i,j] = sum over k of a[i,k] b[k,j], or c[i,j] += ... if `accumulate`, for every batch entry.
///
/// `a` is m x k, `b` is k x n, `c` is m x n; T is float or double. Each size is a `constant<N>` or a `std::size_t` and
/// may be 0 or 1 (k = 0 zeroes c unless `accumulate`). Strides may be anything; fast are a `b` with either stride 1
/// and a `c` with either stride 1. `c` must not overlap `a` or `b`, nor one batch entry of `c` another.
/// Never allocates (about 0.6 MiB of thread-local buffers); threads share out c from about 1 M multiply-adds on, and
/// every element's additions have the same order for any number of threads.
/// Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.
/// PyTorch: torch.matmul, torch.bmm, torch.baddbmm.
template <class T>
TENET_INLINE void gemm(auto m, auto n, auto k, matrix_view<T const> a, matrix_view<T const> b, matrix_view<T> c,
                       bool accumulate, gemm_batch const& batch = {}) {
    if constexpr (detail::is_small_product<T, decltype(m), decltype(n), decltype(k)>) {
        if (batch.rank == 0 && b.column_stride == 1 && c.column_stride == 1)
            return detail::small_product<T, m, n, k>(a, b, c, accumulate);
    }
    detail::gemm_run<T>(
        {static_cast<std::size_t>(m), static_cast<std::size_t>(n), static_cast<std::size_t>(k), a, b, c, accumulate},
        batch);
}

/// The same with an epilogue, applied to each element while it is in registers or in the L1 cache.
///
/// `finish` is described at `epilogue`. From k of about 300 on, a bias and a GELU together cost below 5 % of the
/// product's time. PyTorch: torch.nn.functional.linear, then gelu, dropout and +.
template <class T>
void gemm(auto m, auto n, auto k, matrix_view<T const> a, matrix_view<T const> b, matrix_view<T> c, bool accumulate,
          epilogue<T> const& finish, gemm_batch const& batch = {}) {
    detail::gemm_problem<T> p{
        static_cast<std::size_t>(m), static_cast<std::size_t>(n), static_cast<std::size_t>(k), a, b, c, accumulate};
    if (!finish.empty())
        p.finish = {finish, c.data, &detail::finish_epilogue<T, true>, &detail::finish_epilogue<T, false>};
    detail::gemm_run<T>(p, batch);
}

}  // namespace tenet::kernel
