// SPDX-License-Identifier: MIT
// data: tasks with answers, read from JSON Lines in the forms that instruction and chat data come in. Whatever the
// form, an example is one answer and what was said before it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/data/json_line.hpp>

namespace tenet {

/// One turn of a conversation: "system", "user", "assistant" or whatever the data has, and what was said.
struct chat_turn {
    std::string role, content;

    friend bool operator==(chat_turn const&, chat_turn const&) = default;
};

/// A task and its answer; `history` holds the turns before the one that is the instruction.
struct instruction_example {
    std::vector<chat_turn> history{};
    std::string instruction{}, input{}, output{};

    friend bool operator==(instruction_example const&, instruction_example const&) = default;
};

namespace detail {

// Every answer is an example: what was said before is its history.
inline void read_chat(json_line const& line, std::vector<instruction_example>& all) {
    nlohmann::json const& messages = line.row()["messages"];
    if (!messages.is_array()) line.fail("a list under \"messages\"", messages);
    std::vector<chat_turn> turns;
    const std::size_t before = all.size();
    for (nlohmann::json const& message : messages) {
        if (!message.is_object()) line.fail("an object in \"messages\"", message);
        turns.push_back({line.required(message, {"role"}), line.required(message, {"content"})});
        if (turns.back().role != "assistant") continue;
        if (turns.size() < 2 || turns[turns.size() - 2].role != "user") continue;
        const auto asked = turns.end() - 2;
        all.push_back({{turns.begin(), asked}, asked->content, {}, turns.back().content});
    }
    if (all.size() == before)
        line.fail("a turn of \"assistant\" after one of \"user\"", std::to_string(turns.size()) + " turns without one");
}

inline void read_instructions(json_line const& line, std::vector<instruction_example>& all) {
    nlohmann::json const& row = line.row();
    if (row.contains("messages")) return read_chat(line, all);
    instruction_example e;
    if (const std::string system = line.optional(row, "system"); !system.empty())
        e.history.push_back({"system", system});
    e.instruction = line.required(row, {"instruction", "prompt"});
    if (row.contains("instances")) {
        if (!row["instances"].is_array()) line.fail("a list under \"instances\"", row["instances"]);
        for (nlohmann::json const& instance : row["instances"]) {
            if (!instance.is_object()) line.fail("an object in \"instances\"", instance);
            e.input = line.optional(instance, "input");
            e.output = line.required(instance, {"output"});
            all.push_back(e);
        }
        return;
    }
    e.input = line.optional(row, "input");
    e.output = line.required(row, {"output", "response", "completion", "chosen"});
    all.push_back(std::move(e));
}

}  // namespace detail

/// Reads instruction data, one JSON object a line, blank lines left out. An object is one of
///
///     {"instruction": ..., "input": ..., "output": ...}          Alpaca's form; "input" may be missing, and "system"
///                                                                 may be there
///     {"prompt": ..., "output" (or "response", "completion", "chosen"): ...}
///     {"instruction": ..., "instances": [{"input": ..., "output": ...}, ...]}          one example each
///     {"messages": [{"role": "user", "content": ...}, {"role": "assistant", ...}, ...]}
///                                                                 one example for each answer to a user
///
/// Other fields are not looked at. Errors: `exception` with the line's number (`source` is the name it is said of), the
/// field that was expected and what was found. Cost: linear.
inline std::vector<instruction_example> parse_instructions(std::string_view json_lines,
                                                           std::string_view source = "instructions") {
    std::vector<instruction_example> all;
    detail::for_each_json_line(json_lines, source,
                               [&](detail::json_line const& line) { detail::read_instructions(line, all); });
    if (all.empty()) fail_expectation(std::string(source), "at least one example", "none");
    return all;
}

}  // namespace tenet
