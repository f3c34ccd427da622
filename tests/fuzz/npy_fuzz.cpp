// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes are refused with a tenet::exception, or they are a .npy file whose elements are all there.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include <tenet/interop/npy_array.hpp>

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    try {
        const tenet::npy_array array = tenet::detail::read_npy(std::as_bytes(std::span(data, size)), "x.npy");
        std::size_t n = 1;
        for (std::size_t e : array.shape) n *= e;
        require(array.size() == n);
        require(array.bytes.size() < size);
        require(array.values<double>().size() == n);
        require(array.values<bool>().size() == n);
        try {
            require(array.values<std::int32_t>().size() == n);
        } catch (tenet::exception const&) {
            // real numbers, and integers that do not fit
        }
    } catch (tenet::exception const& e) {
        require(std::string_view(e.what()).starts_with("x.npy: "));
        require(std::string_view(e.what()).size() < 1000);
    }
    return 0;
}
