// SPDX-License-Identifier: MIT
// io: a whole file as bytes in memory, without reading it: pages come from the disk when they are touched.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenet/base/exception.hpp>
#include <tenet/io/file_error.hpp>

namespace tenet {

/// A read-only memory-mapped file; owns the mapping, moves, does not copy.
///
/// Checked at run time: the file exists, is readable and regular. Unchecked: another process that shortens the
/// file while it is mapped (the operating system then raises SIGBUS). Cost: one system call, no copy. POSIX only.
class mapped_file {
public:
    explicit mapped_file(std::filesystem::path path) : path_(std::move(path)) {
        const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) detail::fail_file("open", path_, errno);
        const int error = map(descriptor);
        ::close(descriptor);  // the mapping outlives the descriptor
        if (error != 0) detail::fail_file("map", path_, error);
    }

    mapped_file(mapped_file&& other) noexcept
        : path_(std::move(other.path_)),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    mapped_file& operator=(mapped_file&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~mapped_file() {
        if (data_ != nullptr) ::munmap(data_, size_);
    }

    /// The file's name, as it was given.
    std::filesystem::path const& path() const { return path_; }

    /// The file's bytes, page-aligned; empty for an empty file. Valid while this object lives.
    std::span<std::byte const> bytes() const { return {static_cast<std::byte const*>(data_), size_}; }

    /// The same bytes as text.
    std::string_view text() const { return {static_cast<char const*>(data_), size_}; }

private:
    int map(int descriptor) {
        struct ::stat status{};
        if (::fstat(descriptor, &status) != 0) return errno;
        if (S_ISDIR(status.st_mode)) return EISDIR;
        if (!S_ISREG(status.st_mode)) return ENODEV;
        if (static_cast<std::uintmax_t>(status.st_size) > std::numeric_limits<std::size_t>::max()) return EFBIG;
        const auto size = static_cast<std::size_t>(status.st_size);
        if (size == 0) return 0;  // mmap refuses an empty range
        void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED) return errno;
        data_ = data;
        size_ = size;
        return 0;
    }

    std::filesystem::path path_;
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace tenet
