// SPDX-License-Identifier: MIT
// io: writes safetensors files, byte for byte as the reference implementation does, and atomically: a checkpoint
// is either the old one or the new one.
// Source: github.com/huggingface/safetensors, safetensors/src/tensor.rs, `prepare`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/file_error.hpp>
#include <tenet/io/safetensors_format.hpp>
#include <tenet/io/safetensors_tensor.hpp>
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

// What will be in a file: its header, and the tensors in the order of their bytes.
struct file_plan {
    std::string header;
    std::vector<tensor_entry const*> order;
};

// Wide elements first, so that every tensor is aligned to its element when the header is.
inline std::vector<tensor_entry const*> file_order(std::span<tensor_entry const> tensors) {
    auto const rank = [](tensor_entry const& tensor) {
        return std::find_if(element_formats.begin(), element_formats.end(),
                            [&](auto const& f) { return f.name == tensor.dtype; }) -
               element_formats.begin();
    };
    std::vector<tensor_entry const*> order;
    order.reserve(tensors.size());
    for (auto const& tensor : tensors) order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [&](tensor_entry const* a, tensor_entry const* b) {
        const auto rank_a = rank(*a), rank_b = rank(*b);
        return rank_a != rank_b ? rank_a > rank_b : a->name < b->name;
    });
    return order;
}

inline void require_legal_names(std::span<tensor_entry const> tensors) {
    std::vector<std::string_view> names;
    for (auto const& tensor : tensors) names.push_back(tensor.name);
    std::sort(names.begin(), names.end());
    const auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin != names.end()) {
        fail_expectation("safetensors::write", "each name once", tenet::detail::quoted(*twin) + " twice");
    }
    if (std::binary_search(names.begin(), names.end(), metadata_key)) {
        fail_expectation("safetensors::write", "tensor names", "the reserved name \"__metadata__\"");
    }
}

inline std::size_t byte_count(tensor_entry const& tensor) {
    return byte_count(tensor.dtype, tensor.shape, "safetensors::write: " + tenet::detail::quoted(tensor.name));
}

inline std::string header_text(std::span<tensor_entry const* const> order,
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
    for (auto const* tensor : order) {
        separate();
        text += json_string(tensor->name, "a tensor name") + ":{\"dtype\":\"" + tensor->dtype + "\",\"shape\":[";
        for (std::size_t i = 0; i < tensor->shape.size(); ++i) {
            text += (i ? "," : "") + std::to_string(tensor->shape[i]);
        }
        const std::size_t size = byte_count(*tensor);
        if (size > std::numeric_limits<std::size_t>::max() - offset) {
            fail_expectation("safetensors::write", "a file whose size fits in 64 bits", "a longer one");
        }
        text += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + size) + "]}";
        offset += size;
    }
    text += "}";
    return text.append((8 - text.size() % 8) % 8, ' ');
}

inline file_plan plan_file(std::span<tensor_entry const> tensors, std::map<std::string, std::string> const& metadata) {
    require_legal_names(tensors);
    file_plan plan;
    plan.order = file_order(tensors);
    plan.header = header_text(plan.order, metadata);
    if (plan.header.size() > max_header_size) {
        fail_expectation("safetensors::write", "a header of at most " + std::to_string(max_header_size) + " bytes",
                         std::to_string(plan.header.size()));
    }
    return plan;
}

template <class BytesOf>
void write_planned(atomic_file& file, file_plan const& plan, BytesOf const& bytes_of) {
    const auto header_size = static_cast<std::uint64_t>(plan.header.size());
    file.write(&header_size, sizeof header_size);
    file.write(plan.header);
    for (auto const* tensor : plan.order) {
        const std::span<std::byte const> bytes = bytes_of(*tensor);
        if (const std::size_t size = byte_count(*tensor); bytes.size() != size) {
            fail_expectation(
                "safetensors::write: " + tenet::detail::quoted(tensor->name),
                std::to_string(size) + " bytes for shape " + shape_text(tensor->shape) + " of " + tensor->dtype,
                std::to_string(bytes.size()));
        }
        file.write(bytes.data(), bytes.size());
    }
}

inline std::vector<tensor_entry> entries_of(std::span<named_array const> arrays) {
    std::vector<tensor_entry> tensors;
    tensors.reserve(arrays.size());
    for (auto const& array : arrays) tensors.push_back(entry_of(array));
    return tensors;
}

}  // namespace detail

/// Writes `tensors` of any of the format's types and `metadata` to the safetensors file `path`, replacing it only when
/// all is on the disk.
///
/// `bytes_of(tensor)` gives the bytes of one tensor as a span, which must live until the next call: what is converted
/// while it is written needs memory for one tensor only. The header is padded to 8 bytes and tensors are sorted by
/// element width, then name, so that each is aligned. Checked at run time: unique UTF-8 names, known types, sizes that
/// fit and agree with the bytes, every system call; throws `exception` and leaves an old file untouched. Cost: one pass
/// over the data, no copy.
template <class BytesOf>
void write_tensors(std::filesystem::path const& path, std::span<tensor_entry const> tensors,
                   std::map<std::string, std::string> const& metadata, BytesOf const& bytes_of) {
    const auto plan = detail::plan_file(tensors, metadata);
    atomic_file file(path);
    detail::write_planned(file, plan, bytes_of);
    file.commit();
}

/// The same for tensors that know their bytes, as those of another file do.
inline void write_tensors(std::filesystem::path const& path, std::span<tensor_entry const> tensors,
                          std::map<std::string, std::string> const& metadata = {}) {
    write_tensors(path, tensors, metadata, [](tensor_entry const& tensor) { return tensor.bytes; });
}

/// Writes `arrays` and `metadata` to the safetensors file `path`: as `write_tensors`, for arrays in memory. Further
/// errors: a type that no file has, a null pointer.
/// Python: `safetensors.numpy.save_file(arrays, path, metadata)`.
inline void write(std::filesystem::path const& path, std::span<named_array const> arrays,
                  std::map<std::string, std::string> const& metadata = {}) {
    write_tensors(path, detail::entries_of(arrays), metadata);
}

}  // namespace tenet::safetensors
