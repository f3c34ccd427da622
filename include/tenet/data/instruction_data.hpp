// SPDX-License-Identifier: MIT
// data: tasks with answers, read from JSON Lines in the forms that instruction and chat data come in. Whatever the
// form, an example is one answer and what was said before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>

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

/// One line of instruction data, and where it stands.
class instruction_line {
public:
    instruction_line(std::string_view source, std::size_t number, std::string_view text)
        : place_(std::string(source) + ": line " + std::to_string(number)),
          row_(nlohmann::json::parse(text.begin(), text.end(), nullptr, false)) {
        if (!row_.is_object()) fail_expectation(place_, "a JSON object", detail::quoted(text.substr(0, 60)));
    }

    void read(std::vector<instruction_example>& all) const {
        if (row_.contains("messages")) return read_chat(all);
        instruction_example e;
        if (char const* system = first_of(row_, {"system"}); system != nullptr && !text(row_, system).empty())
            e.history.push_back({"system", text(row_, system)});
        e.instruction = required(row_, {"instruction", "prompt"});
        if (row_.contains("instances")) {
            if (!row_["instances"].is_array()) fail("a list under \"instances\"", row_["instances"]);
            for (nlohmann::json const& instance : row_["instances"]) {
                if (!instance.is_object()) fail("an object in \"instances\"", instance);
                e.input = optional(instance, "input");
                e.output = required(instance, {"output"});
                all.push_back(e);
            }
            return;
        }
        e.input = optional(row_, "input");
        e.output = required(row_, {"output", "response", "completion", "chosen"});
        all.push_back(std::move(e));
    }

private:
    std::string place_;
    nlohmann::json row_;

    // Every answer is an example: what was said before is its history.
    void read_chat(std::vector<instruction_example>& all) const {
        if (!row_["messages"].is_array()) fail("a list under \"messages\"", row_["messages"]);
        std::vector<chat_turn> turns;
        const std::size_t before = all.size();
        for (nlohmann::json const& message : row_["messages"]) {
            if (!message.is_object()) fail("an object in \"messages\"", message);
            turns.push_back({required(message, {"role"}), required(message, {"content"})});
            if (turns.back().role != "assistant") continue;
            if (turns.size() < 2 || turns[turns.size() - 2].role != "user") continue;
            const auto asked = turns.end() - 2;
            all.push_back({{turns.begin(), asked}, asked->content, {}, turns.back().content});
        }
        if (all.size() == before)
            fail_expectation(place_, "a turn of \"assistant\" after one of \"user\"",
                             std::to_string(turns.size()) + " turns without one");
    }

    static char const* first_of(nlohmann::json const& object, std::initializer_list<char const*> names) {
        for (char const* name : names)
            if (object.contains(name)) return name;
        return nullptr;
    }
    std::string text(nlohmann::json const& object, char const* name) const {
        if (!object[name].is_string()) fail("a string under " + detail::quoted(name), object[name]);
        return object[name].get<std::string>();
    }
    std::string optional(nlohmann::json const& object, char const* name) const {
        return object.contains(name) && !object[name].is_null() ? text(object, name) : "";
    }
    std::string required(nlohmann::json const& object, std::initializer_list<char const*> names) const {
        if (char const* name = first_of(object, names)) return text(object, name);
        std::string wanted, found;
        for (char const* name : names) wanted += (wanted.empty() ? "" : " or ") + detail::quoted(name);
        for (auto const& entry : object.items()) found += (found.empty() ? "" : ", ") + detail::quoted(entry.key());
        fail_expectation(place_, "a field " + wanted, found.empty() ? "none" : found);
    }
    [[noreturn]] void fail(std::string const& expected, nlohmann::json const& found) const {
        fail_expectation(place_, expected, found.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
};

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
    for (std::size_t number = 1; !json_lines.empty(); ++number) {
        const std::size_t end = std::min(json_lines.find('\n'), json_lines.size());
        const std::string_view line = json_lines.substr(0, end);
        json_lines.remove_prefix(std::min(end + 1, json_lines.size()));
        if (line.find_first_not_of(" \t\r") != std::string_view::npos)
            detail::instruction_line(source, number, line).read(all);
    }
    if (all.empty()) fail_expectation(std::string(source), "at least one example", "none");
    return all;
}

}  // namespace tenet
