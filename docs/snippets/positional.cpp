// SPDX-License-Identifier: MIT
// Positional axes, for quick work.
#include <tenet/op.hpp>
#include <tenet/program/expression.hpp>

#include <cstdio>

using namespace tenet;

int main() {
    // [positional]
    ndarray<float, 2, 3> a{1, 2, 3, 4, 5, 6};
    ndarray<float, 3, 2> b{1, 0, 0, 1, 1, 1};
    ndarray<float, 3> row{10, 20, 30};
    ndarray<float, 2, 2> product = matmul(a, b);  // 4 5 10 11
    ndarray<float, 2, 3> shifted = a + row;       // the last axes are aligned, as in NumPy
    // [positional]
    std::printf("%g %g %g %g, %g\n", product(0, 0), product(0, 1), product(1, 0), product(1, 1), shifted(1, 2));
}
