// SPDX-License-Identifier: MIT
// base: the only macros of the library, besides the version numbers.
#pragma once

/// Forces a function into its caller: the micro-operations of a fused loop must become one loop body.
#define TENET_INLINE [[gnu::always_inline]] inline

/// Unrolls the following loop, whose trip count is a small constant.
#if defined(__clang__)
#define TENET_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TENET_UNROLL _Pragma("GCC unroll 64")
#endif
