// SPDX-License-Identifier: MIT
// kernel: optimiser steps and gradient norms over flat arrays, each one pass over memory, whose speed is the limit.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>

#include <tenet/kernel/norm_rows.hpp>
#include <tenet/kernel/row.hpp>
#include <tenet/parallel/ordered_reduce.hpp>
#include <tenet/simd/convert.hpp>
#include <tenet/simd/math.hpp>

namespace tenet::kernel {

/// The numbers of one AdamW step. bias_correction1 = 1 - beta1^t and bias_correction2 = 1 - beta2^t at step t = 1, 2,
/// ...; gradients are multiplied by grad_scale first (for clipping and accumulation).
struct adamw_step {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.01;
    double bias_correction1 = 1, bias_correction2 = 1, grad_scale = 1;
};

namespace detail {

// `f` by value: what it holds stays in registers, where no store through a T* can change it.
template <class T, class F>
[[gnu::flatten]] void for_range(std::size_t begin, std::size_t end, F f) {
    for_vectors<T>(end - begin, [&](std::size_t i, auto t) { f(begin + i, t); });
}

// f(i, whole or part) over all registers of [0, n), on several threads where that pays.
template <class T, class F>
void for_elements(std::size_t n, F const& f) {
    parallel_for(n, parallel_work, [&](std::size_t begin, std::size_t end) { for_range<T>(begin, end, f); });
}

template <class T>
[[gnu::flatten]] double squares(T const* g, std::size_t n) {
    return fold<double, adding<double>>(n, [=](std::size_t i, auto t) {
        batch<double> x;
        if constexpr (std::is_same_v<decltype(t), whole>) x = simd::load_as<double>(g + i);
        else x = simd::load_as_partial<double>(g + i, t.count);
        return x * x;
    });
}

}  // namespace detail

/// One step of AdamW over n parameters, in place, with g' = grad_scale g:
/// w -= lr weight_decay w; m = beta1 m + (1 - beta1) g'; v = beta2 v + (1 - beta2) g'^2;
/// w -= lr / bias_correction1 m / (sqrt(v / bias_correction2) + eps).
///
/// PyTorch: torch.optim.AdamW. Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
template <class T>
void adamw(T* w, T const* g, T* m, T* v, std::size_t n, adamw_step const& p) {
    using simd::batch;
    const auto constant_of = [](double x) { return batch<T>(static_cast<T>(x)); };
    const batch<T> keep = constant_of(1 - p.lr * p.weight_decay), scale = constant_of(p.grad_scale);
    const batch<T> beta1 = constant_of(p.beta1), rest1 = constant_of(1 - p.beta1);
    const batch<T> beta2 = constant_of(p.beta2), rest2 = constant_of(1 - p.beta2);
    const batch<T> unbias2 = constant_of(1 / std::sqrt(p.bias_correction2)), eps = constant_of(p.eps);
    const batch<T> step = constant_of(p.lr / p.bias_correction1);
    detail::for_elements<T>(n, [=](std::size_t i, auto t) {
        const batch<T> gradient = detail::load(g + i, t) * scale;
        const batch<T> first = simd::fma<T>(beta1, detail::load(m + i, t), rest1 * gradient);
        const batch<T> second = simd::fma<T>(beta2, detail::load(v + i, t), rest2 * gradient * gradient);
        detail::store<T>(first, m + i, t);
        detail::store<T>(second, v + i, t);
        const batch<T> root = simd::fma<T>(simd::sqrt<T>(second), unbias2, eps);
        detail::store<T>(simd::fnma<T>(step, first / root, detail::load(w + i, t) * keep), w + i, t);
    });
}

/// One step of gradient descent with momentum over n parameters, in place: g' = grad_scale g + weight_decay w;
/// velocity = momentum velocity + g'; w -= lr (nesterov ? g' + momentum velocity : velocity).
/// With a velocity of null there is no momentum. Start from a velocity of zeros. PyTorch: torch.optim.SGD.
template <class T>
void sgd_momentum(T* w, T const* g, detail::same_as<T>* velocity, std::size_t n, double lr, double momentum,
                  bool nesterov, double weight_decay, double grad_scale) {
    using simd::batch;
    const batch<T> rate(static_cast<T>(lr)), inertia(static_cast<T>(momentum));
    const batch<T> decay(static_cast<T>(weight_decay)), scale(static_cast<T>(grad_scale));
    detail::for_elements<T>(n, [=](std::size_t i, auto t) {
        const batch<T> weight = detail::load(w + i, t);
        const batch<T> gradient = simd::fma<T>(decay, weight, detail::load(g + i, t) * scale);
        batch<T> direction = gradient;
        if (velocity) {
            const batch<T> moving = simd::fma<T>(inertia, detail::load(velocity + i, t), gradient);
            detail::store<T>(moving, velocity + i, t);
            direction = nesterov ? simd::fma<T>(inertia, moving, gradient) : moving;
        }
        detail::store<T>(simd::fnma<T>(rate, direction, weight), w + i, t);
    });
}

/// The sum of the squares of n numbers, added in double and in an order that does not depend on the number of threads.
/// PyTorch: the square of torch.nn.utils.get_total_norm.
template <class T>
double sum_of_squares(T const* g, std::size_t n) {
    const auto part = [=](std::size_t begin, std::size_t end) { return detail::squares(g + begin, end - begin); };
    return ordered_reduce(n, detail::parallel_work, 0.0, part, [](double a, double b) { return a + b; });
}

/// g *= s over n numbers. PyTorch: g.mul_(s).
template <class T>
void scale(T* g, std::size_t n, detail::same_as<T> s) {
    const simd::batch<T> factor(s);
    detail::for_elements<T>(
        n, [=](std::size_t i, auto t) { detail::store<T>(detail::load(g + i, t) * factor, g + i, t); });
}

/// sum += s g over n numbers. PyTorch: sum.add_(g, alpha=s).
template <class T>
void add_scaled(T* sum, detail::same_as<T> const* g, std::size_t n, detail::same_as<T> s) {
    const simd::batch<T> factor(s);
    detail::for_elements<T>(n, [=](std::size_t i, auto t) {
        detail::store<T>(simd::fma<T>(factor, detail::load(g + i, t), detail::load(sum + i, t)), sum + i, t);
    });
}

/// out = s g over n numbers.
template <class T>
void copy_scaled(T* out, detail::same_as<T> const* g, std::size_t n, detail::same_as<T> s) {
    const simd::batch<T> factor(s);
    detail::for_elements<T>(
        n, [=](std::size_t i, auto t) { detail::store<T>(detail::load(g + i, t) * factor, out + i, t); });
}

}  // namespace tenet::kernel
