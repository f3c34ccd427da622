// SPDX-License-Identifier: MIT
// Arrays of a checkpoint: parameters under their names, an optimiser's state after a prefix.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <tenet/program/parameters.hpp>
#include <tenet/tensor/named_array.hpp>

namespace alignment {

/// Appends `more` to `all`, each name after `prefix`.
inline void append(std::vector<tenet::named_array>& all, std::vector<tenet::named_array> more,
                   std::string const& prefix) {
    for (tenet::named_array& a : more) {
        a.name.insert(0, prefix);
        all.push_back(std::move(a));
    }
}

/// Parameters and their optimiser's arrays, borrowed.
template <class Model>
std::vector<tenet::named_array> state_of(tenet::parameters<Model>& theta, std::vector<tenet::named_array> optimizer) {
    std::vector<tenet::named_array> all = theta.arrays();
    append(all, std::move(optimizer), "optimizer.");
    return all;
}

}  // namespace alignment
