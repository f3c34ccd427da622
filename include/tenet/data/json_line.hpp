// SPDX-License-Identifier: MIT
// data: a line of JSON Lines data, and where it stands: readers of data sets ask it for fields, and what is not there
// is an error that names the line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>

namespace tenet::detail {

class json_line {
public:
    json_line(std::string_view source, std::size_t number, std::string_view text)
        : place_(std::string(source) + ": line " + std::to_string(number)), row_(parsed(text)) {
        if (!row_.is_object()) fail_expectation(place_, "a JSON object", detail::quoted(text.substr(0, 60)));
    }

    nlohmann::json const& row() const { return row_; }

    static char const* first_of(nlohmann::json const& object, std::initializer_list<char const*> names) {
        for (char const* name : names)
            if (object.contains(name)) return name;
        return nullptr;
    }
    std::string text(nlohmann::json const& object, char const* name) const {
        if (!object[name].is_string()) fail("a string under " + detail::quoted(name), object[name]);
        return object[name].get<std::string>();
    }
    /// "" if it is missing or null.
    std::string optional(nlohmann::json const& object, char const* name) const {
        return object.contains(name) && !object[name].is_null() ? text(object, name) : "";
    }
    /// The first of `names` that there is.
    std::string required(nlohmann::json const& object, std::initializer_list<char const*> names) const {
        if (char const* name = first_of(object, names)) return text(object, name);
        std::string wanted, found;
        for (char const* name : names) wanted += (wanted.empty() ? "" : " or ") + detail::quoted(name);
        for (auto const& entry : object.items()) found += (found.empty() ? "" : ", ") + detail::quoted(entry.key());
        fail("a field " + wanted, found.empty() ? "none" : found);
    }

    [[noreturn]] void fail(std::string const& expected, std::string const& found) const {
        fail_expectation(place_, expected, found);
    }
    [[noreturn]] void fail(std::string const& expected, nlohmann::json const& found) const {
        fail(expected, found.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }

private:
    std::string place_;
    nlohmann::json row_;

    nlohmann::json parsed(std::string_view text) const {
        try {
            return nlohmann::json::parse(text.begin(), text.end());
        } catch (nlohmann::json::parse_error const& e) {
            // A mistake may stand far behind the beginning of a long line.
            const std::size_t at = std::min(e.byte, text.size()), first = at < 40 ? 0 : at - 40;
            fail("a JSON object in UTF-8",
                 "a mistake at byte " + std::to_string(e.byte) + ", in " + detail::quoted(text.substr(first, 60)));
        } catch (nlohmann::json::exception const&) {  // a number that no double is
            fail("a JSON object", detail::quoted(text.substr(0, 60)));
        }
    }
};

/// Calls `f(line)` for each line that is not blank.
template <class F>
void for_each_json_line(std::string_view json_lines, std::string_view source, F const& f) {
    if (json_lines.starts_with("\xef\xbb\xbf")) json_lines.remove_prefix(3);  // the mark that some editors begin with
    for (std::size_t number = 1; !json_lines.empty(); ++number) {
        const std::size_t end = std::min(json_lines.find('\n'), json_lines.size());
        const std::string_view line = json_lines.substr(0, end);
        json_lines.remove_prefix(std::min(end + 1, json_lines.size()));
        if (line.find_first_not_of(" \t\r") != std::string_view::npos) f(json_line(source, number, line));
    }
}

}  // namespace tenet::detail
