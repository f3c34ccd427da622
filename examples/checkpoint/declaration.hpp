// SPDX-License-Identifier: MIT
// From the names and shapes of a checkpoint to the C++ declaration of a model that has these parameters.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tensor_file.hpp"

namespace tensor_files {

struct declaration_options {
    std::string name;                 ///< of the declared struct; empty: model, or network if a member is called so
    std::string space = "from_file";  ///< the namespace around it
    std::size_t heads = 0;            ///< of attention; 0: unknown
};

/// The axes, the modules and the model as C++ text that compiles with tenet: `file_arrays` of its parameters has the
/// names and shapes of the floating tensors; masks and tensors of integers are left aside, with a comment.
///
/// Numbered children with equal names and shapes become a stack; {weight, bias} becomes a linear layer, a normalisation
/// or an embedding, by shapes and names; names that are no identifiers become literals. Errors: `tenet::exception` for
/// what cannot be declared: layers that differ, more than 24 members, a size of zero, more than 8 axes.
std::string declare_model(std::span<tensor_entry const> tensors, std::string const& source,
                          declaration_options const& options);

}  // namespace tensor_files
