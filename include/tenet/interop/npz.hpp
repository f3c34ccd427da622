// SPDX-License-Identifier: MIT
// interop: the arrays of an .npz file, which is a ZIP archive of .npy files. Only what numpy.savez writes is read:
// entries that are stored, not compressed. Sizes and places come from an untrusted directory and are checked first.
// PKWARE: .ZIP File Format Specification (APPNOTE), 4.3.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tenet/interop/npy_array.hpp>
#include <tenet/io/mapped_file.hpp>

namespace tenet {
namespace detail {

/// Little-endian numbers in a byte range; `exception` where the range ends too early.
class zip_bytes {
public:
    zip_bytes(std::span<std::byte const> bytes, std::string place) : bytes_(bytes), place_(std::move(place)) {}

    std::size_t size() const { return bytes_.size(); }
    std::span<std::byte const> part(std::size_t at, std::size_t n, char const* what) const {
        if (at > bytes_.size() || n > bytes_.size() - at)
            fail(std::string(what) + " of " + std::to_string(n) + " bytes at " + std::to_string(at),
                 "a file of " + std::to_string(bytes_.size()) + " bytes");
        return bytes_.subspan(at, n);
    }
    std::uint32_t number(std::size_t at, std::size_t n) const {
        std::uint32_t value = 0;
        const auto digits = part(at, n, "a number");
        for (std::size_t i = n; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(digits[i]);
        return value;
    }
    [[noreturn]] void fail(std::string const& expected, std::string const& found) const {
        fail_expectation(place_, expected, found);
    }
    std::string const& place() const { return place_; }

private:
    std::span<std::byte const> bytes_;
    std::string place_;
};

inline constexpr std::array<std::uint32_t, 256> crc32_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xEDB88320u ^ c >> 1 : c >> 1;
        table[i] = c;
    }
    return table;
}();

// Goes on with a checksum whose bits are still inverted.
inline std::uint32_t crc32_more(std::uint32_t c, std::span<std::byte const> bytes) {
    for (std::byte b : bytes) c = crc32_table[(c ^ std::to_integer<std::uint32_t>(b)) & 0xFF] ^ c >> 8;
    return c;
}
inline std::uint32_t crc32(std::span<std::byte const> bytes) {
    return ~crc32_more(~0u, bytes);
}

/// Where the archive's directory begins and how many entries it has.
struct zip_directory {
    std::size_t begin = 0, size = 0, entries = 0;
};

inline zip_directory find_directory(zip_bytes const& zip) {
    constexpr std::size_t record = 22, longest_comment = 65535;
    if (zip.size() < record) zip.fail("a ZIP archive", std::to_string(zip.size()) + " bytes");
    const std::size_t last = zip.size() - record;
    for (std::size_t at = last + 1; at-- > (last > longest_comment ? last - longest_comment : 0);) {
        if (zip.number(at, 4) != 0x06054b50u || zip.number(at + 20, 2) != last - at) continue;
        const zip_directory d{zip.number(at + 16, 4), zip.number(at + 12, 4), zip.number(at + 10, 2)};
        if (d.entries == 0xFFFF || d.begin == 0xFFFFFFFFu)
            zip.fail("an archive of less than 4 GiB", "the ZIP64 format");
        if (d.begin > at || d.size > at - d.begin)
            zip.fail("a directory before byte " + std::to_string(at),
                     "one of " + std::to_string(d.size) + " bytes at " + std::to_string(d.begin));
        return d;
    }
    zip.fail("a ZIP archive", "a file without an archive's end record");
}

inline std::map<std::string, npy_array> read_npz(std::span<std::byte const> file, std::string const& place) {
    const zip_bytes zip(file, place);
    const zip_directory directory = find_directory(zip);
    std::map<std::string, npy_array> arrays;
    std::size_t at = directory.begin, total = 0;
    const std::size_t end = directory.begin + directory.size;
    for (std::size_t i = 0; i < directory.entries; ++i) {
        if (at > end || end - at < 46 || zip.number(at, 4) != 0x02014b50u)
            zip.fail("a directory of " + std::to_string(directory.entries) + " entries", std::to_string(i));
        const std::size_t flags = zip.number(at + 8, 2), method = zip.number(at + 10, 2);
        const std::size_t stored = zip.number(at + 20, 4), plain = zip.number(at + 24, 4);
        const std::size_t name_length = zip.number(at + 28, 2), extra = zip.number(at + 30, 2);
        const std::size_t local = zip.number(at + 42, 4);
        const auto name_bytes = zip.part(at + 46, name_length, "a name");
        std::string name(reinterpret_cast<char const*>(name_bytes.data()), name_bytes.size());
        const zip_bytes entry(file, place + ": " + detail::quoted(name));
        if ((flags & 1) != 0) entry.fail("an array", "an encrypted entry");
        if (method != 0)
            entry.fail("an uncompressed entry, as numpy.savez writes",
                       "compression method " + std::to_string(method) + ", as numpy.savez_compressed writes");
        if (stored != plain) entry.fail(std::to_string(plain) + " stored bytes", std::to_string(stored));
        if (zip.number(local, 4) != 0x04034b50u) entry.fail("a ZIP entry at byte " + std::to_string(local), "none");
        // The local header's own lengths: its extra field differs from the directory's.
        const std::size_t start = local + 30 + zip.number(local + 26, 2) + zip.number(local + 28, 2);
        const auto bytes = entry.part(start, plain, "an array");
        // Entries that share bytes could make a small file fill all memory.
        if (plain > file.size() - total)
            entry.fail("entries that do not overlap", "more bytes than the file's " + std::to_string(file.size()));
        total += plain;
        if (const std::uint32_t found = crc32(bytes); found != zip.number(at + 16, 4))
            entry.fail("checksum " + std::to_string(zip.number(at + 16, 4)), std::to_string(found));
        if (!name.ends_with(".npy")) entry.fail("a name that ends in .npy", detail::quoted(name));
        name.resize(name.size() - 4);
        if (arrays.contains(name)) entry.fail("every name once", "it twice");
        arrays.emplace(name, read_npy(bytes, entry.place()));
        at += 46 + name_length + extra + zip.number(at + 32, 2);
    }
    return arrays;
}

}  // namespace detail

/// All arrays of an uncompressed .npz file by name, as numpy.savez wrote them. Errors: `exception` if the file is no
/// archive, if an entry is compressed (numpy.savez_compressed), encrypted, damaged or no array. NumPy: numpy.load.
inline std::map<std::string, npy_array> load_npz(std::filesystem::path const& path) {
    const mapped_file file(path);
    return detail::read_npz(file.bytes(), path.string());
}

}  // namespace tenet
