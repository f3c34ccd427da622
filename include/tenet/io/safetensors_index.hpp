// SPDX-License-Identifier: MIT
// io: the index of a checkpoint in several safetensors files (model.safetensors.index.json): which tensor is in which
// file. Parsed event by event, as the header of a file is: a tree would forget names that stand twice.
// Source: huggingface_hub, serialization/_base.py, and transformers, modeling_utils.py.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/io/safetensors_format.hpp>

namespace tenet::safetensors {

/// What an index file says.
struct shard_index {
    std::vector<std::pair<std::string, std::string>> files;  ///< tensor, file beside the index; sorted by tensor
    std::map<std::string, std::string> metadata;             ///< the strings under "metadata"
    std::optional<std::uint64_t> total_size;                 ///< bytes of all tensors, if it is stated
};

namespace detail {

// The receiver of nlohmann::json::sax_parse. Each event returns false to stop, with the reason in `error`.
class index_events {
public:
    using json = nlohmann::json;

    bool null() { return other("null"); }
    bool boolean(bool) { return other("a boolean"); }
    bool binary(json::binary_t&) { return other("binary data"); }
    bool number_integer(json::number_integer_t value) { return number(std::to_string(value), std::nullopt); }
    bool number_unsigned(json::number_unsigned_t value) { return number(std::to_string(value), value); }
    bool number_float(json::number_float_t value, std::string const& text) {
        // Some programs sum sizes as floating numbers; beyond 2^53 they are no longer exact.
        const bool whole = value >= 0 && value <= 0x1p53 && value == std::floor(value);
        return number(tenet::detail::quoted(text),
                      whole ? std::optional(static_cast<std::uint64_t>(value)) : std::nullopt);
    }
    bool string(std::string& value) {
        if (in_map()) {
            result.files.emplace_back(std::move(key_), std::move(value));
            return true;
        }
        if (in_metadata() && !is_size()) {
            result.metadata[key_] = std::move(value);
            return true;
        }
        return other("the string " + tenet::detail::quoted(value));
    }
    bool start_object(std::size_t) {
        if (depth_ == 1 && !section_.empty()) opened_ = true;
        else if (in_map() || is_size()) return other("an object");
        ++depth_;
        return true;
    }
    bool end_object() { return leave(); }
    bool start_array(std::size_t) {
        if (in_map() || is_size() || depth_ == 0 || (depth_ == 1 && known())) return other("an array");
        ++depth_;
        return true;
    }
    bool end_array() { return leave(); }
    bool key(std::string& name) {
        if (depth_ == 1) {
            section_ = name;
            if (known() && std::exchange(name == "metadata" ? has_metadata_ : has_map_, true)) return twice(name);
        } else if (depth_ == 2) {
            if (in_metadata() && name == "total_size" && std::exchange(has_size_, true)) return twice(name);
            key_ = std::move(name);
        }
        return true;
    }
    bool parse_error(std::size_t position, std::string const&, json::exception const& e) {
        return stop("valid JSON", "an error at byte " + std::to_string(position) + ": " +
                                      tenet::detail::quoted(std::string_view(e.what())));
    }

    bool has_map() const { return has_map_; }

    shard_index result;
    std::string error;  // empty while all is well

private:
    bool known() const { return section_ == "metadata" || section_ == "weight_map"; }
    bool in_map() const { return depth_ == 2 && opened_ && section_ == "weight_map"; }
    bool in_metadata() const { return depth_ == 2 && opened_ && section_ == "metadata"; }
    bool is_size() const { return in_metadata() && key_ == "total_size"; }

    bool leave() {
        if (--depth_ == 1) opened_ = false;
        return true;
    }
    bool number(std::string const& text, std::optional<std::uint64_t> value) {
        if (is_size() && value) {
            result.total_size = value;
            return true;
        }
        return other(text);
    }
    // Anything may stand where we do not look: beside the two sections, and in metadata.
    bool other(std::string const& found) {
        if (depth_ == 0) return stop("an object", found);
        if (depth_ == 1 && known()) return stop(section_ + " to be an object", found);
        if (in_map()) return stop("the name of a file for " + tenet::detail::quoted(key_), found);
        if (is_size()) return stop("total_size to be a number of bytes", found);
        return true;
    }
    bool twice(std::string const& name) { return stop("each key once", tenet::detail::quoted(name) + " twice"); }
    bool stop(std::string const& expected, std::string const& found) {
        error = "expected " + expected + ", found " + found;
        return false;
    }

    std::size_t depth_ = 0;  // of braces and brackets around
    std::string section_;    // the last key of the outermost object
    bool opened_ = false;    // inside of the section's own object
    std::string key_;
    bool has_map_ = false, has_metadata_ = false, has_size_ = false;
};

// Shards lie beside their index: a name that leads elsewhere is an attack or a mistake.
inline bool is_plain_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
           std::none_of(name.begin(), name.end(), [](char c) { return c == '/' || c == '\\' || c == '\0'; });
}

}  // namespace detail

/// Parses the text of an index file; `place` begins the message of an error.
///
/// Checked: at most `max_header_size` bytes of valid JSON; the object "weight_map" from names to plain file names, each
/// tensor once; "total_size" under "metadata" a number of bytes, if there is one. Other keys are passed over. Throws
/// `exception`.
inline shard_index parse_index(std::string_view text, std::string const& place) {
    if (text.size() > max_header_size) {
        fail_expectation(place, "an index of at most " + std::to_string(max_header_size) + " bytes",
                         std::to_string(text.size()));
    }
    // nlohmann takes a zero byte for the end of the text and would not look at what follows it.
    if (text.find('\0') != std::string_view::npos) fail_expectation(place, "an index of JSON text", "a zero byte");
    detail::index_events events;
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &events)) throw exception(place + ": " + events.error);
    if (!events.has_map()) fail_expectation(place, "an object \"weight_map\"", "none");
    auto& files = events.result.files;
    std::sort(files.begin(), files.end());
    const auto twin =
        std::adjacent_find(files.begin(), files.end(), [](auto const& a, auto const& b) { return a.first == b.first; });
    if (twin != files.end()) fail_expectation(place, "each tensor once", tenet::detail::quoted(twin->first) + " twice");
    for (auto const& [tensor, file] : files) {
        if (!detail::is_plain_file_name(file)) {
            fail_expectation(place + ": tensor " + tenet::detail::quoted(tensor), "a file beside the index",
                             tenet::detail::quoted(file));
        }
    }
    return std::move(events.result);
}

}  // namespace tenet::safetensors
