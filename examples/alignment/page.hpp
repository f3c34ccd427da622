// SPDX-License-Identifier: MIT
// The report: one page of HTML that needs no other file.
#pragma once

#include <filesystem>
#include <vector>

#include "results.hpp"
#include "stage.hpp"

namespace alignment {

/// Writes `path`: the comparison, the plots of the stages in `folder` (the first run's), samples side by side.
void write_page(std::filesystem::path const& path, run_folder const& folder, std::vector<run_result> const& runs);

}  // namespace alignment
