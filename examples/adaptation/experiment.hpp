// SPDX-License-Identifier: MIT
// A whole run: a base is trained on one text, then adapted to other data in several ways, which are compared.
#pragma once

#include <cstddef>
#include <vector>

#include "tuner.hpp"

namespace adaptation {

/// A way to adapt.
struct method {
    char const* name;
    tuner_factory make;
    bool adapter;  ///< which learning rate it takes
};

/// The `main` of a program that compares these methods; `steps` of each, unless the command line says otherwise.
int run_program(int argc, char** argv, char const* name, char const* summary, std::size_t steps,
                std::vector<method> const& methods);

}  // namespace adaptation
