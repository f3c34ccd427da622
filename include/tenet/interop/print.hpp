// SPDX-License-Identifier: MIT
// interop: tensors printed as xtensor prints arrays: nested braces, long axes shortened.
#pragma once

#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#else
#include <xtensor/xio.hpp>
#endif

#include <ostream>

#include <tenet/interop/view.hpp>

namespace tenet {

/// Prints the values of `t`. `xt::print_options` apply: `std::cout << xt::print_options::precision(3) << t`.
template <class T, class... A>
std::ostream& operator<<(std::ostream& out, tensor<T, A...> const& t) {
    if constexpr (sizeof...(A) == 0) return out << t.data()[0];
    else return xt::operator<<(out, view(t));
}

}  // namespace tenet
