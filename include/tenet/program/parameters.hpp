// SPDX-License-Identifier: MIT
// program: the values of a model's parameters, outside of any program: one aligned block that many programs share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/program/layout.hpp>
#include <tenet/tensor/memory.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet {

/// One block of `T` that holds all parameters of the model type `Model`, zero at first. The layout is that of the
/// declaration; the layers of a stack follow one another. Copies copy.
template <class Model, class T = float>
class parameters {
public:
    using model_type = Model;
    using value_type = T;

    parameters() : data_(allocate<T>(parameter_elements<Model>)) {}
    parameters(parameters const& other) : parameters() { std::copy_n(other.data(), size(), data()); }
    parameters& operator=(parameters const& other) {
        if (this != &other) std::copy_n(other.data(), size(), data());
        return *this;
    }
    parameters(parameters&&) noexcept = default;
    parameters& operator=(parameters&&) noexcept = default;

    T* data() { return data_.get(); }
    T const* data() const { return data_.get(); }
    /// Elements of the block, padding included (the padding stays zero).
    static constexpr std::size_t size() { return parameter_elements<Model>; }

    /// Every parameter of every layer by name, in the order of the block.
    std::vector<named_array> arrays() {
        std::vector<named_array> all;
        for (parameter_leaf const& leaf : parameter_leaves<Model>)
            for (std::size_t i = 0; i < leaf.layers(); ++i) all.push_back(array_of(leaf, i));
        return all;
    }

    /// One parameter by its checkpoint name, e.g. "h.0.attn.c_attn.weight". Throws `exception` if there is none.
    named_array array(std::string_view name) {
        for (parameter_leaf const& leaf : parameter_leaves<Model>)
            for (std::size_t i = 0; i < leaf.layers(); ++i)
                if (leaf_name(leaf, i) == name) return array_of(leaf, i);
        throw exception("parameters: expected the name of a parameter, e.g. \"" +
                        leaf_name(parameter_leaves<Model>[0], 0) + "\", found \"" + std::string(name) + "\"");
    }
    /// Its elements. `exception` if they are stored in fewer bits.
    std::span<T> span(std::string_view name) {
        const named_array a = array(name);
        if (a.type != dtype_of<T>)
            fail_expectation("parameters::span", "a parameter of numbers", "\"" + a.name + "\", which is quantized");
        return {static_cast<T*>(a.data), a.size()};
    }

private:
    aligned_array<T> data_;

    named_array array_of(parameter_leaf const& leaf, std::size_t layer) {
        named_array a{leaf_name(leaf, layer), dtype_of<T>, {}, data() + leaf.offset + layer * leaf.padded};
        if (leaf.format != storage::plain) {
            // The bytes of its record.
            a.type = dtype::uint8;
            a.shape = {kernel::storage_layout{leaf.format, leaf.elements, leaf.columns}.bytes()};
            return a;
        }
        for (int i = 0; i < leaf.rank; ++i) a.shape.push_back(leaf.axes[i]->capacity);
        return a;
    }
};

}  // namespace tenet
