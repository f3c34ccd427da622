// SPDX-License-Identifier: MIT
// io: a log of JSON objects, one a line (metrics.jsonl), that survives crashes: each line is one write, and opening
// the file again drops a line that a crash tore, and rows that a resumed run is about to write once more.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/file_error.hpp>
#include <tenet/io/mapped_file.hpp>

namespace tenet {

/// Rows to drop when a log is opened again: those whose number under `key` is `limit` or more.
struct json_lines_cut {
    std::string key;         ///< e.g. "step"
    std::int64_t limit = 0;  ///< the first step that will be written again
};

/// Appends JSON objects to a file, one a line.
///
/// Opening an existing file keeps its rows, but a torn last line (without its newline and not an object, or not
/// valid JSON) and the rows of `cut`; the file is then replaced atomically. A damaged line before the last is an
/// error: that is not what a crash does. Blank lines are dropped. Numbers that JSON cannot hold (NaN, infinity)
/// become null. Each row reaches the operating system before `append` returns. One writer a file; POSIX only.
class json_lines {
public:
    explicit json_lines(std::filesystem::path path, std::optional<json_lines_cut> const& cut = std::nullopt)
        : path_(std::move(path)) {
        std::error_code ignored;
        if (std::filesystem::exists(path_, ignored)) keep_good_rows(cut);
        descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (descriptor_ < 0) detail::fail_file("append to", path_, errno);
    }
    json_lines(json_lines&& other) noexcept
        : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
    json_lines& operator=(json_lines&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~json_lines() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    /// Appends one row. Works with ordered objects too: `append(nlohmann::ordered_json{{"step", 3}, {"loss", 2.5}})`.
    template <class Json>
    requires requires(Json const& j) { j.is_object(), j.dump(); }
    void append(Json const& object) {
        if (!object.is_object()) fail_expectation("json_lines::append", "an object", object.type_name());
        std::string line;
        try {
            line = object.dump() + "\n";
        } catch (nlohmann::json::exception const&) {
            fail_expectation("json_lines::append", "strings in UTF-8", "other bytes");
        }
        std::string_view rest = line;
        while (!rest.empty()) {
            const ::ssize_t written = ::write(descriptor_, rest.data(), rest.size());
            if (written < 0) {
                if (errno == EINTR) continue;
                detail::fail_file("append to", path_, errno);
            }
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
    }

private:
    void keep_good_rows(std::optional<json_lines_cut> const& cut) {
        const mapped_file file(path_);
        std::string kept;
        std::string_view rest = file.text();
        for (std::size_t number = 1; !rest.empty(); ++number) {
            const std::size_t end = rest.find('\n');
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            const auto row = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
            if (!row.is_object()) {
                if (rest.empty()) break;
                fail_expectation(path_.string() + ": line " + std::to_string(number), "a JSON object",
                                 detail::quoted(line));
            }
            if (cut && drops(*cut, row)) continue;
            kept.append(line).push_back('\n');
        }
        if (kept == file.text()) return;
        atomic_file replacement(path_);
        replacement.write(kept);
        replacement.commit();
    }

    static bool drops(json_lines_cut const& cut, nlohmann::json const& row) {
        const auto value = row.find(cut.key);
        if (value == row.end()) return false;
        if (value->is_number_unsigned()) {
            return cut.limit <= 0 || value->get<std::uint64_t>() >= static_cast<std::uint64_t>(cut.limit);
        }
        if (value->is_number_integer()) return value->get<std::int64_t>() >= cut.limit;
        return value->is_number_float() && value->get<double>() >= static_cast<double>(cut.limit);
    }

    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace tenet
