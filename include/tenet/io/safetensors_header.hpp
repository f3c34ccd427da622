// SPDX-License-Identifier: MIT
// io: the JSON header of a safetensors file. It is parsed event by event, not into a tree: a tree forgets duplicate
// keys, and its memory is the file's choice. A small machine knows which event may come next.
// Source: github.com/huggingface/safetensors, README.md "Format".
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/io/file_error.hpp>
#include <tenet/io/safetensors_format.hpp>

namespace tenet::safetensors::detail {

struct header_entry {
    std::string name;
    std::string dtype;
    std::vector<std::size_t> shape;
    std::size_t begin = 0;
    std::size_t end = 0;
};

struct header {
    std::map<std::string, std::string> metadata;
    std::vector<header_entry> tensors;  // unchecked but for their syntax, in the order of the text
};

// The receiver of nlohmann::json::sax_parse. Each event returns false to stop, with the reason in `error`.
class header_events {
public:
    using json = nlohmann::json;

    bool null() { return unexpected("null"); }
    bool boolean(bool) { return unexpected("a boolean"); }
    bool number_integer(json::number_integer_t value) { return unexpected(std::to_string(value)); }
    bool number_float(json::number_float_t, std::string const& text) { return unexpected(tenet::detail::quoted(text)); }
    bool binary(json::binary_t&) { return unexpected("binary data"); }

    bool number_unsigned(json::number_unsigned_t value) {
        if (state_ == state::shape) {
            result.tensors.back().shape.push_back(static_cast<std::size_t>(value));
            return true;
        }
        if (state_ == state::offsets && offsets_seen_ < 2) {
            auto& entry = result.tensors.back();
            (offsets_seen_++ == 0 ? entry.begin : entry.end) = static_cast<std::size_t>(value);
            return true;
        }
        return unexpected(std::to_string(value));
    }

    bool string(std::string& value) {
        if (state_ == state::metadata_value) {
            result.metadata[key_] = std::move(value);
            state_ = state::metadata;
            return true;
        }
        if (state_ == state::dtype) {
            result.tensors.back().dtype = std::move(value);
            state_ = state::tensor;
            return true;
        }
        return unexpected("the string " + tenet::detail::quoted(value));
    }

    bool start_object(std::size_t) {
        switch (state_) {
        case state::start: state_ = state::names; return true;
        case state::metadata_begin: state_ = state::metadata; return true;
        case state::tensor_begin: state_ = state::tensor; return true;
        default: return unexpected("an object");
        }
    }

    bool key(std::string& name) {
        switch (state_) {
        case state::names: return key_of_file(name);
        case state::metadata:
            if (result.metadata.contains(name))
                return stop("each metadata key once", tenet::detail::quoted(name) + " twice");
            key_ = std::move(name);
            state_ = state::metadata_value;
            return true;
        default: return key_of_tensor(name);
        }
    }

    bool end_object() {
        if (state_ == state::tensor) {
            if (!has_dtype_ || !has_shape_ || !has_offsets_) {
                return stop("dtype, shape and data_offsets", "one of them missing");
            }
            state_ = state::names;
        } else if (state_ == state::metadata) {
            state_ = state::names;
        }
        return true;
    }

    bool start_array(std::size_t) {
        switch (state_) {
        case state::shape_begin: state_ = state::shape; return true;
        case state::offsets_begin: state_ = state::offsets; return true;
        default: return unexpected("an array");
        }
    }

    bool end_array() {
        if (state_ == state::offsets && offsets_seen_ != 2)
            return stop("two data_offsets", std::to_string(offsets_seen_));
        state_ = state::tensor;
        return true;
    }

    bool parse_error(std::size_t position, std::string const&, json::exception const& e) {
        // nlohmann's sentence quotes the last token, which may be megabytes of hostile text.
        return stop("valid JSON", "an error at byte " + std::to_string(position) + ": " +
                                      tenet::detail::quoted(std::string_view(e.what())));
    }

    header result;
    std::string error;  // empty while all is well

private:
    enum class state {
        start,
        names,
        metadata_begin,
        metadata,
        metadata_value,
        tensor_begin,
        tensor,
        dtype,
        shape_begin,
        shape,
        offsets_begin,
        offsets
    };

    bool key_of_file(std::string& name) {
        if (name == metadata_key) {
            if (std::exchange(has_metadata_, true)) return stop("one __metadata__", "two");
            state_ = state::metadata_begin;
            return true;
        }
        result.tensors.push_back({});
        result.tensors.back().name = std::move(name);
        has_dtype_ = has_shape_ = has_offsets_ = false;
        offsets_seen_ = 0;
        state_ = state::tensor_begin;
        return true;
    }

    bool key_of_tensor(std::string const& name) {
        bool* seen = nullptr;
        if (name == "dtype") {
            seen = &has_dtype_;
            state_ = state::dtype;
        } else if (name == "shape") {
            seen = &has_shape_;
            state_ = state::shape_begin;
        } else if (name == "data_offsets") {
            seen = &has_offsets_;
            state_ = state::offsets_begin;
        } else {
            return stop("the keys dtype, shape and data_offsets", tenet::detail::quoted(name));
        }
        if (std::exchange(*seen, true)) return stop("each key once", tenet::detail::quoted(name) + " twice");
        return true;
    }

    bool unexpected(std::string const& found) {
        switch (state_) {
        case state::start: return stop("an object", found);
        case state::metadata_begin: return stop("__metadata__ to be an object", found);
        case state::metadata_value: return stop("a string in __metadata__", found);
        case state::tensor_begin: return stop("an object with dtype, shape and data_offsets", found);
        case state::dtype: return stop("a string as dtype", found);
        case state::shape_begin: return stop("an array as shape", found);
        case state::shape: return stop("non-negative integers of 64 bits in shape", found);
        case state::offsets_begin: return stop("an array as data_offsets", found);
        case state::offsets: return stop("two non-negative integers of 64 bits in data_offsets", found);
        default: return stop("a key", found);
        }
    }

    bool stop(std::string const& expected, std::string const& found) {
        const bool in_tensor = !result.tensors.empty() && state_ >= state::tensor_begin;
        error = (in_tensor ? "tensor " + tenet::detail::quoted(result.tensors.back().name) + ": " : std::string()) +
                "expected " + expected + ", found " + found;
        return false;
    }

    state state_ = state::start;
    std::string key_;
    std::size_t offsets_seen_ = 0;
    bool has_metadata_ = false;
    bool has_dtype_ = false;
    bool has_shape_ = false;
    bool has_offsets_ = false;
};

// Names may repeat far apart, so they are compared once all are known: in O(n log n), whatever the file holds.
inline void require_unique_names(std::vector<header_entry> const& tensors, std::string const& place) {
    std::vector<std::string_view> names;
    names.reserve(tensors.size());
    for (auto const& tensor : tensors) names.push_back(tensor.name);
    std::sort(names.begin(), names.end());
    const auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin != names.end()) fail_expectation(place, "each tensor once", tenet::detail::quoted(*twin) + " twice");
}

inline header parse_header(std::string_view text, std::string const& place) {
    if (text.empty() || text.front() != '{') {
        fail_expectation(place, "a header that begins with {", tenet::detail::quoted(text.substr(0, 1)));
    }
    // nlohmann takes a zero byte for the end of the text and would not look at what follows it.
    if (text.find('\0') != std::string_view::npos) fail_expectation(place, "a header of JSON text", "a zero byte");
    header_events events;
    const bool ok = nlohmann::json::sax_parse(text.begin(), text.end(), &events);
    if (!ok) throw exception(place + ": " + events.error);
    require_unique_names(events.result.tensors, place);
    return std::move(events.result);
}

}  // namespace tenet::safetensors::detail
