// SPDX-License-Identifier: MIT
// io: reads safetensors files, trusting nothing: every count, name and offset is checked before a tensor is shown.
// Tensors are spans into the mapped file: opening a file of any size costs its header only.
// Source: github.com/huggingface/safetensors, README.md "Format" and safetensors/src/tensor.rs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/io/safetensors_format.hpp>
#include <tenet/io/safetensors_header.hpp>
#include <tenet/io/safetensors_tensor.hpp>

namespace tenet::safetensors {

/// A checked safetensors file.
///
/// Checked at construction: the header's length (at most `max_header_size` and within the file), valid UTF-8 JSON
/// that begins with `{` and names every key once, known element types, products of shapes that fit, byte counts
/// that agree with shape and type, and tensors that follow each other from the first byte to the last without
/// holes or overlaps. Any violation throws `exception`. Zero-dimensional and empty tensors are legal.
/// Ownership: a reader from a path owns the mapping; a reader from bytes borrows them. Memory: proportional to the
/// header, whatever it claims. Python: `safetensors.safe_open`.
class reader {
public:
    /// Opens and checks the file at `path`.
    explicit reader(std::filesystem::path const& path) : file_(std::in_place, path), place_(path.string()) {
        parse(file_->bytes());
    }

    /// Checks the file held in `bytes`, which must outlive the reader.
    explicit reader(std::span<std::byte const> bytes, std::string place = "safetensors") : place_(std::move(place)) {
        parse(bytes);
    }

    /// The strings under `__metadata__`; empty if there are none.
    std::map<std::string, std::string> const& metadata() const { return metadata_; }

    /// All tensors, in the order of their bytes.
    std::span<tensor_entry const> tensors() const { return tensors_; }

    /// The tensor called `name`, or null.
    tensor_entry const* find(std::string_view name) const {
        auto const at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                         [&](std::size_t i, std::string_view n) { return tensors_[i].name < n; });
        return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
    }

    /// Where the file came from, for messages.
    std::string const& place() const { return place_; }

private:
    void parse(std::span<std::byte const> file) {
        if (file.size() < 8) fail("a header length of 8 bytes", std::to_string(file.size()) + " bytes");
        std::uint64_t header_size = 0;
        std::memcpy(&header_size, file.data(), 8);
        if (header_size > max_header_size) {
            fail("a header of at most " + std::to_string(max_header_size) + " bytes", std::to_string(header_size));
        }
        if (header_size > file.size() - 8) {
            fail("a header of " + std::to_string(header_size) + " bytes",
                 "a file with " + std::to_string(file.size() - 8) + " bytes after the length");
        }
        const auto n = static_cast<std::size_t>(header_size);
        auto header = detail::parse_header({reinterpret_cast<char const*>(file.data()) + 8, n}, place_);
        metadata_ = std::move(header.metadata);
        place_tensors(std::move(header.tensors), file.subspan(8 + n));
    }

    void place_tensors(std::vector<detail::header_entry> entries, std::span<std::byte const> data) {
        std::sort(entries.begin(), entries.end(), [](auto const& a, auto const& b) {
            return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
        });
        std::size_t position = 0;
        tensors_.reserve(entries.size());
        for (auto& entry : entries) {
            const std::size_t size =
                detail::byte_count(entry.dtype, entry.shape, place_ + ": tensor " + tenet::detail::quoted(entry.name));
            if (entry.begin != position || entry.end < entry.begin) {
                fail_entry(entry, "data_offsets that begin at " + std::to_string(position) + " (no hole, no overlap)",
                           offsets_text(entry));
            }
            if (entry.end - entry.begin != size) {
                fail_entry(
                    entry,
                    std::to_string(size) + " bytes for shape " + detail::shape_text(entry.shape) + " of " + entry.dtype,
                    offsets_text(entry));
            }
            if (entry.end > data.size()) {
                fail_entry(entry, "data_offsets within the " + std::to_string(data.size()) + " bytes after the header",
                           offsets_text(entry));
            }
            tensors_.push_back({std::move(entry.name), std::move(entry.dtype), std::move(entry.shape), position,
                                data.subspan(position, size)});
            position = entry.end;
        }
        if (position != data.size()) {
            fail("tensors that end with the file, at " + std::to_string(data.size()), std::to_string(position));
        }
        index_names();
    }

    void index_names() {
        by_name_.resize(tensors_.size());
        for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
        std::sort(by_name_.begin(), by_name_.end(),
                  [&](std::size_t a, std::size_t b) { return tensors_[a].name < tensors_[b].name; });
    }

    static std::string offsets_text(detail::header_entry const& entry) {
        return "[" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
    }

    [[noreturn]] void fail(std::string const& expected, std::string const& found) const {
        fail_expectation(place_, expected, found);
    }

    [[noreturn]] void fail_entry(detail::header_entry const& entry, std::string const& expected,
                                 std::string const& found) const {
        fail_expectation(place_ + ": tensor " + tenet::detail::quoted(entry.name), expected, found);
    }

    std::optional<mapped_file> file_;
    std::string place_;
    std::map<std::string, std::string> metadata_;
    std::vector<tensor_entry> tensors_;
    std::vector<std::size_t> by_name_;
};

}  // namespace tenet::safetensors
