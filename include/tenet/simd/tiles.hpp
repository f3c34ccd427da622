// SPDX-License-Identifier: MIT
// simd: products of whole tiles of bfloat16 numbers, where the processor has a unit for them (AMX: Sapphire Rapids and
// later): 16 by 16 results and 32 steps of k an instruction, sixteen times the rate of a fused multiply-add. The
// instructions are written out, since compilers' intrinsics differ; there is no version for other machines.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenet/base/macros.hpp>

#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#define TENET_HAS_TILES 1
#else
#define TENET_HAS_TILES 0
#endif

namespace tenet::simd {

/// Whether the program is compiled for a processor with tiles.
inline constexpr bool has_tiles = TENET_HAS_TILES != 0;

/// Rows of a tile, its columns of results, and the pairs along k of a row of the left operand; of the right operand a
/// tile has as many rows of pairs as columns.
inline constexpr std::size_t tile_size = 16;

/// Whether the kernel lets this process use them: it is asked once.
inline bool tiles_allowed() {
#if TENET_HAS_TILES
    constexpr long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    static const bool allowed = syscall(SYS_arch_prctl, request, tile_data) == 0;
    return allowed;
#else
    return false;
#endif
}

#if TENET_HAS_TILES

/// Tiles 0 to 7 of this thread, each of 16 rows of 64 bytes, for as long as this object lives.
class tiles_in_use {
public:
    tiles_in_use() {
        alignas(64) struct {
            std::uint8_t palette = 1, start = 0, reserved[14] = {};
            std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } const shape;
        asm volatile("ldtilecfg %0" ::"m"(shape));
    }
    ~tiles_in_use() { asm volatile("tilerelease" ::: "memory"); }
    tiles_in_use(tiles_in_use const&) = delete;
    tiles_in_use& operator=(tiles_in_use const&) = delete;
};

template <int Tile>
TENET_INLINE void zero_tile() {
    asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
}
/// Rows lie `stride` bytes apart.
template <int Tile>
TENET_INLINE void load_tile(void const* p, std::ptrdiff_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(p), "r"(stride), "i"(Tile) : "memory");
}
template <int Tile>
TENET_INLINE void store_tile(void* p, std::ptrdiff_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(p), "r"(stride), "i"(Tile) : "memory");
}
/// sum[i, j] += the sum over s < 16 of the products of pair s of row i of x and pair j of row s of y, with float sums;
/// denormal numbers count as zero.
template <int Sum, int X, int Y>
TENET_INLINE void dot_tiles() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sum), "i"(X), "i"(Y));
}

#endif

}  // namespace tenet::simd
