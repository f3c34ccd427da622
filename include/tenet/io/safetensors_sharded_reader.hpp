// SPDX-License-Identifier: MIT
// io: a checkpoint in one or in several safetensors files, read as one. The index and the files must agree on every
// name, and all disagreements are in one message.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/io/safetensors_index.hpp>
#include <tenet/io/safetensors_reader.hpp>

namespace tenet::safetensors {

/// What to do when an index states another `total_size` than its tensors have: some programs count tied tensors twice.
enum class total_size { must_agree, may_differ };

/// All tensors of a checkpoint: of a safetensors file, or of all files that an index (a path that ends in ".json")
/// names. The files are mapped, not read, and stay mapped while this object lives.
///
/// Checked at construction, beside what `parse_index` and `reader` check: every file that the index names is there,
/// holds the tensors that the index says and no other, and all tensors together have the bytes that the index states.
/// Throws one `exception` that lists every disagreement, one a line.
/// Example: `safetensors::load(sharded_reader("model.safetensors.index.json"), theta.arrays());`
/// Python: transformers' `load_sharded_checkpoint`.
class sharded_reader {
public:
    /// Opens and checks the checkpoint at `path`.
    explicit sharded_reader(std::filesystem::path const& path, total_size size = total_size::must_agree)
        : place_(path.string()) {
        if (path.extension() == ".json") {
            const mapped_file index(path);
            const auto folder = path.parent_path();
            open(index.text(), size, [&](std::string const& name) { return reader(folder / name); });
        } else {
            shards_.emplace_back(path);
            metadata_ = shards_.front().metadata();
            collect({});
        }
    }

    /// The same for the text of an index, with `shard(name)` to open the file of a name.
    sharded_reader(std::string_view index, std::string place, std::function<reader(std::string const&)> const& shard,
                   total_size size = total_size::must_agree)
        : place_(std::move(place)) {
        open(index, size, shard);
    }

    /// The index's strings under "metadata" and the files' under "__metadata__"; where they differ, the index's or the
    /// first file's.
    std::map<std::string, std::string> const& metadata() const { return metadata_; }

    /// All tensors: file after file in the order of their names, in each in the order of the bytes, where `offset` is
    /// counted from the begin of that file's tensors.
    std::span<tensor_entry const> tensors() const { return tensors_; }

    /// The tensor called `name`, or null.
    tensor_entry const* find(std::string_view name) const {
        auto const at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                         [&](std::size_t i, std::string_view n) { return tensors_[i].name < n; });
        return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
    }

    /// The files, in the order of their names.
    std::span<reader const> shards() const { return shards_; }

    /// Bytes of all tensors.
    std::uint64_t size() const { return size_; }

    /// The bytes that the index states, if it does.
    std::optional<std::uint64_t> stated_size() const { return stated_size_; }

    /// Where the checkpoint came from, for messages.
    std::string const& place() const { return place_; }

private:
    void open(std::string_view text, total_size rule, std::function<reader(std::string const&)> const& shard) {
        const shard_index index = parse_index(text, place_);
        metadata_ = index.metadata;
        stated_size_ = index.total_size;
        std::vector<std::string> complaints;
        const auto expected = names_of_shards(index);
        for (auto const& [name, wanted] : expected) {
            try {
                shards_.push_back(shard(name));
                metadata_.insert(shards_.back().metadata().begin(), shards_.back().metadata().end());
                compare(name, wanted, complaints);
            } catch (exception const& e) {
                complaints.push_back("the file " + tenet::detail::quoted(name) + ": " + e.what());
            }
        }
        collect(complaints);
        if (rule == total_size::must_agree && stated_size_ && *stated_size_ != size_ && complaints.empty()) {
            complaints.push_back("total_size: expected " + std::to_string(size_) +
                                 ", the bytes of all tensors, found " + std::to_string(*stated_size_));
        }
        report(complaints);
    }

    using names = std::vector<std::string_view>;

    static std::map<std::string, names> names_of_shards(shard_index const& index) {
        std::map<std::string, names> shards;
        for (auto const& [tensor, file] : index.files) shards[file].push_back(tensor);  // sorted, as the index is
        return shards;
    }

    void compare(std::string const& file, names const& wanted, std::vector<std::string>& complaints) const {
        reader const& shard = shards_.back();
        for (std::string_view tensor : wanted) {
            if (shard.find(tensor) == nullptr) {
                complaints.push_back("missing: " + tenet::detail::quoted(tensor) + ", which the index has in " +
                                     tenet::detail::quoted(file));
            }
        }
        for (auto const& tensor : shard.tensors()) {
            if (!std::binary_search(wanted.begin(), wanted.end(), std::string_view(tensor.name))) {
                complaints.push_back("unexpected: " + tenet::detail::quoted(tensor.name) + " in " +
                                     tenet::detail::quoted(file) + ", where the index does not have it");
            }
        }
    }

    void collect(std::vector<std::string> const& complaints) {
        if (!complaints.empty()) return;
        for (auto const& shard : shards_) {
            tensors_.insert(tensors_.end(), shard.tensors().begin(), shard.tensors().end());
            for (auto const& tensor : shard.tensors()) size_ += tensor.bytes.size();
        }
        by_name_.resize(tensors_.size());
        for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
        std::sort(by_name_.begin(), by_name_.end(),
                  [&](std::size_t a, std::size_t b) { return tensors_[a].name < tensors_[b].name; });
    }

    void report(std::vector<std::string> const& complaints) const {
        if (complaints.empty()) return;
        constexpr std::size_t most = 100;
        std::string message = place_ + ": expected files that agree with the index, found " +
                              std::to_string(complaints.size()) + " mismatch" + (complaints.size() == 1 ? "" : "es") +
                              ":";
        for (std::size_t i = 0; i < complaints.size() && i < most; ++i) message += "\n  " + complaints[i];
        if (complaints.size() > most) message += "\n  and " + std::to_string(complaints.size() - most) + " more";
        throw exception(message);
    }

    std::string place_;
    std::vector<reader> shards_;
    std::map<std::string, std::string> metadata_;
    std::vector<tensor_entry> tensors_;
    std::vector<std::size_t> by_name_;
    std::uint64_t size_ = 0;
    std::optional<std::uint64_t> stated_size_;
};

}  // namespace tenet::safetensors
