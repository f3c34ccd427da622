// SPDX-License-Identifier: MIT
// tensor: an array as files see it: a name, an element type, a shape and memory that somebody else owns.
// It is the border between typed tensors and readers and writers that know no axes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <tenet/tensor/dtype.hpp>

namespace tenet {

/// A named, contiguous, row-major array in memory owned elsewhere.
struct named_array {
    std::string name;                ///< e.g. "h.0.attn.c_attn.weight"
    dtype type = dtype::float32;     ///< never `dtype::real`
    std::vector<std::size_t> shape;  ///< empty for a scalar
    void* data = nullptr;            ///< first element; borrowed

    /// Number of elements: the product of the shape.
    std::size_t size() const {
        std::size_t n = 1;
        for (std::size_t e : shape) n *= e;
        return n;
    }
};

}  // namespace tenet
