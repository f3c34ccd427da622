// SPDX-License-Identifier: MIT
// interop: values of xtensor expressions become tensors and parameters. The expression's shape is checked against the
// axes: this is the border where run-time shapes turn into types.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <tenet/interop/view.hpp>

namespace tenet {
namespace detail {

template <class From, class To>
constexpr void check_element_conversion() {
    static_assert(std::is_arithmetic_v<From> && (std::is_floating_point_v<To> || !std::is_floating_point_v<From>),
                  "a real xtensor expression does not become integers by itself: use xt::cast or xt::rint");
}

template <class E, class T>
void copy_elements(E const& e, T* to) {
    check_element_conversion<typename E::value_type, T>();
    std::transform(e.template begin<xt::layout_type::row_major>(), e.template end<xt::layout_type::row_major>(), to,
                   [](auto v) { return static_cast<T>(v); });
}

template <class Shape>
std::string shape_text(Shape const& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(static_cast<std::size_t>(shape[i]));
    return text + "]";
}

/// The extents of a tensor type from a run-time shape; `exception` names the first axis that does not fit.
template <class T, class... A, class Shape>
std::array<std::size_t, sizeof...(A)> checked_extents(std::type_identity<tensor<T, A...>>, std::string const& place,
                                                      Shape const& shape) {
    if (shape.size() != sizeof...(A)) {
        std::string names;
        ((names += (names.empty() ? "" : ", ") + std::string(short_type_name<A>())), ...);
        fail_expectation(place, std::to_string(sizeof...(A)) + " axes [" + names + "]",
                         std::to_string(shape.size()) + " axes " + shape_text(shape));
    }
    std::array<std::size_t, sizeof...(A)> extents{};
    [[maybe_unused]] std::size_t k = 0;
    (
        [&] {
            const auto n = static_cast<std::size_t>(shape[k]);
            if (n == 0 || n > A::capacity || (A::is_static && n != A::capacity))
                fail_expectation(place + ": extent of axis " + std::string(short_type_name<A>()),
                                 (A::is_static ? "" : "1 to ") + std::to_string(A::capacity), std::to_string(n));
            extents[k++] = n;
        }(),
        ...);
    return extents;
}

}  // namespace detail

/// The values of an xtensor expression as a tensor: `from_xtensor<tensor<float, Rows, Cols>>(e)`. Its shape must be
/// that of the axes, in their order; `at_most` axes take its extents up to their capacity.
/// Errors: `exception` with the axis, what was expected and what was found. PyTorch: torch.from_numpy (which shares).
template <class Tensor, XtensorExpression E>
requires detail::is_tensor<Tensor>
Tensor from_xtensor(E const& e) {
    Tensor t;
    t.set_extents(detail::checked_extents(std::type_identity<Tensor>{}, "from_xtensor", e.shape()));
    detail::copy_elements(e, t.data());
    return t;
}

/// Replaces the values of `t`, which takes the extents of the expression. Errors as for `from_xtensor`.
template <class T, class... A, XtensorExpression E>
void assign(tensor<T, A...>& t, E const& e) {
    t.set_extents(detail::checked_extents(std::type_identity<tensor<T, A...>>{}, "assign", e.shape()));
    detail::copy_elements(e, t.data());
}

/// Replaces one parameter, by its checkpoint name: `assign(theta, "wte", xt::random::randn<float>({80, 128}))`.
/// Errors: `exception` if there is no such parameter, or if its shape is another one.
template <class Model, class T, XtensorExpression E>
void assign(parameters<Model, T>& theta, std::string_view name, E const& e) {
    const named_array a = theta.array(name);
    auto const& shape = e.shape();
    if (!std::equal(a.shape.begin(), a.shape.end(), shape.begin(), shape.end(),
                    [](auto x, auto y) { return x == static_cast<std::size_t>(y); }))
        fail_expectation("assign: shape of parameter " + a.name, detail::shape_text(a.shape),
                         detail::shape_text(shape));
    detail::copy_elements(e, static_cast<T*>(a.data));
}

}  // namespace tenet
