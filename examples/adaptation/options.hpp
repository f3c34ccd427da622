// SPDX-License-Identifier: MIT
// The command line that the three programs share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace adaptation {

struct options {
    std::filesystem::path text{}, data{}, base{}, out = "run";
    std::string shape = "short";
    bool packing = false, resume = false;
    std::size_t base_steps = 1500, steps = 400, batch = 8, accumulate = 1, evaluations = 6, stop_after = 0;
    double base_rate = 2e-3, rate = 1e-3, adapter_rate = 5e-3, clip = 1;
    std::uint64_t seed = 1;
    int threads = 2;
};

void add_options(CLI::App& app, options& o);

}  // namespace adaptation
