// SPDX-License-Identifier: MIT
// kernel: causal attention with a memory of earlier keys and values. New ones are appended, then every new query
// attends over all; one query a head reads each key once, which is what a step of generation is bound by.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <tenet/kernel/attention.hpp>
#include <tenet/kernel/copy.hpp>

namespace tenet::kernel {

/// Sizes of cached attention: B entries of T new rows, a cache of `capacity` rows, H heads of D elements, of which each
/// `group` share keys and values.
struct cached_attention_sizes {
    std::size_t B, T, capacity, H, D, group;
};

/// Its operands: q, k, v and out hold the new rows; `keys` and `values` are the cache, whose `time` runs over its rows.
template <class T>
struct cached_attention_operands {
    attention_operand<T> q, k, v, keys, values, out;
};

namespace detail {

template <class T>
void append_rows(attention_operand<T> const& from, attention_operand<T> const& to, std::size_t b, std::size_t h,
                 std::size_t first, std::size_t count, std::size_t size) {
    const head_rows<T> source = rows_of(from, b, h), target = rows_of(to, b, h);
    for (std::size_t i = 0; i < count; ++i) std::copy_n(source.row(i), size, target.row(first + i));
}

template <class T>
head_rows<T const> constant_rows(head_rows<T> const& x) {
    return {x.data, x.stride};
}

}  // namespace detail

/// Entry b has `start[b]` rows in the cache and `count[b]` new ones (null: T each). The new keys and values become rows
/// start[b] + i of the cache, and query i sees the keys 0 .. start[b] + i:
/// out[b,i,h,:] = sum over j <= start[b] + i of softmax_j(scale * q[b,i,h,:] . keys[b,j,h',:]) values[b,j,h',:], with
/// h' = h / group. Rows beyond count[b] of `out` are zeroed.
///
/// q, out: [B, T, H, D]; k, v: [B, T, H / group, D]; keys, values: [B, capacity, H / group, D], by any strides.
/// Throws `exception`, before anything is written, if a start is negative, a count is not within 0 .. T, or an entry
/// exceeds the capacity. Bits do not depend on the number of threads, nor those of an entry on other entries.
template <class T>
[[gnu::noinline]] void cached_attention(cached_attention_sizes const& n, cached_attention_operands<T> const& x,
                                        std::int32_t const* start, std::int32_t const* count, T scale) {
    const auto starts = [&](std::size_t b) { return static_cast<std::size_t>(start[b]); };
    const auto counts = [&](std::size_t b) { return count == nullptr ? n.T : static_cast<std::size_t>(count[b]); };
    std::size_t longest = 0, most = 0;
    for (std::size_t b = 0; b < n.B; ++b) {
        const std::string entry = "cached attention, entry " + std::to_string(b);
        if (count != nullptr && (count[b] < 0 || counts(b) > n.T))
            fail_expectation(entry, "0 to " + std::to_string(n.T) + " new rows", std::to_string(count[b]));
        if (start[b] < 0) fail_expectation(entry, "a start of 0 or more", std::to_string(start[b]));
        if (counts(b) > n.capacity || starts(b) > n.capacity - counts(b))
            fail_expectation(entry, "at most " + std::to_string(n.capacity) + " rows in the cache",
                             std::to_string(start[b]) + " and " + std::to_string(counts(b)) + " new ones");
        longest = std::max(longest, starts(b) + counts(b));
        most = std::max(most, counts(b));
    }
    const std::size_t key_heads = n.H / n.group;
    parallel_for(n.B * key_heads,
                 std::max<std::size_t>(1, (std::size_t{1} << 16) / std::max<std::size_t>(1, most * n.D)),
                 [&](std::size_t begin, std::size_t end) {
                     for (std::size_t i = begin; i < end; ++i) {
                         const std::size_t b = i / key_heads, h = i % key_heads;
                         detail::append_rows(x.k, x.keys, b, h, starts(b), counts(b), n.D);
                         detail::append_rows(x.v, x.values, b, h, starts(b), counts(b), n.D);
                     }
                 });
    // The heads of a group read the same keys: together if there is one new row, else one after the other.
    detail::for_heads({n.B, std::max<std::size_t>(1, most), longest, n.H, n.D, n.capacity, nullptr, true, n.group},
                      [&](std::size_t b, std::size_t h, std::size_t) {
                          const std::size_t rows = counts(b), keys = starts(b) + rows;
                          const auto q = detail::rows_of(x.q, b, h), out = detail::rows_of(x.out, b, h);
                          const auto k = detail::constant_rows(detail::rows_of(x.keys, b, h / n.group));
                          const auto v = detail::constant_rows(detail::rows_of(x.values, b, h / n.group));
                          detail::fill_rows_with_zero(out, rows, n.T, n.D);
                          if (rows == 1 && n.group > 1) {
                              if (h % n.group != 0) return;
                              const detail::attention_head<T> heads{n.group, keys, n.D, keys, false, scale};
                              const detail::attention_products<T> products(heads, {q.data, x.q.stride.head}, k, v);
                              detail::attend<detail::attention_products<T>, T>(
                                  heads, products, {out.data, x.out.stride.head}, nullptr, nullptr);
                              for (std::size_t g = 1; g < n.group; ++g)
                                  detail::fill_rows_with_zero(detail::rows_of(x.out, b, h + g), 1, n.T, n.D);
                          } else if (rows > 0) {
                              const detail::attention_head<T> head{rows, keys, n.D, keys, true, scale};
                              const detail::attention_products<T> products(head, detail::constant_rows(q), k, v);
                              detail::attend<detail::attention_products<T>, T>(head, products, out, nullptr, nullptr);
                          }
                      });
}

}  // namespace tenet::kernel
