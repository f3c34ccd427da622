// SPDX-License-Identifier: MIT
// data: pairs of a better and a worse completion of one prompt, read from JSON Lines.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/data/json_line.hpp>

namespace tenet {

/// A prompt and two completions of it, of which the first is preferred.
struct preference_example {
    std::string prompt{}, chosen{}, rejected{};

    friend bool operator==(preference_example const&, preference_example const&) = default;
};

/// Reads pairs, one JSON object a line, blank lines left out: {"prompt": ..., "chosen": ..., "rejected": ...}, three
/// strings; other fields are not looked at. That is the form of TRL's preference data sets with an explicit prompt.
/// Errors: `exception` with the line's number (`source` is the name it is said of), the field that was expected and
/// what was found: nothing, another type, an empty completion. Cost: linear.
inline std::vector<preference_example> parse_preferences(std::string_view json_lines,
                                                         std::string_view source = "preferences") {
    std::vector<preference_example> all;
    detail::for_each_json_line(json_lines, source, [&](detail::json_line const& line) {
        const auto field = [&](char const* name) { return line.required(line.row(), {name}); };
        preference_example e{field("prompt"), field("chosen"), field("rejected")};
        for (auto const& [name, completion] : {std::pair{"chosen", &e.chosen}, {"rejected", &e.rejected}})
            if (completion->empty())
                line.fail("a completion of at least one byte under " + detail::quoted(name), std::string("none"));
        all.push_back(std::move(e));
    });
    if (all.empty()) fail_expectation(std::string(source), "at least one pair", "none");
    return all;
}

}  // namespace tenet
