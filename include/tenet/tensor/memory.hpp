// SPDX-License-Identifier: MIT
// tensor: aligned memory, touched once when it is allocated and never in a step.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tenet {

/// The alignment of all memory of the library, in bytes: one AVX-512 register, one cache line.
inline constexpr std::size_t alignment = 64;

namespace detail {
struct aligned_delete {
    std::size_t align = alignment;
    void operator()(void* p) const { ::operator delete(p, std::align_val_t{align}); }
};
}  // namespace detail

/// An owned, aligned array.
template <class T>
using aligned_array = std::unique_ptr<T[], detail::aligned_delete>;

/// `n` zeroed elements, padded to whole cache lines. Blocks of 4 MiB and more ask for huge pages before they are
/// touched, since the first touch of small pages costs more than a training step.
template <class T>
aligned_array<T> allocate(std::size_t n) {
    const std::size_t bytes = (n * sizeof(T) + alignment - 1) / alignment * alignment + (n == 0 ? alignment : 0);
    constexpr std::size_t huge = std::size_t{2} << 20;
    const std::size_t align = bytes >= 2 * huge ? huge : alignment;
    void* const p = ::operator new(bytes, std::align_val_t{align});
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (align == huge) madvise(p, bytes / huge * huge, MADV_HUGEPAGE);
#endif
    std::memset(p, 0, bytes);
    return aligned_array<T>(static_cast<T*>(p), detail::aligned_delete{align});
}

}  // namespace tenet
