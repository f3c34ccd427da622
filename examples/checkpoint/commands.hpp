// SPDX-License-Identifier: MIT
// The three things that the program does. Each prints to `out` and returns the exit code; errors are exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>

namespace tensor_files {

struct describe_options {
    std::filesystem::path file;
    bool statistics = false, cpp = false;
    std::string name;                 ///< of the declared struct; empty: model, or network if a member is called so
    std::string space = "from_file";  ///< the namespace around it
    std::size_t heads = 0;            ///< 0: as the file or config.json beside it says
};
int describe(describe_options const& options, std::ostream& out);

struct convert_options {
    std::filesystem::path from, to;
    std::string dtype;  ///< of floating tensors: "f64", "f32", "f16", "bf16"; empty: as they are
    std::uint64_t shard_size = 5'000'000'000;
};
int convert(convert_options const& options, std::ostream& out);

struct diff_options {
    std::filesystem::path left, right;
    double absolute = 0, relative = 0;  ///< tolerated: |a - b| <= absolute + relative |b|
    bool all = false;                   ///< also list what is equal
};
/// 0 if both hold the same tensors within the tolerance, else 1.
int diff(diff_options const& options, std::ostream& out);

}  // namespace tensor_files
