// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes either are refused with a tenet::exception or give the tensors of a llama2.c model that
// lie within them. clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/llama2c_fuzz.cpp
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tenet/io/llama2c_file.hpp>
#include <tenet/io/safetensors_load.hpp>

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void load_all(tenet::llama2c_file const& file) {
    std::vector<std::vector<float>> values;
    std::vector<tenet::named_array> destinations;
    for (auto const& tensor : file.tensors()) {
        tenet::named_array to{tensor.name, tenet::dtype::float32, tensor.shape, nullptr};
        values.emplace_back(to.size());
        to.data = values.back().data();
        destinations.push_back(to);
    }
    tenet::safetensors::load(file, destinations);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    try {
        const tenet::llama2c_file file(bytes);
        std::set<std::string> names;
        std::size_t total = 0;
        for (auto const& tensor : file.tensors()) {
            std::size_t elements = 1;
            for (std::size_t n : tensor.shape) elements *= n;
            require(tensor.bytes.size() == 4 * elements);
            require(tensor.bytes.data() >= bytes.data() &&
                    tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + size);
            require(names.insert(tensor.name).second);
            total += tensor.bytes.size();
        }
        require(28 + total <= size);
        load_all(file);
    } catch (tenet::exception const&) {
    }
    return 0;
}
