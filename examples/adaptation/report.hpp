// SPDX-License-Identifier: MIT
// The comparison: a table on the terminal and in table.md, a plot in loss.svg.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "stage.hpp"

namespace adaptation {

/// What weights are worth.
struct outcome {
    double old_loss = 0, new_loss = 0;
    std::size_t right = 0;  ///< answers that are right to the letter
};

class report {
public:
    explicit report(data_set const& new_data) : tasks_(new_data.tasks().size()) {}

    void add_base(outcome const& o) { base_ = o; }
    void add(std::string name, tuner_costs const& costs, double milliseconds, outcome const& before,
             outcome const& after, curve const& losses) {
        entries_.push_back({std::move(name), costs, milliseconds, before, after, losses});
    }
    /// Prints the table, and writes table.md and loss.svg.
    void write(std::filesystem::path const& folder) const;

private:
    struct entry {
        std::string name;
        tuner_costs costs;
        double milliseconds;
        outcome before, after;
        curve losses;
    };

    std::string table() const;
    void draw(std::filesystem::path const& path) const;

    std::size_t tasks_;
    outcome base_;
    std::vector<entry> entries_;
};

}  // namespace adaptation
