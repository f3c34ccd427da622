// SPDX-License-Identifier: MIT
// io: writes a checkpoint as several safetensors files of bounded size and an index, as the Hugging Face hub has them.
// All files are on the disk before one takes its name, and the index comes last.
// Source: huggingface_hub, serialization/_base.py, split_state_dict_into_shards_factory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/io/safetensors_index.hpp>
#include <tenet/io/safetensors_writer.hpp>

namespace tenet::safetensors {

/// The size at which Hugging Face's tools begin a new file.
inline constexpr std::uint64_t default_shard_size = 5'000'000'000;

namespace detail {

inline constexpr std::string_view index_ending = ".safetensors.index.json";

// "model-00001-of-00002.safetensors"
inline std::string shard_name(std::string const& stem, std::size_t number, std::size_t count) {
    const auto five = [](std::size_t n) {
        const std::string digits = std::to_string(n);
        return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
    };
    return stem + "-" + five(number) + "-of-" + five(count) + ".safetensors";
}

// In the given order: a new shard begins where the next tensor would not fit; a tensor that fits nowhere has its own.
inline std::vector<std::vector<tensor_entry>> split_shards(std::span<tensor_entry const> tensors, std::uint64_t most) {
    std::vector<std::vector<tensor_entry>> shards(1);
    std::uint64_t filled = 0;
    for (auto const& tensor : tensors) {
        const std::uint64_t size = byte_count(tensor);
        if (!shards.back().empty() && (size > most || filled > most - size)) {
            shards.emplace_back();
            filled = 0;
        }
        shards.back().push_back(tensor);
        filled += size;
    }
    return shards;
}

inline std::string index_text(std::span<std::vector<tensor_entry> const> shards, std::string const& stem) {
    std::map<std::string, std::string> files;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        for (auto const& tensor : shards[i]) {
            files[tensor.name] = shard_name(stem, i + 1, shards.size());
            total += byte_count(tensor);
        }
    }
    std::string text =
        "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(total) + "\n  },\n  \"weight_map\": {";
    bool first = true;
    for (auto const& [tensor, file] : files) {
        text += (std::exchange(first, false) ? "\n    " : ",\n    ") + json_string(tensor, "a tensor name") + ": " +
                json_string(file, "a file name");
    }
    return text + "\n  }\n}\n";
}

}  // namespace detail

/// Writes `tensors` to files of at most `shard_size` bytes of tensors beside `index`, and the index last.
///
/// `index` ends in ".safetensors.index.json"; for "model.safetensors.index.json" the files are
/// "model-00001-of-00002.safetensors" and so on. Tensors keep their order over the files; one that is larger than
/// `shard_size` has a file of its own. Every file gets `metadata`. `bytes_of` is that of `write_tensors`.
/// All files are written and flushed before the first takes its name, so that a failure leaves an old checkpoint as it
/// was; only a crash between two renames can mix old and new files. Files of an older checkpoint with another number of
/// files stay, unnamed by the index. Errors: `exception`, as `write_tensors`. Cost: one pass over the data.
/// Python: `save_pretrained(max_shard_size=...)`.
template <class BytesOf>
void write_sharded_tensors(std::filesystem::path const& index, std::span<tensor_entry const> tensors,
                           std::map<std::string, std::string> const& metadata, std::uint64_t shard_size,
                           BytesOf const& bytes_of) {
    const std::string name = index.filename().string();
    if (name.size() <= detail::index_ending.size() || !name.ends_with(detail::index_ending)) {
        fail_expectation("safetensors::write_sharded", "a path that ends in a name and .safetensors.index.json",
                         tenet::detail::quoted(index.string()));
    }
    const std::string stem = name.substr(0, name.size() - detail::index_ending.size());
    detail::require_legal_names(tensors);
    const auto shards = detail::split_shards(tensors, shard_size);
    const std::string text = detail::index_text(shards, stem);
    std::list<atomic_file> files;  // a list: they cannot move
    for (std::size_t i = 0; i < shards.size(); ++i) {
        files.emplace_back(index.parent_path() / detail::shard_name(stem, i + 1, shards.size()));
        detail::write_planned(files.back(), detail::plan_file(shards[i], metadata), bytes_of);
        files.back().flush();
    }
    atomic_file index_file(index);
    index_file.write(text);
    for (auto& file : files) file.commit();
    index_file.commit();
}

/// The same for tensors that know their bytes, as those of another file do.
inline void write_sharded_tensors(std::filesystem::path const& index, std::span<tensor_entry const> tensors,
                                  std::map<std::string, std::string> const& metadata = {},
                                  std::uint64_t shard_size = default_shard_size) {
    write_sharded_tensors(index, tensors, metadata, shard_size,
                          [](tensor_entry const& tensor) { return tensor.bytes; });
}

/// The same for arrays in memory.
inline void write_sharded(std::filesystem::path const& index, std::span<named_array const> arrays,
                          std::map<std::string, std::string> const& metadata = {},
                          std::uint64_t shard_size = default_shard_size) {
    write_sharded_tensors(index, detail::entries_of(arrays), metadata, shard_size);
}

}  // namespace tenet::safetensors
