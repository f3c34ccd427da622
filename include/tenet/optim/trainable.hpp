// SPDX-License-Identifier: MIT
// optim: where a program's gradients lie and which parameters they belong to, as constants of the program's type.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>

#include <tenet/program/parameter_role.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {

/// A parameter that a program trains: all its layers, padding included.
struct trainable_range {
    std::size_t leaf = 0;       ///< its place in `parameter_leaves<Model>`
    std::size_t parameter = 0;  ///< its first element in the parameter block
    std::size_t gradient = 0;   ///< the same in the program's gradients
    std::size_t state = 0;      ///< the same in a block as long as this model's gradients
    std::size_t elements = 0;
};

/// The parameters of the program's model number `Which` that it trains, in the order of the parameter block. Empty if
/// they are all frozen.
template <class Program, std::size_t Which = 0>
inline constexpr auto trainable_ranges = [] {
    constexpr auto belongs = [](auto const& slot) {
        return Program::image.parameters[static_cast<std::size_t>(slot.parameter)].set == static_cast<int>(Which);
    };
    constexpr std::size_t count = [&] {
        std::size_t n = 0;
        for (auto const& slot : Program::image.trainable) n += belongs(slot);
        return n;
    }();
    std::array<trainable_range, count> all{};
    std::size_t i = 0, state = 0;
    for (auto const& slot : Program::image.trainable) {
        if (!belongs(slot)) continue;
        auto const& p = Program::image.parameters[static_cast<std::size_t>(slot.parameter)];
        all[i++] = {static_cast<std::size_t>(p.leaf), p.offset, slot.offset, state, slot.elements};
        state += slot.elements;
    }
    return all;
}();

/// Elements of the gradients of model number `Which`, padding included.
template <class Program, std::size_t Which = 0>
inline constexpr std::size_t trainable_elements = [] {
    std::size_t n = 0;
    for (trainable_range const& r : trainable_ranges<Program, Which>) n += r.elements;
    return n;
}();

/// The type of the program's model number `Which`.
template <class Program, std::size_t Which = 0>
using model_of = std::tuple_element_t<Which, typename Program::spec::models_type>;

/// The usual rule of weight decay: the weights of linear layers and tables of embeddings decay; biases and the gains of
/// normalisations do not. nanoGPT decides by the number of axes of a file's tensors, which comes to the same.
constexpr bool decays_by_role(parameter_leaf const& leaf) {
    const parameter_role role = role_of(leaf);
    return role == parameter_role::matrix || role == parameter_role::table;
}

}  // namespace tenet
