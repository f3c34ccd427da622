// SPDX-License-Identifier: MIT
// adapt: quantised parameters in safetensors files, under the names and in the bytes of bitsandbytes' serialised state;
// and plain files read tensor by tensor into a quantised block, without the plain model in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/adapt/quantize.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/io/checkpoint.hpp>
#include <tenet/io/safetensors_load.hpp>
#include <tenet/io/safetensors_reader.hpp>
#include <tenet/io/safetensors_writer.hpp>

namespace tenet {
namespace detail {

/// The arrays of a quantised block as a file has them; what is no part of the block is kept here.
class stored_arrays {
public:
    template <QuantizedModel Model>
    explicit stored_arrays(parameters<Model>& theta) {
        for (parameter_leaf const& leaf : parameter_leaves<Model>)
            for (std::size_t layer = 0; layer < leaf.layers(); ++layer)
                add(leaf, leaf_name(leaf, layer), record_of(layer_address(theta, leaf, layer)));
    }

    std::vector<named_array> const& arrays() const { return arrays_; }

    /// The arrays for reading from `file`: the lengths of texts are those of the file. Errors: `exception` if a text or
    /// a table says another format than the model's type.
    std::vector<named_array> const& expected_in(safetensors::reader const& file) {
        for (four_bit& f : four_bit_) {
            named_array& state = arrays_[f.state];
            safetensors::tensor_entry const* const entry = file.find(state.name);
            if (entry == nullptr) continue;  // reported with all that is missing
            f.text.assign(reinterpret_cast<char const*>(entry->bytes.data()), entry->bytes.size());
            state.shape = {f.text.size()};
            state.data = f.text.data();
            f.offset = checked_offset(file.place() + ": " + state.name, f);
            for (std::size_t table : {f.state - 1, f.state - 2}) require_table(file, arrays_[table]);
        }
        return arrays_;
    }
    /// After reading: the means of the scales, which are in texts only.
    void finish() const {
        for (four_bit const& f : four_bit_) std::memcpy(f.record + f.layout.offset_at(), &f.offset, sizeof f.offset);
    }

private:
    struct four_bit {
        kernel::storage_layout layout;
        std::byte* record;
        std::vector<std::size_t> shape;
        std::size_t state;  ///< the place of its text among the arrays
        std::string text{};
        float offset = 0;
    };
    std::vector<named_array> arrays_;
    std::deque<four_bit> four_bit_;  // arrays point to its texts
    std::uint8_t row_major_ = 0;     // what bitsandbytes calls the only layout of int8 weights today
    // Read into and compared beforehand: files hold them with every weight.
    kernel::byte_map scales_ = kernel::signed_dynamic_map;
    kernel::four_bit_map nf4_ = kernel::nf4_codes, fp4_ = kernel::fp4_codes;

    void add(parameter_leaf const& leaf, std::string const& name, std::byte* record) {
        const kernel::storage_layout l = layout_of(leaf);
        const std::vector<std::size_t> shape = file_shape(leaf);
        switch (leaf.format) {
        case storage::plain: arrays_.push_back({name, dtype::float32, shape, record}); break;
        case storage::bfloat16: arrays_.push_back({name, dtype::bfloat16, shape, record}); break;
        case storage::int8: {
            const std::string layer(module_path(name));
            arrays_.push_back({name, dtype::int8, shape, record});
            arrays_.push_back({layer + ".SCB", dtype::float32, {l.rows()}, record + l.floats_at()});
            arrays_.push_back({layer + ".weight_format", dtype::uint8, {}, &row_major_});
            break;
        }
        default:
            arrays_.push_back({name, dtype::uint8, {(l.elements + 1) / 2, 1}, record});
            arrays_.push_back({name + ".absmax", dtype::uint8, {l.blocks()}, record + l.scale_codes_at()});
            arrays_.push_back({name + ".nested_absmax", dtype::float32, {l.scale_blocks()}, record + l.floats_at()});
            arrays_.push_back({name + ".nested_quant_map", dtype::float32, {256}, scales_.data()});
            arrays_.push_back(
                {name + ".quant_map", dtype::float32, {16}, leaf.format == storage::fp4 ? fp4_.data() : nf4_.data()});
            four_bit_.push_back({l, record, shape, arrays_.size()});
            four_bit& f = four_bit_.back();
            f.text = text_of(f);
            arrays_.push_back({name + ".quant_state.bitsandbytes__" + std::string(name_of(leaf.format)),
                               dtype::uint8,
                               {f.text.size()},
                               f.text.data()});
        }
    }

    static std::string text_of(four_bit const& f) {
        float offset;
        std::memcpy(&offset, f.record + f.layout.offset_at(), sizeof offset);
        const nlohmann::ordered_json state = {{"quant_type", name_of(f.layout.format)},
                                              {"blocksize", kernel::weight_block},
                                              {"dtype", "float32"},
                                              {"shape", f.shape},
                                              {"nested_blocksize", kernel::scale_block},
                                              {"nested_dtype", "float32"},
                                              {"nested_offset", static_cast<double>(offset)}};
        return state.dump();
    }

    static float checked_offset(std::string const& place, four_bit const& f) {
        const nlohmann::json state = nlohmann::json::parse(f.text, nullptr, false);
        if (!state.is_object()) fail_expectation(place, "a JSON object", tenet::detail::quoted(f.text));
        const auto require = [&](char const* key, nlohmann::json const& expected) {
            const nlohmann::json found = state.contains(key) ? state[key] : nlohmann::json();
            if (found != expected) fail_expectation(place + ": " + key, expected.dump(), found.dump());
        };
        require("quant_type", name_of(f.layout.format));
        require("blocksize", kernel::weight_block);
        require("shape", f.shape);
        require("nested_blocksize", kernel::scale_block);
        if (!state.contains("nested_offset") || !state["nested_offset"].is_number())
            fail_expectation(place + ": nested_offset", "a number", "none");
        return state["nested_offset"].get<float>();
    }

    static void require_table(safetensors::reader const& file, named_array const& table) {
        safetensors::tensor_entry const* const entry = file.find(table.name);
        if (entry == nullptr || entry->dtype != "F32" || entry->shape != table.shape) return;
        if (std::memcmp(entry->bytes.data(), table.data, entry->bytes.size()) != 0)
            fail_expectation(file.place() + ": " + table.name, "the values of the format", "others");
    }
};

}  // namespace detail

/// Writes a quantised block as a safetensors file, replacing an old one whole. 4 bits: `weight` [n/2, 1] of bytes,
/// `weight.absmax`, `weight.nested_absmax`, both maps and `weight.quant_state.bitsandbytes__nf4`; int8: `weight` and
/// `SCB` of its layer; the rest as in a checkpoint.
///
/// bitsandbytes reads it where the layer's weight is [out, in] (`weight_layout::out_in`). Linear4bit.state_dict.
template <QuantizedModel Model>
void save_quantized(std::filesystem::path const& path, parameters<Model>& theta,
                    checkpoint_metadata const& metadata = {}) {
    const detail::stored_arrays all(theta);
    safetensors::write(path, all.arrays(), metadata);
}

/// Reads what `save_quantized`, or bitsandbytes with double quantisation, wrote; returns the metadata.
/// Errors: `exception` if a weight has another format than the model's type says (kind, blocks, shape, code values), or
/// one that lists every tensor that is missing, left over or of another shape; nothing is written then.
template <QuantizedModel Model>
checkpoint_metadata load_quantized(std::filesystem::path const& path, parameters<Model>& theta,
                                   safetensors::load_options const& options = {}) {
    const safetensors::reader file(path);
    detail::stored_arrays all(theta);
    safetensors::load(file, all.expected_in(file), options);
    all.finish();
    return file.metadata();
}

/// Reads the plain file `file` into a quantised block, one tensor at a time: memory beside the block is that of the
/// largest tensor, or nothing where the file has aligned F32. Options and errors are those of `safetensors::load`.
///
///     quantize_file(safetensors::reader("model.safetensors"), theta, gpt2_load_options());
template <safetensors::TensorSource Reader, QuantizedModel Model>
void quantize_file(Reader const& file, parameters<Model>& theta, safetensors::load_options const& options = {}) {
    std::vector<named_array> wanted;
    std::vector<parameter_leaf const*> leaves;
    for (parameter_leaf const& leaf : parameter_leaves<Model>)
        for (std::size_t layer = 0; layer < leaf.layers(); ++layer) {
            wanted.push_back(
                {leaf_name(leaf, layer), dtype::float32, file_shape(leaf), detail::layer_address(theta, leaf, layer)});
            leaves.push_back(&leaf);
        }
    safetensors::detail::load_plan const plan = safetensors::detail::planned_load(file, wanted, options);
    std::vector<float> numbers;
    for (auto const& copy : plan.copies) {
        parameter_leaf const& leaf = *leaves[static_cast<std::size_t>(copy.to - wanted.data())];
        if (leaf.format == storage::plain) {
            safetensors::detail::copy_tensor(*copy.from, *copy.to, copy.transposed);
            continue;
        }
        auto const* from = reinterpret_cast<float const*>(copy.from->bytes.data());
        const bool aligned = reinterpret_cast<std::uintptr_t>(from) % alignof(float) == 0;
        if (copy.transposed || copy.from->dtype != "F32" || !aligned) {
            numbers.resize(leaf.elements);
            named_array to = *copy.to;
            to.data = numbers.data();
            safetensors::detail::copy_tensor(*copy.from, to, copy.transposed);
            from = numbers.data();
        }
        kernel::quantize(detail::layout_of(leaf), from, static_cast<std::byte*>(copy.to->data));
    }
}

}  // namespace tenet
