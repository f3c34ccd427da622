// SPDX-License-Identifier: MIT
// optim: what optimisers share: the walk over trained parameters in runs that lie together in parameters, gradients
// and state, and the state under the parameters' names, for checkpoints.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/optim/trainable.hpp>
#include <tenet/tensor/memory.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet::detail {

/// An optimiser of model number `Which` of `Program` with `Moments` numbers of state for every trained one.
template <class Program, std::size_t Which, std::size_t Moments>
class optimizer_state {
public:
    using model_type = model_of<Program, Which>;
    using value_type = typename Program::real_type;
    static_assert(Program::has_gradients,
                  "an optimiser needs a program with gradients: program<...>, not evaluation<...>");
    static_assert(trainable_elements<Program, Which> > 0,
                  "an optimiser's model has no parameter that the program trains");

    /// Steps made so far.
    std::int64_t steps() const { return steps_; }

protected:
    explicit optimizer_state(std::function<bool(parameter_leaf const&)> const& decays) {
        for (auto& moment : moments_) moment = allocate<value_type>(trainable_elements<Program, Which>);
        std::size_t i = 0;
        for (trainable_range const& r : trainable_ranges<Program, Which>)
            decays_[i++] = !decays || decays(parameter_leaves<model_type>[r.leaf]);
    }

    /// f(range, whether it decays) for the longest runs of parameters that lie together and are treated alike.
    template <class F>
    void for_runs(F const& f) const {
        constexpr auto const& ranges = trainable_ranges<Program, Which>;
        trainable_range run = ranges[0];
        for (std::size_t i = 1; i < ranges.size(); ++i) {
            trainable_range const& next = ranges[i];
            if (next.parameter == run.parameter + run.elements && next.gradient == run.gradient + run.elements &&
                decays_[i] == decays_[i - 1]) {
                run.elements += next.elements;
            } else {
                f(run, decays_[i - 1]);
                run = next;
            }
        }
        f(run, decays_.back());
    }

    /// "step" and, for each moment, "<moment>.<parameter>" of every layer.
    std::vector<named_array> state_arrays(std::array<std::string_view, Moments> const& names) {
        std::vector<named_array> all{{"step", dtype::int64, {}, &steps_}};
        for (std::size_t k = 0; k < Moments; ++k) {
            for (trainable_range const& r : trainable_ranges<Program, Which>) {
                parameter_leaf const& leaf = parameter_leaves<model_type>[r.leaf];
                for (std::size_t layer = 0; layer < leaf.layers(); ++layer)
                    all.push_back({std::string(names[k]) + "." + leaf_name(leaf, layer), dtype_of<value_type>,
                                   file_shape(leaf), moments_[k].get() + r.state + layer * leaf.padded});
            }
        }
        return all;
    }

    std::array<aligned_array<value_type>, Moments> moments_;
    std::array<bool, trainable_ranges<Program, Which>.size()> decays_{};
    std::int64_t steps_ = 0;
};

}  // namespace tenet::detail
