// SPDX-License-Identifier: MIT
#include "tensor_file.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <tenet/interop/npy.hpp>
#include <tenet/interop/npz.hpp>

namespace tensor_files {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Cuts a run of digits off the front, without leading zeros.
std::string_view take_number(std::string_view& text) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    std::string_view digits = text.substr(0, n);
    text.remove_prefix(n);
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    return digits;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
    const std::string_view whole_a = a, whole_b = b;
    while (!a.empty() && !b.empty()) {
        if (is_digit(a.front()) && is_digit(b.front())) {
            const auto x = take_number(a), y = take_number(b);
            if (x.size() != y.size()) return x.size() < y.size();
            if (x != y) return x < y;
        } else {
            if (a.front() != b.front()) return a.front() < b.front();
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
    }
    if (a.empty() != b.empty()) return a.empty();
    return whole_a < whole_b;  // equal but for leading zeros
}

std::size_t size_of(tensor_entry const& tensor) {
    std::size_t n = 1;
    for (std::size_t e : tensor.shape) n *= e;
    return n;
}

tensor_file::tensor_file(std::filesystem::path const& path) : path_(path) {
    const std::string ending = path.extension().string();
    if (ending == ".safetensors" || ending == ".json") {
        safetensors_.emplace(path, tenet::safetensors::total_size::may_differ);
        tensors_.assign(safetensors_->tensors().begin(), safetensors_->tensors().end());
        metadata_ = safetensors_->metadata();
        if (const auto stated = safetensors_->stated_size(); stated && *stated != safetensors_->size()) {
            notes_.push_back("total_size in the index is " + std::to_string(*stated) + ", all tensors have " +
                             std::to_string(safetensors_->size()) + " bytes");
        }
        read_config();
    } else if (ending == ".npz") {
        read_numpy(tenet::load_npz(path));
    } else if (ending == ".npy") {
        std::map<std::string, tenet::npy_array> arrays;
        arrays.emplace(path.stem().string(), tenet::load_npy(path));
        read_numpy(std::move(arrays));
    } else if (ending == ".bin") {
        llama2c_.emplace(path);
        tensors_.assign(llama2c_->tensors().begin(), llama2c_->tensors().end());
        heads_ = llama2c_->sizes().heads;
    } else {
        tenet::fail_expectation(path.string(), "a name that ends in .safetensors, .json, .npz, .npy or .bin",
                                tenet::detail::quoted(ending));
    }
    std::sort(tensors_.begin(), tensors_.end(),
              [](tensor_entry const& a, tensor_entry const& b) { return natural_less(a.name, b.name); });
}

tensor_entry const* tensor_file::find(std::string_view name) const {
    const auto at = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                     [](tensor_entry const& t, std::string_view n) { return natural_less(t.name, n); });
    return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

void tensor_file::read_numpy(std::map<std::string, tenet::npy_array> arrays) {
    numpy_ = std::move(arrays);
    for (auto const& [name, array] : numpy_) {
        tensors_.push_back(
            {name, std::string(tenet::safetensors::file_name_of(array.type)), array.shape, 0, array.bytes});
    }
}

// A help, not a part of the file: what is not understood is passed over.
void tensor_file::read_config() {
    const auto config = path_.parent_path() / "config.json";
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(config, ignored)) return;
    const tenet::mapped_file text(config);
    const auto json = nlohmann::json::parse(text.text(), nullptr, false);
    if (!json.is_object()) return;
    for (char const* key : {"n_head", "num_attention_heads", "n_heads", "num_heads"}) {
        if (const auto at = json.find(key); at != json.end() && at->is_number_unsigned()) {
            heads_ = at->get<std::size_t>();
            return;
        }
    }
}

}  // namespace tensor_files
