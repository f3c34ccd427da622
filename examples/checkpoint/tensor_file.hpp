// SPDX-License-Identifier: MIT
// Every kind of file that the program reads, as a list of tensors.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/interop/npy_array.hpp>
#include <tenet/io/llama2c_file.hpp>
#include <tenet/io/safetensors_sharded_reader.hpp>

namespace tensor_files {

using tenet::safetensors::tensor_entry;

/// A file of tensors, by the ending of its name: .safetensors, .json (the index of several files), .npz, .npy, .bin (a
/// model of llama2.c). Errors: `tenet::exception`, as its reader.
class tensor_file {
public:
    explicit tensor_file(std::filesystem::path const& path);

    /// In the natural order of their names: "h.2" before "h.10".
    std::span<tensor_entry const> tensors() const { return tensors_; }
    std::map<std::string, std::string> const& metadata() const { return metadata_; }
    /// What the reader has to say beside, e.g. a total_size that is wrong. One line each.
    std::vector<std::string> const& notes() const { return notes_; }
    /// Heads of attention (and of keys), if the file or config.json beside it says so.
    std::optional<std::size_t> heads() const { return heads_; }
    std::string place() const { return path_.string(); }
    tensor_entry const* find(std::string_view name) const;

private:
    void read_numpy(std::map<std::string, tenet::npy_array> arrays);
    void read_config();

    std::filesystem::path path_;
    std::optional<tenet::safetensors::sharded_reader> safetensors_;
    std::optional<tenet::llama2c_file> llama2c_;
    std::map<std::string, tenet::npy_array> numpy_;
    std::vector<tensor_entry> tensors_;
    std::map<std::string, std::string> metadata_;
    std::vector<std::string> notes_;
    std::optional<std::size_t> heads_;
};

/// Whether `a` stands before `b` when runs of digits are compared as numbers.
bool natural_less(std::string_view a, std::string_view b);

/// The number of elements of a checked tensor.
std::size_t size_of(tensor_entry const& tensor);

}  // namespace tensor_files
