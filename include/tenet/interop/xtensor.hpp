// SPDX-License-Identifier: MIT
// interop: the only place that names xtensor's headers, which newer releases have moved. The outside face: data come
// in as xtensor expressions, tensors and parameters are seen as xtensor arrays. No step of a program goes through it.
#pragma once

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include <concepts>
#include <type_traits>

namespace tenet {

/// Satisfied by every xtensor expression: containers, views, generators, arithmetic of them.
template <class E>
concept XtensorExpression = xt::is_xexpression<std::remove_cvref_t<E>>::value;

}  // namespace tenet
