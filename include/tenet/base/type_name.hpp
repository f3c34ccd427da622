// SPDX-License-Identifier: MIT
// base: readable names of types at compile time, cut out of the compiler's pretty function string.
#pragma once

#include <cstddef>
#include <string_view>

namespace tenet {
namespace detail {

template <class T>
constexpr std::string_view pretty_type() {
    return __PRETTY_FUNCTION__;
}

// What stands before and after the type's name is the same for every type: measured once, on `int`.
inline constexpr std::size_t type_name_prefix = pretty_type<int>().find("int");
inline constexpr std::size_t type_name_suffix = [] {
    // g++ appends "; std::string_view = ...", clang "]": cut at the first ';' or ']' that ends the bracket list.
    return pretty_type<int>().size() - type_name_prefix - 3;
}();

}  // namespace detail

/// The full name of `T` as the compiler writes it, e.g. "my::Batch".
template <class T>
constexpr std::string_view type_name() {
    const std::string_view all = detail::pretty_type<T>();
    return all.substr(detail::type_name_prefix, all.size() - detail::type_name_prefix - detail::type_name_suffix);
}

/// The last component of the name of `T`, e.g. "Batch"; template arguments are kept.
template <class T>
constexpr std::string_view short_type_name() {
    const std::string_view name = type_name<T>();
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = 0; i + 1 < name.size(); ++i) {
        if (name[i] == '<' || name[i] == '(') ++depth;
        if (name[i] == '>' || name[i] == ')') --depth;
        if (depth == 0 && name[i] == ':' && name[i + 1] == ':') begin = i + 2;
    }
    return name.substr(begin);
}

}  // namespace tenet
