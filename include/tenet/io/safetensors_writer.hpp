// SPDX-License-Identifier: MIT
// io: writes safetensors files, byte for byte as the reference implementation does, and atomically: a checkpoint
// is either the old one or the new one.
// Source: github.com/huggingface/safetensors, safetensors/src/tensor.rs, `prepare`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/file_error.hpp>
#include <tenet/io/safetensors_format.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet::safetensors {
namespace detail {

inline std::string json_string(std::string const& text, char const* what) {
    try {
        return nlohmann::json(text).dump();
    } catch (nlohmann::json::exception const&) {
        fail_expectation("safetensors::write", std::string(what) + " in UTF-8", tenet::detail::quoted(text));
    }
}

inline std::size_t byte_count(named_array const& array) {
    const auto count = element_count(array.shape);
    const auto bytes = count ? multiply(*count, size_of(array.type)) : std::nullopt;
    if (!bytes) {
        fail_expectation("safetensors::write: " + tenet::detail::quoted(array.name), "a size that fits in 64 bits",
                         "shape " + shape_text(array.shape));
    }
    if (*bytes != 0 && array.data == nullptr) {
        fail_expectation("safetensors::write: " + tenet::detail::quoted(array.name), "data", "a null pointer");
    }
    return *bytes;
}

// Wide elements first, so that every tensor is aligned to its element when the header is.
inline std::vector<named_array const*> file_order(std::span<named_array const> arrays) {
    auto const rank = [](named_array const& array) {
        const auto name = file_name_of(array.type);
        return std::find_if(element_formats.begin(), element_formats.end(),
                            [&](auto const& f) { return f.name == name; }) -
               element_formats.begin();
    };
    std::vector<named_array const*> order;
    order.reserve(arrays.size());
    for (auto const& array : arrays) order.push_back(&array);
    std::sort(order.begin(), order.end(), [&](named_array const* a, named_array const* b) {
        const auto rank_a = rank(*a), rank_b = rank(*b);
        return rank_a != rank_b ? rank_a > rank_b : a->name < b->name;
    });
    return order;
}

inline void require_legal_names(std::span<named_array const> arrays) {
    std::vector<std::string_view> names;
    for (auto const& array : arrays) names.push_back(array.name);
    std::sort(names.begin(), names.end());
    const auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin != names.end()) {
        fail_expectation("safetensors::write", "each name once", tenet::detail::quoted(*twin) + " twice");
    }
    if (std::binary_search(names.begin(), names.end(), metadata_key)) {
        fail_expectation("safetensors::write", "tensor names", "the reserved name \"__metadata__\"");
    }
}

inline std::string header_text(std::span<named_array const* const> order,
                               std::map<std::string, std::string> const& metadata) {
    std::string text = "{";
    auto const separate = [&] { text += text.size() > 1 ? "," : ""; };
    if (!metadata.empty()) {
        text += json_string(std::string(metadata_key), "a key") + ":{";
        bool first = true;
        for (auto const& [key, value] : metadata) {
            text += (std::exchange(first, false) ? "" : ",") + json_string(key, "a metadata key") + ":" +
                    json_string(value, "a metadata value");
        }
        text += "}";
    }
    std::size_t offset = 0;
    for (auto const* array : order) {
        separate();
        text += json_string(array->name, "a tensor name") + ":{\"dtype\":\"" + std::string(file_name_of(array->type)) +
                "\",\"shape\":[";
        for (std::size_t i = 0; i < array->shape.size(); ++i) text += (i ? "," : "") + std::to_string(array->shape[i]);
        const std::size_t end = offset + byte_count(*array);
        text += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
        offset = end;
    }
    text += "}";
    return text.append((8 - text.size() % 8) % 8, ' ');
}

}  // namespace detail

/// Writes `arrays` and `metadata` to the safetensors file `path`, replacing it only when all is on the disk.
///
/// The header is padded to 8 bytes and tensors are sorted by element width, then name, so that each is aligned.
/// Checked at run time: unique UTF-8 names, concrete types, sizes that fit, data not null, every system call;
/// throws `exception` and leaves an old file untouched. Cost: one pass over the data, no copy.
/// Python: `safetensors.numpy.save_file(arrays, path, metadata)`.
inline void write(std::filesystem::path const& path, std::span<named_array const> arrays,
                  std::map<std::string, std::string> const& metadata = {}) {
    detail::require_legal_names(arrays);
    const auto order = detail::file_order(arrays);
    const std::string header = detail::header_text(order, metadata);
    if (header.size() > max_header_size) {
        fail_expectation("safetensors::write", "a header of at most " + std::to_string(max_header_size) + " bytes",
                         std::to_string(header.size()));
    }
    const auto header_size = static_cast<std::uint64_t>(header.size());
    atomic_file file(path);
    file.write(&header_size, sizeof header_size);
    file.write(header);
    for (auto const* array : order) file.write(array->data, detail::byte_count(*array));
    file.commit();
}

}  // namespace tenet::safetensors
