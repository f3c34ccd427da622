// SPDX-License-Identifier: MIT
// io: copies the tensors of a safetensors file into a model's arrays, all or nothing. Everything is compared first
// and every disagreement is listed in one exception: a wrong checkpoint is understood at one glance.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/io/elements.hpp>
#include <tenet/io/file_error.hpp>
#include <tenet/io/safetensors_format.hpp>
#include <tenet/io/safetensors_tensor.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet::safetensors {

/// How `load` matches names.
struct load_options {
    /// Tensors of the file that may be left over, by their names in the file. `*` stands for any run of characters:
    /// "lm_head.weight", "optimizer.*", "h.*.attn.bias". Only leftovers are ignored: a wanted tensor never is.
    std::vector<std::string> ignore_extra{};
    /// From a tensor's name in the file to the destination's name; null keeps names. Example: "gamma" to "weight".
    std::function<std::string(std::string const&)> rename{};
    /// Beginnings that a name may have or lack, in the file (after `rename`) as at the destination: "transformer.".
    std::vector<std::string> optional_prefixes{};
    /// Destinations of two axes whose tensors lie transposed in the file, by patterns: a PyTorch linear layer read into
    /// an [in, out] weight. Floating types only.
    std::vector<std::string> transposed{};
    /// Pairs (other, destination), by names without optional prefixes: the file may hold the destination's tensor once
    /// more, or only, under the other name, as a tied head {"lm_head.weight", "wte.weight"}. If it holds both, they
    /// must be equal.
    std::vector<std::pair<std::string, std::string>> tied{};
};

/// A checked file as `load` sees it: `reader`, or a reader of another format.
template <class R>
concept TensorSource = requires(R const& file) {
    { *file.tensors().begin() } -> std::convertible_to<tensor_entry const&>;
    { file.place() } -> std::convertible_to<std::string>;
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
    const auto known = dtype_named(name);
    return known && tenet::is_floating(*known);
}

inline bool convertible(std::string_view from, dtype to) {
    const auto known = dtype_named(from);
    return known && tenet::convertible(*known, to);
}

inline void copy_tensor(tensor_entry const& from, named_array const& to, bool transposed) {
    const dtype type = *dtype_named(from.dtype);
    if (!transposed) return convert_elements(type, from.bytes.data(), to.size(), to.type, to.data);
    const std::size_t rows = to.shape[0], columns = to.shape[1];
    convert_elements(type, from.bytes.data(), to.size(), to.type, to.data,
                     [=](std::size_t i) { return i % columns * rows + i / columns; });
}

// Destinations matched with tensors; complaints, in the order of the destinations and then of the file.
struct planned_copy {
    tensor_entry const* from;
    named_array const* to;
    bool transposed;
};
struct load_plan {
    std::vector<planned_copy> copies;
    std::vector<std::string> mismatches;
};

inline bool matches_any(std::vector<std::string> const& patterns, std::string_view text) {
    return std::any_of(patterns.begin(), patterns.end(), [&](std::string const& p) { return matches(p, text); });
}

/// A name without the first of the prefixes that it begins with.
inline std::string_view without_prefix(std::string_view name, std::vector<std::string> const& prefixes) {
    for (std::string const& prefix : prefixes)
        if (name.starts_with(prefix)) return name.substr(prefix.size());
    return name;
}

inline void compare(load_plan& plan, tensor_entry const& from, named_array const& to, bool transposed) {
    const std::size_t before = plan.mismatches.size();
    const std::string name = tenet::detail::quoted(to.name);
    if (!convertible(from.dtype, to.type)) {
        plan.mismatches.push_back("dtype of " + name + ": expected " + std::string(file_name_of(to.type)) + ", found " +
                                  from.dtype);
    }
    if (transposed && (to.shape.size() != 2 || !is_floating(from.dtype))) {
        plan.mismatches.push_back("transposed " + name + ": expected two axes of floating numbers, found " +
                                  shape_text(to.shape) + " and " + from.dtype);
    }
    const std::vector<std::size_t> wanted =
        transposed ? std::vector<std::size_t>(to.shape.rbegin(), to.shape.rend()) : to.shape;
    if (from.shape != wanted) {
        plan.mismatches.push_back("shape of " + name + ": expected " + shape_text(wanted) + ", found " +
                                  shape_text(from.shape));
    } else if (!from.bytes.empty() && to.data == nullptr) {
        plan.mismatches.push_back("destination of " + name + ": expected memory, found a null pointer");
    }
    if (plan.mismatches.size() == before) plan.copies.push_back({&from, &to, transposed});
}

/// The file's tensors by name. Of two that are tied, the one under the other name is compared and left out.
using tensor_names = std::map<std::string, tensor_entry const*, std::less<>>;

inline void settle_ties(load_plan& plan, tensor_names& available, load_options const& options) {
    for (auto const& [other, destination] : options.tied) {
        const auto again = available.find(other);
        if (again == available.end()) continue;
        tensor_entry const* const tensor = again->second;
        available.erase(again);
        const auto [place, alone] = available.emplace(destination, tensor);
        if (alone) continue;
        tensor_entry const& first = *place->second;
        if (first.dtype != tensor->dtype || first.shape != tensor->shape ||
            !std::equal(first.bytes.begin(), first.bytes.end(), tensor->bytes.begin(), tensor->bytes.end()))
            plan.mismatches.push_back("tied: expected " + tenet::detail::quoted(tensor->name) + " equal to " +
                                      tenet::detail::quoted(first.name) + ", found another tensor");
    }
}

template <TensorSource Reader>
load_plan plan_load(Reader const& file, std::span<named_array const> destinations, load_options const& options) {
    load_plan plan;
    tensor_names available;
    for (tensor_entry const& tensor : file.tensors()) {
        const std::string renamed = options.rename ? options.rename(tensor.name) : tensor.name;
        const std::string name(without_prefix(renamed, options.optional_prefixes));
        if (!available.emplace(name, &tensor).second) {
            plan.mismatches.push_back("renamed: two tensors of the file become " + tenet::detail::quoted(name));
        }
    }
    settle_ties(plan, available, options);
    std::map<std::string_view, bool> wanted;
    for (auto const& to : destinations) {
        const std::string_view plain = without_prefix(to.name, options.optional_prefixes);
        if (!wanted.emplace(plain, true).second) {
            plan.mismatches.push_back("destinations: " + tenet::detail::quoted(to.name) + " is given twice");
            continue;
        }
        const auto found = available.find(plain);
        if (found == available.end()) {
            plan.mismatches.push_back("missing: " + tenet::detail::quoted(to.name) + " " + shape_text(to.shape));
        } else {
            compare(plan, *found->second, to, matches_any(options.transposed, to.name));
        }
    }
    for (auto const& [name, tensor] : available) {
        if (!wanted.contains(name) && !matches_any(options.ignore_extra, tensor->name)) {
            plan.mismatches.push_back("unexpected: " + tenet::detail::quoted(tensor->name) + " " +
                                      shape_text(tensor->shape));
        }
    }
    return plan;
}

/// The same, without mismatches: `exception` that lists them, one a line.
template <TensorSource Reader>
load_plan planned_load(Reader const& file, std::span<named_array const> destinations, load_options const& options) {
    load_plan plan = plan_load(file, destinations, options);
    if (plan.mismatches.empty()) return plan;
    std::string message = file.place() + ": expected the model's tensors, found " +
                          std::to_string(plan.mismatches.size()) + " mismatch" +
                          (plan.mismatches.size() == 1 ? "" : "es") + ":";
    for (auto const& mismatch : plan.mismatches) message += "\n  " + mismatch;
    throw exception(message);
}

}  // namespace detail

/// Fills every destination with the tensor of its name: from a `reader`, a `sharded_reader` or any other
/// source of tensors.
///
/// Types must be equal or convert without loss of meaning (`convertible`): floating types to any floating destination
/// (narrowing rounds to nearest), integers to wider ones. Checked at run time, before a byte is written: no destination
/// missing in the file, no tensor left over (but for `ignore_extra`), equal shapes, compatible types. Throws one
/// `exception` that lists every disagreement, one a line. Cost: one pass over the file. PyTorch:
/// `load_state_dict(strict=True)`.
template <TensorSource Reader>
void load(Reader const& file, std::span<named_array const> destinations, load_options const& options = {}) {
    const auto plan = detail::planned_load(file, destinations, options);
    for (auto const& copy : plan.copies) detail::copy_tensor(*copy.from, *copy.to, copy.transposed);
}

}  // namespace tenet::safetensors
