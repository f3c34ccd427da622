// SPDX-License-Identifier: MIT
// io: copies the tensors of a safetensors file into a model's arrays, all or nothing. Everything is compared first
// and every disagreement is listed in one exception: a wrong checkpoint is understood at one glance.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/io/file_error.hpp>
#include <tenet/io/float_formats.hpp>
#include <tenet/io/safetensors_format.hpp>
#include <tenet/io/safetensors_reader.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet::safetensors {

/// How `load` matches names.
struct load_options {
    /// Tensors of the file that may be left over, by their names in the file. `*` stands for any run of characters:
    /// "lm_head.weight", "optimizer.*", "h.*.attn.bias". Only leftovers are ignored: a wanted tensor never is.
    std::vector<std::string> ignore_extra{};
    /// From a tensor's name in the file to the destination's name; null keeps names. Example: strip "transformer.".
    std::function<std::string(std::string const&)> rename{};
};

namespace detail {

/// Whether `text` matches `pattern`, where `*` is any run of characters. Linear but for one level of backtracking.
constexpr bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

inline bool is_floating(std::string_view name) {
    return name == "F32" || name == "F64" || name == "F16" || name == "BF16";
}

inline bool convertible(std::string_view from, dtype to) {
    return from == file_name_of(to) || (is_floating(from) && is_floating(file_name_of(to)));
}

template <class T>
T element_at(std::byte const* bytes, std::size_t index) {
    T value;
    std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));  // the file promises no alignment
    return value;
}

template <class Widen>
void convert_elements(named_array const& to, Widen const& value_at) {
    const std::size_t n = to.size();
    switch (to.type) {
    case dtype::float32:
        for (std::size_t i = 0; i < n; ++i) static_cast<float*>(to.data)[i] = static_cast<float>(value_at(i));
        break;
    case dtype::float64:
        for (std::size_t i = 0; i < n; ++i) static_cast<double*>(to.data)[i] = static_cast<double>(value_at(i));
        break;
    default:  // bfloat16: `convertible` lets nothing else come here
        for (std::size_t i = 0; i < n; ++i) {
            static_cast<std::uint16_t*>(to.data)[i] = bfloat16_from_double(static_cast<double>(value_at(i)));
        }
    }
}

inline void copy_tensor(tensor_entry const& from, named_array const& to) {
    std::byte const* bytes = from.bytes.data();
    if (from.bytes.empty()) return;
    if (to.type == dtype::boolean) {
        // A C++ bool holds 0 or 1; any other byte would be undefined behaviour.
        for (std::size_t i = 0; i < from.bytes.size(); ++i) static_cast<bool*>(to.data)[i] = bytes[i] != std::byte{0};
    } else if (from.dtype == file_name_of(to.type)) {
        std::memcpy(to.data, bytes, from.bytes.size());
    } else if (from.dtype == "F32") {
        convert_elements(to, [=](std::size_t i) { return element_at<float>(bytes, i); });
    } else if (from.dtype == "F64") {
        convert_elements(to, [=](std::size_t i) { return element_at<double>(bytes, i); });
    } else if (from.dtype == "F16") {
        convert_elements(to, [=](std::size_t i) { return float_from_float16(element_at<std::uint16_t>(bytes, i)); });
    } else {
        convert_elements(to, [=](std::size_t i) { return float_from_bfloat16(element_at<std::uint16_t>(bytes, i)); });
    }
}

// Destinations matched with tensors; complaints, in the order of the destinations and then of the file.
struct load_plan {
    std::vector<std::pair<tensor_entry const*, named_array const*>> copies;
    std::vector<std::string> mismatches;
};

inline void compare(load_plan& plan, tensor_entry const& from, named_array const& to) {
    const std::size_t before = plan.mismatches.size();
    const std::string name = tenet::detail::quoted(to.name);
    if (!convertible(from.dtype, to.type)) {
        plan.mismatches.push_back("dtype of " + name + ": expected " + std::string(file_name_of(to.type)) + ", found " +
                                  from.dtype);
    }
    if (from.shape != to.shape) {
        plan.mismatches.push_back("shape of " + name + ": expected " + shape_text(to.shape) + ", found " +
                                  shape_text(from.shape));
    } else if (!from.bytes.empty() && to.data == nullptr) {
        plan.mismatches.push_back("destination of " + name + ": expected memory, found a null pointer");
    }
    if (plan.mismatches.size() == before) plan.copies.emplace_back(&from, &to);
}

inline load_plan plan_load(reader const& file, std::span<named_array const> destinations, load_options const& options) {
    load_plan plan;
    std::map<std::string, tensor_entry const*> available;
    for (auto const& tensor : file.tensors()) {
        const std::string name = options.rename ? options.rename(tensor.name) : tensor.name;
        if (!available.emplace(name, &tensor).second) {
            plan.mismatches.push_back("renamed: two tensors of the file become " + tenet::detail::quoted(name));
        }
    }
    std::map<std::string_view, bool> wanted;
    for (auto const& to : destinations) {
        if (!wanted.emplace(to.name, true).second) {
            plan.mismatches.push_back("destinations: " + tenet::detail::quoted(to.name) + " is given twice");
            continue;
        }
        const auto found = available.find(to.name);
        if (found == available.end()) {
            plan.mismatches.push_back("missing: " + tenet::detail::quoted(to.name) + " " + shape_text(to.shape));
        } else {
            compare(plan, *found->second, to);
        }
    }
    for (auto const& [name, tensor] : available) {
        auto const ignores = [&](std::string const& pattern) { return matches(pattern, tensor->name); };
        if (!wanted.contains(name) && std::none_of(options.ignore_extra.begin(), options.ignore_extra.end(), ignores)) {
            plan.mismatches.push_back("unexpected: " + tenet::detail::quoted(tensor->name) + " " +
                                      shape_text(tensor->shape));
        }
    }
    return plan;
}

}  // namespace detail

/// Fills every destination with the tensor of its name.
///
/// Types must be equal, except that F16, BF16, F32 and F64 convert to any floating destination (narrowing rounds
/// to nearest). Checked at run time, before a byte is written: no destination missing in the file, no tensor left
/// over (but for `ignore_extra`), equal shapes, compatible types. Throws one `exception` that lists every
/// disagreement, one a line. Cost: one pass over the file. PyTorch: `load_state_dict(strict=True)`.
inline void load(reader const& file, std::span<named_array const> destinations, load_options const& options = {}) {
    const auto plan = detail::plan_load(file, destinations, options);
    if (!plan.mismatches.empty()) {
        std::string message = file.place() + ": expected the model's tensors, found " +
                              std::to_string(plan.mismatches.size()) + " mismatch" +
                              (plan.mismatches.size() == 1 ? "" : "es") + ":";
        for (auto const& mismatch : plan.mismatches) message += "\n  " + mismatch;
        throw exception(message);
    }
    for (auto const& [from, to] : plan.copies) detail::copy_tensor(*from, *to);
}

}  // namespace tenet::safetensors
