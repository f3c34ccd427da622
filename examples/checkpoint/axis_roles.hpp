// SPDX-License-Identifier: MIT
// What the axes of a checkpoint are: told from the names that common models give their modules, and from sizes.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor_file.hpp"

namespace tensor_files {

/// Whether a module or parameter of this name is a table of tokens or of positions.
bool is_table(std::string_view name);

/// Whether a tensor is what models keep beside their parameters: masks, frequencies, the state of an optimiser.
bool is_buffer(tensor_entry const& tensor);

/// Hands out axes and writes types with them. Axes are created when they are first used.
class axis_roles {
public:
    axis_roles(std::span<tensor_entry const> tensors, std::size_t heads);

    /// No axis may be called so.
    void reserve(std::string const& name) { taken_.insert(name); }
    bool is_taken(std::string const& name) const { return taken_.contains(name); }
    /// `wanted`, or with a number behind it if that is taken; reserved from now on.
    std::string unique(std::string const& wanted);

    /// "parameter<Vocab, Embed>" for a tensor at the path `where`.
    std::string parameter_type(std::string const& where, std::vector<std::size_t> const& shape);

    /// The layer of tenet::nn that a module {weight, bias} is, e.g. "nn::linear<axes<Embed>, axes<Hidden>>", or
    /// nothing.
    std::string layer_type(std::string const& where, std::vector<std::size_t> const& weight,
                           std::vector<std::size_t> const* bias);

    /// The axes in the order of their first use: name, size.
    std::span<std::pair<std::string, std::size_t> const> axes() const { return axes_; }

private:
    using names = std::vector<std::string>;

    std::string named(std::string const& role, std::size_t size);
    std::string by_size(std::size_t size, std::string const& otherwise, names const& used);
    names split_heads(std::size_t size, char const* role, char const* otherwise);
    std::pair<names, names> sides(std::string const& where, std::size_t in, std::size_t out);
    names table_axes(std::string const& name, std::vector<std::size_t> const& shape);

    std::size_t heads_, embed_ = 0, vocabulary_ = 0, head_width_ = 0;
    bool outputs_first_ = true;
    std::vector<std::pair<std::string, std::size_t>> axes_;
    std::vector<std::pair<std::pair<std::string, std::size_t>, std::string>> by_role_;
    std::set<std::string> taken_{"Axis"};
};

}  // namespace tensor_files
