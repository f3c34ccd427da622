// SPDX-License-Identifier: MIT
// base: the members of an aggregate, their number and their names, without a macro and without a list.
// The names come out of the pretty-function string of a pointer to a member of an object that is never defined.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tenet {
namespace detail {

struct any_member {
    template <class T>
    constexpr operator T() const noexcept;
};

template <class T, std::size_t... I>
constexpr bool initialisable_with(std::index_sequence<I...>) {
    return requires { T{(static_cast<void>(I), any_member{})...}; };
}

}  // namespace detail

/// The most members an aggregate may have to be reflected.
inline constexpr std::size_t max_reflected_members = 24;

/// Number of members of the aggregate `T`.
template <class T>
constexpr std::size_t member_count() {
    static_assert(std::is_aggregate_v<T>,
                  "member_count<T>: T must be an aggregate: no base with constructors, "
                  "no private members, no user-declared constructors");
    constexpr std::size_t n = []<std::size_t... I>(std::index_sequence<I...>) {
        std::size_t most = 0;
        ((detail::initialisable_with<T>(std::make_index_sequence<I>{}) ? void(most = I) : void()), ...);
        return most;
    }(std::make_index_sequence<max_reflected_members + 2>{});
    static_assert(n <= max_reflected_members, "member_count<T>: T has more than 24 members; group some in a struct");
    return n;
}

/// Calls `f(member...)` with references to all members of `object`, in the order of declaration.
template <class T, class F>
constexpr decltype(auto) apply_to_members(T& object, F&& f) {
    constexpr std::size_t n = member_count<std::remove_const_t<T>>();
    // clang-format off
    if constexpr (n == 0) { return f(); }
    else if constexpr (n == 1) { auto& [a] = object; return f(a); }
    else if constexpr (n == 2) { auto& [a, b] = object; return f(a, b); }
    else if constexpr (n == 3) { auto& [a, b, c] = object; return f(a, b, c); }
    else if constexpr (n == 4) { auto& [a, b, c, d] = object; return f(a, b, c, d); }
    else if constexpr (n == 5) { auto& [a, b, c, d, e] = object; return f(a, b, c, d, e); }
    else if constexpr (n == 6) { auto& [a, b, c, d, e, g] = object; return f(a, b, c, d, e, g); }
    else if constexpr (n == 7) { auto& [a, b, c, d, e, g, h] = object; return f(a, b, c, d, e, g, h); }
    else if constexpr (n == 8) { auto& [a, b, c, d, e, g, h, i] = object; return f(a, b, c, d, e, g, h, i); }
    else if constexpr (n == 9) { auto& [a, b, c, d, e, g, h, i, j] = object; return f(a, b, c, d, e, g, h, i, j); }
    else if constexpr (n == 10) { auto& [a, b, c, d, e, g, h, i, j, k] = object; return f(a, b, c, d, e, g, h, i, j, k); }
    else if constexpr (n == 11) { auto& [a, b, c, d, e, g, h, i, j, k, l] = object; return f(a, b, c, d, e, g, h, i, j, k, l); }
    else if constexpr (n == 12) { auto& [a, b, c, d, e, g, h, i, j, k, l, m] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m); }
    else if constexpr (n == 13) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o); }
    else if constexpr (n == 14) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p); }
    else if constexpr (n == 15) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q); }
    else if constexpr (n == 16) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r); }
    else if constexpr (n == 17) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s); }
    else if constexpr (n == 18) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t); }
    else if constexpr (n == 19) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u); }
    else if constexpr (n == 20) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v); }
    else if constexpr (n == 21) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w); }
    else if constexpr (n == 22) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w, x] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w, x); }
    else if constexpr (n == 23) { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w, x, y] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w, x, y); }
    else { auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w, x, y, z] = object; return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, s, t, u, v, w, x, y, z); }
    // clang-format on
}

namespace detail {

template <class T>
struct specimen_holder {
    T value;
};

// Declared, never defined: only the addresses of its members are formed, inside template arguments.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
extern const specimen_holder<T> specimen;

template <auto Pointer>
constexpr std::string_view pretty_pointer() {
    return __PRETTY_FUNCTION__;
}

template <class M>
struct pointer_box {
    M const* pointer;
};
template <class M>
pointer_box(M const*) -> pointer_box<M>;

// "...specimen<model>.value.model::wte..." or "...specimen.value.wte..." -> "wte"
constexpr std::string_view last_identifier(std::string_view text) {
    const auto part_of_name = [](char ch) {
        return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';
    };
    // g++ ends the string with "; std::string_view = ...": look only at what stands before.
    const std::size_t stop = text.find("; std::string_view");
    if (stop != std::string_view::npos) text = text.substr(0, stop);
    std::size_t end = text.size();
    while (end > 0 && !part_of_name(text[end - 1])) --end;
    std::size_t begin = end;
    while (begin > 0 && part_of_name(text[begin - 1])) --begin;
    return text.substr(begin, end - begin);
}

template <class T, std::size_t I>
constexpr auto specimen_member() {
    return apply_to_members(specimen<T>.value, [](auto&... member) {
        const std::tuple<decltype(&member)...> pointers{&member...};
        return pointer_box{std::get<I>(pointers)};
    });
}

template <class T, std::size_t I>
constexpr std::string_view member_name_at() {
    return last_identifier(pretty_pointer<specimen_member<T, I>()>());
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace detail

/// The names of the members of `T`, in the order of declaration, e.g. {"wte", "wpe", "h", "ln_f"}.
template <class T>
inline constexpr auto member_names = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<std::string_view, sizeof...(I)>{detail::member_name_at<T, I>()...};
}(std::make_index_sequence<member_count<T>()>{});

}  // namespace tenet
