// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes are refused with a tenet::exception, or they are an archive whose arrays together are no
// larger than it. Checksums are set right first: they would turn nearly every change away at the door.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <tenet/interop/npz.hpp>

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void read(std::span<std::byte const> bytes) {
    try {
        std::size_t total = 0;
        for (auto const& [name, array] : tenet::detail::read_npz(bytes, "x.npz")) total += array.bytes.size();
        require(total < bytes.size());
    } catch (tenet::exception const& e) {
        require(std::string_view(e.what()).starts_with("x.npz: "));
        require(std::string_view(e.what()).size() < 1000);
    }
}

// Writes to every entry of the directory the checksum that its bytes have.
void set_checksums(std::vector<std::byte>& file) {
    try {
        const tenet::detail::zip_bytes zip(file, "x.npz");
        const auto directory = tenet::detail::find_directory(zip);
        std::size_t at = directory.begin;
        for (std::size_t i = 0; i < directory.entries && i < 64; ++i) {
            const std::size_t size = zip.number(at + 24, 4), local = zip.number(at + 42, 4);
            const std::size_t start = local + 30 + zip.number(local + 26, 2) + zip.number(local + 28, 2);
            const std::uint32_t checksum = tenet::detail::crc32(zip.part(start, size, "an entry"));
            std::memcpy(file.data() + at + 16, &checksum, 4);
            at += 46 + zip.number(at + 28, 2) + zip.number(at + 30, 2) + zip.number(at + 32, 2);
        }
    } catch (tenet::exception const&) {
        // As far as it is an archive.
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    read(bytes);
    std::vector<std::byte> file(bytes.begin(), bytes.end());
    set_checksums(file);
    read(file);
    return 0;
}
