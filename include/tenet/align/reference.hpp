// SPDX-License-Identifier: MIT
// align: the two ways to have a policy and the reference that it is held to, chosen by type: one base with an adapter
// that is on or off (no second copy of the weights), or a trained model and a frozen copy of it.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/op/module.hpp>
#include <tenet/program/spec.hpp>

namespace tenet {

/// The reference is the policy's base, with the adapter off.
struct adapter_off {};
/// The reference is a copy of the policy as it was, with a parameter block of its own that is not trained.
struct frozen_copy {};

/// Policy and reference of a program, as callables for model code; `models_of` is the program's list of models.
///
///     template <class Kind> struct loss {
///         constexpr auto operator()(auto const& first, auto const& second, auto tokens, auto targets) const {
///             using pair = policy_and_reference<Kind>;
///             auto logp = sequence_log_probability<Vocab, Time>(pair::policy(first, second)(tokens), targets);
///             auto ref = sequence_log_probability<Vocab, Time>(pair::reference(first, second)(tokens), targets);
///             ...
///     };
///     program<policy_and_reference<adapter_off>::models_of<gpt, lora>, loss<adapter_off>, ...> step;
///     program<policy_and_reference<frozen_copy>::models_of<gpt>, loss<frozen_copy>, ...> other;
template <class Kind>
struct policy_and_reference;

template <>
struct policy_and_reference<adapter_off> {
    /// `Adapter` is an `adapter_of<Base, ...>`.
    template <class Base, class Adapter>
    using models_of = models<Base, Adapter>;

    /// The base, frozen, with the adapter.
    template <class Base, class Adapter>
    static constexpr auto policy(Base const& base, Adapter const& adapter) {
        return [&](auto const&... x) { return with(adapter, frozen(base))(x...); };
    }
    /// The base, frozen.
    template <class Base, class Adapter>
    static constexpr auto reference(Base const& base, Adapter const&) {
        return [&](auto const&... x) { return frozen(base)(x...); };
    }
};

template <>
struct policy_and_reference<frozen_copy> {
    template <class Model>
    using models_of = models<Model, Model>;

    /// The model that is trained.
    template <class Model>
    static constexpr auto policy(Model const& trained, Model const&) {
        return [&](auto const&... x) { return trained(x...); };
    }
    /// Its copy.
    template <class Model>
    static constexpr auto reference(Model const&, Model const& copy) {
        return [&](auto const&... x) { return frozen(copy)(x...); };
    }
};

/// Throws unless the gradients that a program's last step left are finite and not all zero. For the first step of a
/// preference training, whose loss is ln 2 whether anything is trained or not: an adapter that is scaled to nothing, or
/// sits on weights that the loss does not reach, shows only here. Cost: one pass over the gradients.
template <class Program>
void expect_some_gradient(Program const& program) {
    bool some = false;
    for (auto g : program.gradients()) {
        if (!std::isfinite(g)) fail_expectation("expect_some_gradient", "finite gradients", std::to_string(g));
        some = some || std::fabs(g) > 0;
    }
    if (!some)
        fail_expectation("expect_some_gradient", "a gradient that is not zero somewhere",
                         "zeros: what is trained has no influence on the loss");
}

/// Log-probabilities of the reference for each example, computed once: the reference does not change, so a training of
/// several epochs need not run it again. Two numbers an example for pairs, one for single completions.
template <class T = float>
class reference_cache {
public:
    explicit reference_cache(std::size_t examples, std::size_t each = 2)
        : each_(each), values_(examples * each), known_(examples, false) {}

    std::size_t examples() const { return known_.size(); }
    bool complete() const {
        for (bool k : known_)
            if (!k) return false;
        return true;
    }

    /// Keeps the numbers of example `index`. Errors: `exception` if they are not `each`, or there is no such example.
    void set(std::size_t index, std::vector<T> const& values) {
        check(index);
        if (values.size() != each_)
            fail_expectation("reference_cache", std::to_string(each_) + " numbers an example",
                             std::to_string(values.size()));
        for (std::size_t i = 0; i < each_; ++i) values_[index * each_ + i] = values[i];
        known_[index] = true;
    }
    /// Number `i` of example `index`. Errors: `exception` if it was never set.
    T get(std::size_t index, std::size_t i = 0) const {
        check(index);
        if (!known_[index] || i >= each_)
            fail_expectation("reference_cache", "an example that was computed", std::to_string(index));
        return values_[index * each_ + i];
    }

private:
    std::size_t each_;
    std::vector<T> values_;
    std::vector<bool> known_;

    void check(std::size_t index) const {
        if (index >= known_.size())
            fail_expectation("reference_cache", "an example below " + std::to_string(known_.size()),
                             std::to_string(index));
    }
};

}  // namespace tenet
