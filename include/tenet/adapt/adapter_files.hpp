// SPDX-License-Identifier: MIT
// adapt: low-rank adapters in PEFT's folders: adapter_model.safetensors beside adapter_config.json. What a type says
// (layers, rank, scale) is compared with what the folder says before a number is read.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/adapt/low_rank.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/io/safetensors_load.hpp>
#include <tenet/io/safetensors_reader.hpp>
#include <tenet/io/safetensors_writer.hpp>

namespace tenet {

/// What a folder says beside the adapter's numbers.
struct adapter_file_options {
    std::string base_model{};                  ///< name or path of the base: base_model_name_or_path
    std::string prefix = "base_model.model.";  ///< before a layer's path; for a Hugging Face GPT-2
                                               ///< "base_model.model.transformer."
    std::string task = "CAUSAL_LM";            ///< task_type
};

namespace detail {

/// A layer's array as PEFT's file has it, and the memory it is written from or read into.
template <class T>
struct adapter_array {
    std::string name;
    std::vector<std::size_t> shape;
    std::vector<T> values;

    named_array view() { return {name, dtype_of<T>, shape, values.data()}; }
};

/// Where an element of the adapter lies in the file's array; every other element of that array is zero.
///   lora_A [rank, in]: as in memory; the parts one after the other.
///   lora_B [out, rank]: with parts [out, parts rank], block-diagonal, which is the same function.
///   lora_embedding_A [rank, rows]: transposed.
struct adapter_layout {
    update_sizes n;
    std::string_view role;

    std::vector<std::size_t> shape() const {
        if (role == "lora_A") return {n.parts * n.rank, n.in};
        if (role == "lora_B") return {n.out, n.parts * n.rank};
        if (role == "lora_embedding_A") return {n.rank, n.in};
        if (role == "lora_embedding_B") return {n.out, n.rank};
        return {n.out};
    }
    std::size_t place(std::size_t i) const {
        if (role == "lora_B") {
            const std::size_t row = i / n.rank, part = row / (n.out / n.parts);
            return row * n.parts * n.rank + part * n.rank + i % n.rank;
        }
        if (role == "lora_embedding_A") return i % n.rank * n.in + i / n.rank;
        return i;
    }
};

/// Calls f(base leaf, adapter leaf, layer, layout, name in the file) for all arrays of an adapter.
template <class Adapter, class F>
void for_each_adapter_array(std::string const& prefix, F&& f) {
    for_each_target<Adapter>([&](parameter_leaf const& leaf, std::size_t layer, update_sizes const& n) {
        for (parameter_leaf const& own : parameter_leaves<Adapter>) {
            if (own.adapts.view() != leaf.path.view()) continue;
            const bool linear_factor = own.role.view() == "lora_A" || own.role.view() == "lora_B";
            f(leaf, own, layer, adapter_layout{n, own.role.view()},
              prefix + leaf_name(own, layer) + (linear_factor ? ".weight" : ""));
        }
    });
}

// "attn.c_attn" of "h.*.attn.c_attn.weight": PEFT matches the ends of paths.
constexpr std::string_view layer_end(std::string_view path) {
    const std::string_view layer = module_path(path);
    const std::size_t star = layer.rfind("*.");
    return star == std::string_view::npos ? layer : layer.substr(star + 2);
}

template <class Adapter>
nlohmann::json adapter_config(adapter_file_options const& options) {
    using update = typename Adapter::update;
    nlohmann::json targets = nlohmann::json::array(), ranks = nlohmann::json::object(), alphas = ranks;
    bool fan_in_fan_out = false;
    for (parameter_leaf const& leaf : parameter_leaves<typename Adapter::base_type>) {
        if (!Adapter::is_target(leaf)) continue;
        const std::string name(layer_end(leaf.path.view()));
        if (std::find(targets.begin(), targets.end(), name) == targets.end()) targets.push_back(name);
        fan_in_fan_out = fan_in_fan_out || (leaf.inputs > 0 && !leaf.outputs_first);
        if (const std::size_t parts = sizes_of_update<Adapter>(leaf).parts; parts > 1) {
            const double many = static_cast<double>(parts);
            ranks[name] = parts * static_cast<std::size_t>(update::rank);
            alphas[name] = update::alpha * (update::options.rank_stabilized ? std::sqrt(many) : many);
        }
    }
    nlohmann::json config = {{"peft_type", "LORA"},
                             {"task_type", options.task},
                             {"base_model_name_or_path", options.base_model},
                             {"r", update::rank},
                             {"lora_alpha", static_cast<int>(update::alpha)},
                             {"lora_dropout", update::options.dropout_percent / 100.0},
                             {"target_modules", targets},
                             {"rank_pattern", ranks},
                             {"alpha_pattern", alphas},
                             {"fan_in_fan_out", fan_in_fan_out},
                             {"bias", "none"},
                             {"modules_to_save", nullptr},
                             {"init_lora_weights", true},
                             {"inference_mode", true}};
    // Older versions of PEFT refuse members that they do not know.
    if (update::options.rank_stabilized) config["use_rslora"] = true;
    if (update::options.magnitude) config["use_dora"] = true;
    return config;
}

inline nlohmann::json read_adapter_config(std::filesystem::path const& path) {
    const mapped_file file(path);
    const nlohmann::json config = nlohmann::json::parse(file.text(), nullptr, false);
    if (!config.is_object()) fail_expectation(path.string(), "a JSON object", "something else");
    return config;
}

// What the folder says and the type says otherwise, as one text; dropout and names do not change what is computed.
template <class Adapter>
std::string config_differences(nlohmann::json const& found) {
    nlohmann::json expected = adapter_config<Adapter>({});
    expected.emplace("use_rslora", false);
    expected.emplace("use_dora", false);
    std::string differences;
    for (char const* key :
         {"peft_type", "r", "lora_alpha", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern"}) {
        nlohmann::json value = found.contains(key) ? found[key] : nlohmann::json();
        if (value.is_null() && expected[key].is_object()) value = nlohmann::json::object();
        if (value.is_null() && expected[key].is_boolean()) value = false;
        if (value != expected[key])
            differences += std::string("\n  ") + key + ": expected " + expected[key].dump() + ", found " + value.dump();
    }
    return differences;
}

}  // namespace detail

/// Writes an adapter as the folder `folder`, which PEFT's `PeftModel.from_pretrained` reads: adapter_model.safetensors
/// and adapter_config.json, each replaced whole. Adapters `per_axis` become one of a larger rank with zeros, which is
/// the same function.
///
///     save_adapter("tuned", delta, {.base_model = "gpt2", .prefix = "base_model.model.transformer."});
template <class Adapter, class T>
void save_adapter(std::filesystem::path const& folder, parameters<Adapter, T> const& delta,
                  adapter_file_options const& options = {}) {
    std::vector<detail::adapter_array<T>> arrays;
    detail::for_each_adapter_array<Adapter>(options.prefix,
                                            [&](parameter_leaf const&, parameter_leaf const& own, std::size_t layer,
                                                detail::adapter_layout const& layout, std::string const& name) {
                                                detail::adapter_array<T> a{name, layout.shape(), {}};
                                                std::size_t count = 1;
                                                for (std::size_t n : a.shape) count *= n;
                                                a.values.assign(count, T(0));
                                                T const* const from = detail::layer_data(delta, own, layer);
                                                for (std::size_t i = 0; i < own.elements; ++i)
                                                    a.values[layout.place(i)] = from[i];
                                                arrays.push_back(std::move(a));
                                            });
    std::vector<named_array> views;
    for (auto& a : arrays) views.push_back(a.view());
    std::filesystem::create_directories(folder);
    safetensors::write(folder / "adapter_model.safetensors", views, {{"format", "pt"}});
    atomic_file config(folder / "adapter_config.json");
    config.write(detail::adapter_config<Adapter>(options).dump(2) + "\n");
    config.commit();
}

/// Reads a folder that `save_adapter` or PEFT wrote. `options.prefix` is the folder's; other members are not looked at.
/// Errors: one `exception` that lists what the configuration says otherwise than the type (rank, alpha, kind), or every
/// array that is missing, left over or of another shape; nothing is written then.
template <class Adapter, class T>
void load_adapter(std::filesystem::path const& folder, parameters<Adapter, T>& delta,
                  adapter_file_options const& options = {}) {
    const auto config_path = folder / "adapter_config.json";
    const std::string differences = detail::config_differences<Adapter>(detail::read_adapter_config(config_path));
    if (!differences.empty())
        throw exception(config_path.string() + ": another adapter than the type says:" + differences);

    std::vector<detail::adapter_array<T>> arrays;
    const auto for_each = [&](auto&& f) { detail::for_each_adapter_array<Adapter>(options.prefix, f); };
    for_each([&](auto const&, auto const&, std::size_t, detail::adapter_layout const& layout, std::string const& name) {
        detail::adapter_array<T> a{name, layout.shape(), {}};
        std::size_t count = 1;
        for (std::size_t n : a.shape) count *= n;
        a.values.resize(count);
        arrays.push_back(std::move(a));
    });
    std::vector<named_array> views;
    for (auto& a : arrays) views.push_back(a.view());
    const safetensors::reader file(folder / "adapter_model.safetensors");
    safetensors::load(file, views);

    // A whole factor cannot be told apart into parts unless it is block-diagonal.
    std::size_t k = 0;
    for_each([&](auto const&, parameter_leaf const& own, std::size_t, detail::adapter_layout const& layout,
                 std::string const& name) {
        std::vector<T> rest = arrays[k++].values;
        for (std::size_t i = 0; i < own.elements; ++i) rest[layout.place(i)] = T(0);
        if (std::any_of(rest.begin(), rest.end(), [](T x) { return x != T(0); }))
            fail_expectation(file.place() + ": " + name, "an adapter of each part by itself", "one that mixes them");
    });
    k = 0;
    for_each([&](auto const&, parameter_leaf const& own, std::size_t layer, detail::adapter_layout const& layout,
                 std::string const&) {
        T* const to = detail::layer_data(delta, own, layer);
        for (std::size_t i = 0; i < own.elements; ++i) to[i] = arrays[k].values[layout.place(i)];
        ++k;
    });
}

}  // namespace tenet
