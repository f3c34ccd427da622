// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes either are refused with a tenet::exception or give tensors that lie within them.
// clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/safetensors_fuzz.cpp
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <span>

#include <tenet/io/safetensors_load.hpp>
#include <tenet/io/safetensors_reader.hpp>

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

// Loads every tensor that can be loaded, as float32: the copies read each byte of the file's data.
void load_all(tenet::safetensors::reader const& file) {
    for (auto const& tensor : file.tensors()) {
        tenet::named_array to{tensor.name, tenet::dtype::float32, tensor.shape, nullptr};
        std::vector<float> values(tensor.bytes.empty() ? 0 : to.size());
        to.data = values.data();
        try {
            tenet::safetensors::load(file, {&to, 1}, {.ignore_extra = {"*"}, .rename = {}});
        } catch (tenet::exception const&) {
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    try {
        const tenet::safetensors::reader file(bytes);
        std::size_t total = 0;
        for (auto const& tensor : file.tensors()) {
            require(tensor.offset == total);
            total += tensor.bytes.size();
            require(tensor.bytes.data() >= bytes.data() &&
                    tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + size);
            require(file.find(tensor.name) == &tensor);
        }
        require(total + 8 <= size);
        if (file.tensors().size() < 64) load_all(file);
    } catch (tenet::exception const&) {
    }
    return 0;
}
