// SPDX-License-Identifier: MIT
// text: the JSON object of tokens and ids. It is parsed event by event: a tree forgets keys that are there twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/spelled_vocabulary.hpp>
#include <tenet/text/utf8.hpp>

namespace tenet::detail {

// The receiver of nlohmann::json::sax_parse: one flat object of numbers.
class json_vocabulary_events {
public:
    using json = nlohmann::json;

    json_vocabulary_events(spelled_vocabulary& to, std::size_t file_size) : to_(to), file_size_(file_size) {}

    bool null() { return unexpected("null"); }
    bool boolean(bool) { return unexpected("a boolean"); }
    bool number_integer(json::number_integer_t value) { return unexpected(std::to_string(value)); }
    bool number_float(json::number_float_t, std::string const& text) { return unexpected(detail::quoted(text)); }
    bool string(std::string& text) { return unexpected("the string " + detail::quoted(text)); }
    bool binary(json::binary_t&) { return unexpected("binary data"); }
    bool start_array(std::size_t) { return unexpected("an array"); }
    bool end_array() { return true; }
    bool start_object(std::size_t) { return depth_++ == 0 || unexpected("an object"); }
    bool end_object() { return true; }
    bool key(std::string& name) {
        key_ = std::move(name);
        return true;
    }
    bool number_unsigned(json::number_unsigned_t value) {
        if (depth_ == 0) return unexpected(std::to_string(value));
        to_.add_token(std::move(key_), value, file_size_);
        return true;
    }
    bool parse_error(std::size_t position, std::string const&, json::exception const& e) {
        fail_expectation(
            to_.where(), "valid JSON",
            "an error at byte " + std::to_string(position) + ": " + detail::quoted(std::string_view(e.what())));
    }

private:
    bool unexpected(std::string const& found) const {
        fail_expectation(to_.where(), depth_ == 0 ? "an object of tokens" : "the id of " + detail::quoted(key_), found);
    }

    spelled_vocabulary& to_;
    std::size_t file_size_;
    std::string key_;
    int depth_ = 0;
};

/// Adds the tokens of a vocab.json.
inline void read_json_vocabulary(std::string_view text, spelled_vocabulary& to) {
    json_vocabulary_events events(to, text.size());
    nlohmann::json::sax_parse(text, &events);
}

/// Tokens and special tokens with their ids, in the order of the ids. The texts of special tokens must be UTF-8.
inline std::string write_json_vocabulary(byte_pair_vocabulary const& v, spelled_vocabulary const& spelled) {
    std::vector<std::pair<std::int32_t, std::string>> entries;
    for (auto const& [spelling, id] : spelled.ids()) entries.emplace_back(id, spelling);
    for (special_token const& s : v.special) {
        if (spelled.ids().contains(s.text) || !is_utf8(s.text)) {
            fail_expectation(spelled.where(), "special tokens in UTF-8 that spell no other token",
                             detail::quoted(s.text));
        }
        entries.emplace_back(s.id, s.text);
    }
    std::sort(entries.begin(), entries.end());
    std::string out;
    for (auto const& [id, spelling] : entries) {
        (out += out.empty() ? '{' : ',') += nlohmann::json(spelling).dump() + ':' + std::to_string(id);
    }
    return out + '}';
}

}  // namespace tenet::detail
