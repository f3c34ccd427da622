// SPDX-License-Identifier: MIT
// io: files that appear whole or not at all. The bytes go to a temporary file in the same folder, reach the disk,
// and only then take the real name: a crash, a full disk or an exception leaves the old file as it was.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenet/base/exception.hpp>
#include <tenet/io/file_error.hpp>

namespace tenet {

/// A file being written beside its final place, which `commit()` moves over it.
///
/// Checked at run time: every system call; a failure throws `exception` with the path and the system's reason.
/// A symbolic link is followed, and an existing file's permissions are kept. POSIX only.
/// Example: `atomic_file out("run.json"); out.write(text); out.commit();`
class atomic_file {
public:
    /// Creates the temporary file. The folder must exist.
    explicit atomic_file(std::filesystem::path path) : path_(resolve(std::move(path))) {
        struct ::stat old{};
        const bool replaces = ::stat(path_.c_str(), &old) == 0;
        if (replaces && S_ISDIR(old.st_mode)) detail::fail_file("write", path_, EISDIR);
        open_unique();
        if (replaces && ::fchmod(descriptor_, old.st_mode & 07777u) != 0) {
            const int error = errno;
            discard();
            detail::fail_file("set the permissions of", temporary_, error);
        }
    }

    atomic_file(atomic_file const&) = delete;
    atomic_file& operator=(atomic_file const&) = delete;

    /// Removes the temporary file unless it was committed.
    ~atomic_file() { discard(); }

    /// Appends `size` bytes.
    void write(void const* data, std::size_t size) {
        require_open("write");
        auto const* next = static_cast<char const*>(data);
        while (size != 0) {
            const ::ssize_t written = ::write(descriptor_, next, size);
            if (written < 0) {
                if (errno == EINTR) continue;
                detail::fail_file("write", temporary_, errno);
            }
            next += written;
            size -= static_cast<std::size_t>(written);
        }
    }

    /// Appends `text`.
    void write(std::string_view text) { write(text.data(), text.size()); }

    /// Waits until all that was written is on the disk. `commit()` does it too: of use where several files are to be
    /// ready before the first takes its name.
    void flush() {
        require_open("flush");
        if (::fsync(descriptor_) != 0) detail::fail_file("flush", temporary_, errno);
    }

    /// Flushes to the disk and takes the final name. Afterwards nothing more can be written.
    void commit() {
        require_open("commit");
        flush();
        if (::close(std::exchange(descriptor_, -1)) != 0) {
            const int error = errno;
            discard();
            detail::fail_file("close", temporary_, error);
        }
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
            const int error = errno;
            discard();
            detail::fail_file("replace", path_, error);
        }
        pending_ = false;
        flush_folder();
    }

private:
    static std::filesystem::path resolve(std::filesystem::path path) {
        std::error_code ignored;
        // Renaming over a symbolic link would replace the link, not the file that it stands for.
        if (std::filesystem::is_symlink(path, ignored)) return std::filesystem::weakly_canonical(path);
        return path;
    }

    std::filesystem::path folder() const { return path_.has_parent_path() ? path_.parent_path() : "."; }

    void open_unique() {
        static std::atomic<std::uint64_t> counter{0};
        for (int attempt = 0; attempt < 100; ++attempt) {
            const auto clock = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
            // The name stays short, so that a final name of nearly the longest legal length still works.
            temporary_ = folder() / (".tenet-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + "-" +
                                     std::to_string(clock) + ".tmp");
            descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (descriptor_ >= 0) {
                pending_ = true;
                return;
            }
            if (errno != EEXIST) break;
        }
        detail::fail_file("create a temporary file to write", path_, errno);
    }

    void require_open(char const* call) const {
        if (descriptor_ < 0) fail_expectation(std::string("atomic_file::") + call, "an open file", "a committed one");
    }

    void flush_folder() const {
        // The rename is durable only when the folder is on the disk too. Some file systems cannot flush a folder
        // and say EINVAL; there the rename is as durable as it can be.
        const int descriptor = ::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0) return;
        const int error = ::fsync(descriptor) == 0 ? 0 : errno;
        ::close(descriptor);
        if (error != 0 && error != EINVAL && error != ENOTSUP) detail::fail_file("flush the folder of", path_, error);
    }

    void discard() noexcept {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
        if (std::exchange(pending_, false)) ::unlink(temporary_.c_str());
    }

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    int descriptor_ = -1;
    bool pending_ = false;
};

}  // namespace tenet
