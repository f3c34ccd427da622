// SPDX-License-Identifier: MIT
// libFuzzer entry: the text of an index, a zero byte, and the bytes of the file that every name in it stands for. They
// are refused with a tenet::exception, or they give exactly the tensors that the index names.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include <tenet/io/safetensors_sharded_reader.hpp>

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace tenet::safetensors;
    auto const* const zero = size == 0 ? nullptr : static_cast<std::uint8_t const*>(std::memchr(data, 0, size));
    const std::size_t length = zero == nullptr ? size : static_cast<std::size_t>(zero - data);
    const std::string_view index(reinterpret_cast<char const*>(data), length);
    const auto shard = std::as_bytes(std::span(data, size)).subspan(zero == nullptr ? size : length + 1);
    try {
        const shard_index parsed = parse_index(index, "index");
        for (auto const& [tensor, file] : parsed.files) require(file.find('/') == file.npos && file != "..");
        const sharded_reader all(index, "index", [&](std::string const& name) { return reader(shard, name); });
        require(all.tensors().size() == parsed.files.size());
        std::uint64_t bytes = 0;
        for (auto const& [tensor, file] : parsed.files) {
            require(all.find(tensor) != nullptr);
            bytes += all.find(tensor)->bytes.size();
        }
        require(bytes == all.size());
        require(!parsed.total_size || *parsed.total_size == bytes);
    } catch (tenet::exception const& e) {
        require(std::string_view(e.what()).starts_with("index: "));
        require(std::string_view(e.what()).size() < 100'000);
    }
    return 0;
}
