// SPDX-License-Identifier: MIT
// nn: first values of parameters. A rule says the distribution of each parameter; each draws from a stream of its own,
// keyed by its name, so that neither threads nor other parameters change its numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tenet/kernel/random.hpp>
#include <tenet/program/parameter_role.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {

/// Distributions of first values, and rules that choose one for every parameter of a model.
namespace init {

/// What the elements of a parameter are drawn from.
struct distribution {
    enum class kind : std::uint8_t { constant, normal, uniform } what = kind::constant;
    double a = 0;  ///< the constant; the mean; the lower end
    double b = 0;  ///< the standard deviation; the upper end
};

/// Every element is `value`. PyTorch: torch.nn.init.constant_.
constexpr distribution constant(double value) {
    return {distribution::kind::constant, value, 0};
}
/// N(mean, std^2). PyTorch: torch.nn.init.normal_.
constexpr distribution normal(double std, double mean = 0) {
    return {distribution::kind::normal, mean, std};
}
/// Uniform in [low, high). PyTorch: torch.nn.init.uniform_.
constexpr distribution uniform(double low, double high) {
    return {distribution::kind::uniform, low, high};
}

/// How many inputs reach one output of a parameter, and how many outputs one input: the two sides of a linear layer's
/// weight; of another tensor [A, B...], as PyTorch counts for [out, in], B... and A.
struct fan {
    double in = 1, out = 1;
};
constexpr fan fan_of(parameter_leaf const& leaf) {
    const bool matrix = role_of(leaf) == parameter_role::matrix;
    const bool inputs_first = matrix && !leaf.outputs_first;
    const int left = !matrix ? 1 : inputs_first ? leaf.inputs : leaf.rank - leaf.inputs;
    fan f;
    for (int i = 0; i < leaf.rank; ++i)
        ((i < left) == inputs_first ? f.in : f.out) *= static_cast<double>(leaf.axes[i]->capacity);
    return f;
}

/// U(-a, a), a = gain sqrt(6 / (in + out)). Glorot and Bengio (2010), eq. (16). PyTorch: xavier_uniform_.
inline distribution xavier_uniform(parameter_leaf const& leaf, double gain = 1) {
    const fan f = fan_of(leaf);
    const double a = gain * std::sqrt(6 / (f.in + f.out));
    return uniform(-a, a);
}
/// N(0, s^2), s = gain sqrt(2 / (in + out)). Glorot and Bengio (2010). PyTorch: xavier_normal_.
inline distribution xavier_normal(parameter_leaf const& leaf, double gain = 1) {
    const fan f = fan_of(leaf);
    return normal(gain * std::sqrt(2 / (f.in + f.out)));
}
/// U(-a, a), a = gain sqrt(3 / in); the gain of ReLU is sqrt(2). He et al. (2015), eq. (10). PyTorch: kaiming_uniform_.
inline distribution kaiming_uniform(parameter_leaf const& leaf, double gain = 1.4142135623730951) {
    const double a = gain * std::sqrt(3 / fan_of(leaf).in);
    return uniform(-a, a);
}
/// N(0, s^2), s = gain sqrt(1 / in). He et al. (2015), eq. (10). PyTorch: kaiming_normal_.
inline distribution kaiming_normal(parameter_leaf const& leaf, double gain = 1.4142135623730951) {
    return normal(gain * std::sqrt(1 / fan_of(leaf).in));
}

/// GPT-2's rule: N(0, 0.02^2); `c_proj.weight`, which ends in the residual stream, N(0, (0.02 / sqrt(2 layers))^2), the
/// layers being those of the stack it is in; biases 0, gains 1.
/// Radford et al. (2019), section 2.3; github.com/karpathy/nanoGPT, model.py, `_init_weights`.
struct gpt2 {
    double std = 0.02;

    distribution operator()(parameter_leaf const& leaf) const {
        switch (role_of(leaf)) {
        case parameter_role::bias: return constant(0);
        case parameter_role::gain: return constant(1);
        default: break;
        }
        if (!leaf.path.view().ends_with("c_proj.weight")) return normal(std);
        return normal(std / std::sqrt(2.0 * static_cast<double>(leaf.layers())));
    }
};

/// PyTorch's rule for its layers: matrices U(-a, a), a = 1 / sqrt(in), tables N(0, 1), gains 1; but biases 0.
struct torch_default {
    distribution operator()(parameter_leaf const& leaf) const {
        switch (role_of(leaf)) {
        case parameter_role::bias: return constant(0);
        case parameter_role::gain: return constant(1);
        case parameter_role::table: return normal(1);
        default: return kaiming_uniform(leaf, 0.57735026918962576);
        }
    }
};

/// The stream of the parameter called `name`: FNV-1a of 64 bits.
constexpr std::uint64_t stream_of(std::string_view name) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

/// Fills n elements from a distribution, by Philox with the given key.
template <class T>
void fill(T* data, std::size_t n, distribution const& d, std::uint64_t seed, std::uint64_t stream) {
    const T a = static_cast<T>(d.a), b = static_cast<T>(d.b);
    switch (d.what) {
    case distribution::kind::constant: std::fill_n(data, n, a); break;
    case distribution::kind::normal: kernel::normal_fill(data, n, a, b, seed, stream); break;
    case distribution::kind::uniform: kernel::uniform_fill(data, n, a, b, seed, stream); break;
    }
}

}  // namespace init

/// Sets all parameters of `theta` to first values; `rule(leaf)` gives the `init::distribution` of each.
///
///     initialize(theta, init::gpt2{}, 1337);
///     initialize(theta, [](parameter_leaf const& leaf) { return init::xavier_uniform(leaf); }, 1);
///
/// A number depends on the seed, the parameter's name and its place: not on threads, nor on other parameters.
template <class Model, class T, class Rule>
requires requires(Rule const& rule, parameter_leaf const& leaf) { init::distribution(rule(leaf)); }
void initialize(parameters<Model, T>& theta, Rule const& rule, std::uint64_t seed) {
    static_assert(
        !QuantizedModel<Model>,
        "initialize(theta, ...): theta is quantized; initialize the plain model, then quantize(plain, theta)");
    for (parameter_leaf const& leaf : parameter_leaves<Model>) {
        const init::distribution d = rule(leaf);
        for (std::size_t layer = 0; layer < leaf.layers(); ++layer) {
            init::fill(theta.data() + leaf.offset + layer * leaf.padded, leaf.elements, d, seed,
                       init::stream_of(leaf_name(leaf, layer)));
        }
    }
}

}  // namespace tenet
