// SPDX-License-Identifier: MIT
// program: what a parameter is for, told from its path and its place in a linear layer. Initialisers, weight decay and
// checkpoints must agree on it: named axes give a bias three axes where a file knows a vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <tenet/program/layout.hpp>

namespace tenet {

/// What a parameter does in its layer.
enum class parameter_role : std::uint8_t {
    matrix,  ///< the weight of a linear layer
    table,   ///< rows that are looked up or added: embeddings
    bias,    ///< what is added after a product or a normalisation
    gain     ///< what a normalisation multiplies by, or any other vector
};

/// The role of a parameter: a path that ends in "bias" is a bias; a weight of a layer that says how many axes it
/// contracts (`contracted_axes`) is a matrix; a parameter of one axis, or in a member called `ln...` or `...norm...`,
/// is a gain; the rest are tables.
constexpr parameter_role role_of(parameter_leaf const& leaf) {
    const std::string_view path = leaf.path.view();
    if (path.ends_with("bias")) return parameter_role::bias;
    if (leaf.inputs > 0) return parameter_role::matrix;
    const std::size_t last = path.rfind('.');
    const std::string_view module = last == std::string_view::npos ? path : path.substr(0, last);
    const std::size_t before = module.rfind('.');
    const std::string_view member = before == std::string_view::npos ? module : module.substr(before + 1);
    const bool norm = member.starts_with("ln") || member.find("norm") != std::string_view::npos;
    return leaf.rank < 2 || norm ? parameter_role::gain : parameter_role::table;
}

/// The shape that a file gives the parameter: [in, out] for a matrix, or [out, in] where its layer says so, and [out]
/// for its bias, however many axes each side has; else the extents of its axes.
inline std::vector<std::size_t> file_shape(parameter_leaf const& leaf) {
    const auto product = [&](int begin, int end) {
        std::size_t n = 1;
        for (int i = begin; i < end; ++i) n *= leaf.axes[i]->capacity;
        return n;
    };
    if (role_of(leaf) == parameter_role::matrix) {
        const int left = leaf.outputs_first ? leaf.rank - leaf.inputs : leaf.inputs;
        return {product(0, left), product(left, leaf.rank)};
    }
    if (leaf.inputs > 0) return {product(0, leaf.rank)};
    std::vector<std::size_t> shape;
    for (int i = 0; i < leaf.rank; ++i) shape.push_back(leaf.axes[i]->capacity);
    return shape;
}

}  // namespace tenet
