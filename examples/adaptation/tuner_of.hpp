// SPDX-License-Identifier: MIT
// What all ways to train share, and adapters as one of them.
#pragma once

#include <optional>

#include <tenet/io/checkpoint.hpp>
#include <tenet/optim.hpp>

#include "tuner.hpp"

namespace adaptation {

/// A step of `Program`, whose model number `Which` is trained.
template <class Program, std::size_t Which>
class stepper {
public:
    static constexpr std::size_t optimizer_bytes =
        sizeof(float) * (Program::gradient_elements + 2 * trainable_elements<Program, Which>);

    template <class... Blocks>
    double loss(rows const& batch, Blocks const&... blocks) {
        return static_cast<double>(program_.value_and_grad(blocks..., batch.tokens(), places_, batch.targets()));
    }

    /// `trained` is one of `blocks`.
    template <class Trained, class... Blocks>
    step_outcome step(std::span<rows const> batches, double rate, double clip, Trained& trained,
                      Blocks const&... blocks) {
        double mean = 0;
        if (batches.size() == 1) {
            mean = loss(batches.front(), blocks...);
        } else {
            if (!sum_) sum_.emplace();
            for (rows const& batch : batches) {
                const double one = loss(batch, blocks...);
                sum_->add(program_, one, static_cast<double>(batch.targets().count()));
            }
            mean = sum_->take(program_);
        }
        const double norm = gradient_norm(program_);
        optimizer_.step(trained, program_, rate, clip_factor(norm, clip));
        return {mean, norm};
    }

    std::vector<named_array> state() {
        std::vector<named_array> all = optimizer_.arrays();
        for (named_array& a : all) a.name.insert(0, "optimizer.");
        return all;
    }

private:
    Program program_;
    adamw<Program, Which> optimizer_{adamw_options{.beta2 = 0.99, .weight_decay = 0.1}};
    std::optional<gradient_accumulator<Program>> sum_;
    places places_ = all_places();
};

/// An adapter of rank `Rank` on a base stored as `Base`.
template <class Base, int Rank>
class adapter_tuner : public tuner {
    using program_type = adapter_step<Base, Rank>;
    static constexpr bool stored = QuantizedModel<Base>;
    // The base costs neither gradients nor moments.
    static_assert(program_type::gradient_elements == parameter_elements<adapter<Rank>>);
    static_assert(stepper<program_type, 1>::optimizer_bytes == 3 * sizeof(float) * parameter_elements<adapter<Rank>>);

public:
    adapter_tuner(parameters<model> const& base, std::uint64_t seed) : base_(&base) {
        initialize_adapter(delta_, seed);
        if constexpr (stored) quantize(base, stored_.emplace());
    }

    tuner_costs costs() const override {
        return {parameter_count<adapter<Rank>>,
                sizeof(float) * (parameter_elements<Base> + parameter_elements<adapter<Rank>>),
                stepper<program_type, 1>::optimizer_bytes, program_type::activation_bytes};
    }
    step_outcome step(std::span<rows const> batches, double rate, double clip) override {
        return stepper_.step(batches, rate, clip, delta_, block(), delta_);
    }
    double loss(rows const& batch) override { return stepper_.loss(batch, block(), delta_); }
    parameters<model> weights() const override {
        if constexpr (stored) return merge(dequantize(*stored_), delta_).take();
        else return merge(parameters<model>(*base_), delta_).take();
    }
    std::vector<named_array> state() override {
        std::vector<named_array> all = stepper_.state();
        for (named_array const& a : delta_.arrays()) all.push_back(a);
        return all;
    }
    void save(std::filesystem::path const& folder) override {
        save_adapter(folder, delta_, {.base_model = "gpt2", .prefix = "base_model.model.transformer."});
    }

private:
    parameters<model> const* base_;
    std::optional<parameters<Base>> stored_;
    parameters<adapter<Rank>> delta_;
    stepper<program_type, 1> stepper_;

    auto const& block() const {
        if constexpr (stored) return *stored_;
        else return *base_;
    }
};

}  // namespace adaptation
