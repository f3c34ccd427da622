// SPDX-License-Identifier: MIT
// interop: .npz files, as numpy.savez writes them: a ZIP archive of .npy files that are stored, not compressed.
// PKWARE: .ZIP File Format Specification (APPNOTE), 4.3. NEP 1: A Simple File Format for NumPy Arrays.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/interop/npz.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/tensor/named_array.hpp>

namespace tenet {
namespace detail {

// "\x93NUMPY", the version, and a dictionary, padded with blanks so that the elements begin at a multiple of 64.
inline std::string npy_header_text(dtype type, std::span<std::size_t const> shape, std::string const& place) {
    const auto known = std::find_if(npy_types.begin(), npy_types.end(), [&](auto const& t) { return t.first == type; });
    if (known == npy_types.end())
        fail_expectation(place, "an element type that NumPy knows", std::string(name_of(type)));
    std::string text = "{'descr': '" + std::string(known->second) + "', 'fortran_order': False, 'shape': (";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : " ") + std::to_string(shape[i]) + ",";
    if (shape.size() > 1) text.pop_back();
    text += "), }";
    text.append(63 - (10 + text.size()) % 64, ' ');
    text += '\n';
    if (text.size() > 0xFFFF) fail_expectation(place, "a shape of fewer axes", std::to_string(shape.size()) + " axes");
    const char head[] = {'\x93',
                         'N',
                         'U',
                         'M',
                         'P',
                         'Y',
                         1,
                         0,
                         static_cast<char>(text.size() & 0xFF),
                         static_cast<char>(text.size() >> 8)};
    return std::string(head, sizeof head) + text;
}

}  // namespace detail

/// Writes the arrays of an .npz file one after the other; the file appears whole, by `commit()`, or not at all.
///
/// Checked at run time: element types that NumPy has (bfloat16 and 8-bit floats it has not), bytes that agree with the
/// shape, each name once, less than 4 GiB and 65535 arrays (the ZIP64 format is not written), every system call; throws
/// `exception`. NumPy: numpy.savez.
class npz_writer {
public:
    explicit npz_writer(std::filesystem::path const& path) : place_(path.string()), file_(path) {}

    /// Appends one array, whose elements are `bytes` in row-major order.
    void add(std::string const& name, dtype type, std::span<std::size_t const> shape,
             std::span<std::byte const> bytes) {
        const std::string place = place_ + ": " + detail::quoted(name);
        const std::string header = detail::npy_header_text(type, shape, place);
        std::size_t expected = size_of(type);
        for (std::size_t e : shape) expected *= e;
        if (bytes.size() != expected)
            fail_expectation(place, std::to_string(expected) + " bytes", std::to_string(bytes.size()));
        if (!names_.insert(name).second) fail_expectation(place, "every name once", "it twice");
        const std::string file_name = name + ".npy";
        constexpr std::size_t longest = 0xFFFF, largest = 0xFFFFFFFFu;
        if (file_name.size() > longest)
            fail_expectation(place, "a shorter name", std::to_string(name.size()) + " bytes");
        const std::size_t size = header.size() + bytes.size(), room = largest - position_;
        if (size > room || room - size < 30 + file_name.size() || names_.size() >= longest)
            fail_expectation(place_, "an archive of less than 4 GiB and 65535 arrays", "a larger one");

        const std::uint32_t checksum =
            ~detail::crc32_more(detail::crc32_more(~0u, std::as_bytes(std::span(header))), bytes);
        const std::string common = entry_fields(file_name, checksum, size);
        const std::size_t begin = position_;
        put(number(0x04034b50u, 4) + common + file_name + header);
        file_.write(bytes.data(), bytes.size());
        position_ += bytes.size();
        directory_ += number(0x02014b50u, 4) + number(20, 2) + common + number(0, 2) + number(0, 2) + number(0, 2) +
                      number(0, 4) + number(begin, 4) + file_name;
    }

    /// Ends the archive, which then takes its name.
    void commit() {
        const std::size_t begin = position_, entries = names_.size();
        if (directory_.size() > 0xFFFFFFFEu - begin)
            fail_expectation(place_, "an archive of less than 4 GiB and 65535 arrays", "a larger one");
        put(directory_ + number(0x06054b50u, 4) + number(0, 4) + number(entries, 2) + number(entries, 2) +
            number(directory_.size(), 4) + number(begin, 4) + number(0, 2));
        file_.commit();
    }

private:
    static std::string number(std::size_t value, std::size_t bytes) {
        std::string text;
        for (; bytes-- > 0; value >>= 8) text += static_cast<char>(value & 0xFF);
        return text;
    }
    // What a local header and the directory's entry share: from the version to the length of the extra field.
    static std::string entry_fields(std::string const& name, std::uint32_t checksum, std::size_t size) {
        const bool ascii =
            std::all_of(name.begin(), name.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
        constexpr std::size_t utf8 = 0x800, midnight = 0, first_of_january_1980 = 0x21;
        return number(20, 2) + number(ascii ? 0 : utf8, 2) + number(0, 2) + number(midnight, 2) +
               number(first_of_january_1980, 2) + number(checksum, 4) + number(size, 4) + number(size, 4) +
               number(name.size(), 2) + number(0, 2);
    }
    void put(std::string const& text) {
        file_.write(text);
        position_ += text.size();
    }

    std::string place_;
    atomic_file file_;
    std::string directory_;
    std::set<std::string> names_;
    std::size_t position_ = 0;
};

/// Writes `arrays` to the .npz file `path`, which appears whole or not at all. Errors: as `npz_writer`.
/// NumPy: numpy.savez.
inline void save_npz(std::filesystem::path const& path, std::span<named_array const> arrays) {
    npz_writer file(path);
    for (named_array const& array : arrays)
        file.add(array.name, array.type, array.shape,
                 {static_cast<std::byte const*>(array.data), array.size() * size_of(array.type)});
    file.commit();
}

}  // namespace tenet
