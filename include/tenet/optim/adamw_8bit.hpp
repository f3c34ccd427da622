// SPDX-License-Identifier: MIT
// optim: AdamW with a byte for each moment, which is a quarter of the state. Small parameters keep whole numbers: they
// cost little, and a few numbers make poor statistics.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <tenet/kernel/adamw_8bit.hpp>
#include <tenet/optim/trainable.hpp>
#include <tenet/tensor/memory.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet {

/// The numbers of AdamW with moments of a byte; the defaults are PyTorch's and bitsandbytes'.
struct adamw_8bit_options {
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.01;
    /// Parameters of fewer elements (in one layer) have moments in float.
    std::size_t least_elements = 4096;
    /// Which parameters decay; null: all.
    std::function<bool(parameter_leaf const&)> decays = decays_by_role;
};

/// `adamw` for model number `Which` of a program with moments stored as codes of the dynamic 8-bit data types, signed
/// for m and unsigned for v, in blocks of 256 with a scale each; blocks do not cross parameters or layers.
///
/// 2.03 bytes of state a parameter instead of 8. Deterministic: no stochastic rounding, the same bits for any number of
/// threads. Dettmers et al.: 8-bit Optimizers via Block-wise Quantization (2022). bitsandbytes: optim.AdamW8bit.
///
///     adamw_8bit<decltype(train), 1> optimiser({.weight_decay = 0});
template <class Program, std::size_t Which = 0>
class adamw_8bit {
public:
    using model_type = model_of<Program, Which>;
    using value_type = typename Program::real_type;
    static_assert(Program::has_gradients,
                  "an optimiser needs a program with gradients: program<...>, not evaluation<...>");
    static_assert(trainable_elements<Program, Which> > 0,
                  "an optimiser's model has no parameter that the program trains");

    explicit adamw_8bit(adamw_8bit_options options = {}) : options_(std::move(options)) {
        std::size_t codes = 0, scales = 0, whole = 0;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            trainable_range const& r = trainable_ranges<Program, Which>[i];
            parameter_leaf const& leaf = parameter_leaves<model_type>[r.leaf];
            part& p = parts_[i];
            p.decays = !options_.decays || options_.decays(leaf);
            p.small = leaf.elements < options_.least_elements;
            p.blocks = (leaf.elements + kernel::state_block - 1) / kernel::state_block;
            p.first = p.small ? whole : codes;
            p.first_scale = scales;
            if (p.small) whole += r.elements;
            else codes += r.elements, scales += p.blocks * leaf.layers();
        }
        bytes_ = 2 * (codes + 4 * scales + sizeof(value_type) * whole);
        for (std::size_t k = 0; k < 2; ++k) {
            codes_[k] = allocate<std::uint8_t>(codes);
            scales_[k] = allocate<float>(scales);
            whole_[k] = allocate<value_type>(whole);
            std::fill_n(codes_[k].get(), codes, k == 0 ? kernel::zero_of_m : kernel::zero_of_v);
        }
    }
    explicit adamw_8bit(Program const&, adamw_8bit_options options = {}) : adamw_8bit(std::move(options)) {}

    /// Steps made so far.
    std::int64_t steps() const { return steps_; }
    /// Bytes of the moments.
    std::size_t state_bytes() const { return bytes_; }

    /// One step with the gradients that the program left; they are multiplied by `factor` (clipping, accumulation).
    void step(parameters<model_type, value_type>& theta, Program const& program, double lr, double factor = 1) {
        ++steps_;
        kernel::adamw_step p{lr, options_.beta1, options_.beta2, options_.eps, options_.weight_decay, 1, 1, factor};
        p.bias_correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
        p.bias_correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
        for_each_layer([&](part const& s, trainable_range const& r, parameter_leaf const& leaf, std::size_t layer) {
            const std::size_t at = layer * leaf.padded;
            value_type* const w = theta.data() + r.parameter + at;
            value_type const* const g = program.gradients().data() + r.gradient + at;
            p.weight_decay = s.decays ? options_.weight_decay : 0;
            if (s.small) {
                kernel::adamw(w, g, whole_[0].get() + s.first + at, whole_[1].get() + s.first + at, leaf.elements, p);
            } else {
                const std::size_t scale = s.first_scale + layer * s.blocks;
                kernel::adamw_8bit(w, g, codes_[0].get() + s.first + at, scales_[0].get() + scale,
                                   codes_[1].get() + s.first + at, scales_[1].get() + scale, leaf.elements, p);
            }
        });
    }

    /// The state: "step", "m.<parameter>", "v.<parameter>", and where these are codes "m_scale.<parameter>",
    /// "v_scale.<parameter>"; borrowed, for `save_checkpoint` and `load_checkpoint`.
    std::vector<named_array> arrays() {
        std::vector<named_array> all{{"step", dtype::int64, {}, &steps_}};
        for (std::size_t k = 0; k < 2; ++k) {
            const std::string moment = k == 0 ? "m" : "v";
            for_each_layer([&](part const& s, trainable_range const&, parameter_leaf const& leaf, std::size_t layer) {
                const std::size_t at = s.first + layer * leaf.padded;
                const std::string name = leaf_name(leaf, layer);
                if (s.small) {
                    all.push_back({moment + "." + name, dtype_of<value_type>, file_shape(leaf), whole_[k].get() + at});
                } else {
                    all.push_back({moment + "." + name, dtype::uint8, file_shape(leaf), codes_[k].get() + at});
                    all.push_back({moment + "_scale." + name,
                                   dtype::float32,
                                   {s.blocks},
                                   scales_[k].get() + s.first_scale + layer * s.blocks});
                }
            });
        }
        return all;
    }

    adamw_8bit_options const& options() const { return options_; }

private:
    /// Where the state of one range of trained parameters lies.
    struct part {
        bool decays = false, small = false;
        std::size_t blocks = 0;                  ///< of one layer
        std::size_t first = 0, first_scale = 0;  ///< among codes or whole numbers; among scales
    };

    adamw_8bit_options options_;
    std::array<part, trainable_ranges<Program, Which>.size()> parts_{};
    std::array<aligned_array<std::uint8_t>, 2> codes_;
    std::array<aligned_array<float>, 2> scales_;
    std::array<aligned_array<value_type>, 2> whole_;
    std::size_t bytes_ = 0;
    std::int64_t steps_ = 0;

    template <class F>
    void for_each_layer(F const& f) const {
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            trainable_range const& r = trainable_ranges<Program, Which>[i];
            parameter_leaf const& leaf = parameter_leaves<model_type>[r.leaf];
            for (std::size_t layer = 0; layer < leaf.layers(); ++layer) f(parts_[i], r, leaf, layer);
        }
    }
};

template <class Program>
adamw_8bit(Program const&) -> adamw_8bit<Program>;
template <class Program>
adamw_8bit(Program const&, adamw_8bit_options) -> adamw_8bit<Program>;

}  // namespace tenet
