// SPDX-License-Identifier: MIT
// The smallest program that needs the headers, the threads and the registers of the library.
#include <tenet/tenet.hpp>

#include <atomic>
#include <cstdio>

int main() {
    std::atomic<std::size_t> sum{0};
    tenet::parallel_for(1000, 10, [&](std::size_t begin, std::size_t end) { sum += end - begin; });
    const tenet::simd::batch<float> two(2.0f);
    const float seven = tenet::simd::fma(two, two, tenet::simd::batch<float>(3.0f)).get(0);
    std::printf("tenet %d.%d.%d: %zu %g\n", TENET_VERSION_MAJOR, TENET_VERSION_MINOR, TENET_VERSION_PATCH, sum.load(),
                static_cast<double>(seven));
    return sum == 1000 && seven == 7.0f ? 0 : 1;
}
