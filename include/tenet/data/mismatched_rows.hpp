// SPDX-License-Identifier: MIT
// data: prompts with completions that belong to other prompts: what KTO's reference point is measured on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <tenet/data/completion_batch.hpp>

namespace tenet {

/// Row i has the prompt of row i and the completion of the row before it (of the last for the first); rows with the
/// same prompt are passed over, since their completions belong to it. Rows are truncated to `room` as all others.
///
///     batch.set(i, rows[i]); mismatched.set(i, mismatched_rows(rows, Time::capacity, options)[i]);
///     z = kto_reference_point<Rows>(policy(mismatched), reference(mismatched));
///
/// Errors: `exception` if a row has no other prompt than its own beside it. Cost: linear, unless many rows that stand
/// together share a prompt. Ethayarajh et al.: KTO (2024), section 4.1, which shifts the batch by one. TRL:
/// KTOTrainer, `_get_kl_dataset`, which does not look at prompts.
inline std::vector<completion_row> mismatched_rows(std::span<completion_row const> rows, std::size_t room,
                                                   completion_options const& options) {
    const auto prompt = [](completion_row const& r) { return std::span(r.tokens).first(r.prompt); };
    const auto same_prompt = [&](completion_row const& a, completion_row const& b) {
        return std::equal(prompt(a).begin(), prompt(a).end(), prompt(b).begin(), prompt(b).end());
    };
    std::vector<completion_row> all;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::size_t back = 1;
        const auto other = [&]() -> completion_row const& { return rows[(i + rows.size() - back) % rows.size()]; };
        while (back < rows.size() && same_prompt(rows[i], other())) ++back;
        if (back == rows.size())
            fail_expectation("mismatched_rows: row " + std::to_string(i), "rows with another prompt beside it",
                             std::to_string(rows.size()) + " of the same");
        all.push_back(
            make_completion_row(prompt(rows[i]), std::span(other().tokens).subspan(other().prompt), room, options));
    }
    return all;
}

}  // namespace tenet
