// SPDX-License-Identifier: MIT
// A whole run: a base is trained on one text, then adapted to other data in several ways, which are compared.
#pragma once

#include <vector>

#include "options.hpp"
#include "tuner.hpp"

namespace adaptation {

/// A way to adapt.
struct method {
    char const* name;
    tuner_factory make;
    bool adapter;  ///< which learning rate it takes
};

/// The `main` of a program that compares these methods; the command line changes the defaults.
int run_program(int argc, char** argv, char const* name, char const* summary, options const& defaults,
                std::vector<method> const& methods);

}  // namespace adaptation
