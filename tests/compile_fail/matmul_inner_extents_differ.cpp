// SPDX-License-Identifier: MIT
// error: matmul_inner_extents_differ<3, 4, axes<dim<1, 2>, dim<0, 3>>, axes<dim<1, 4>, dim<0, 5>>>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

void compute() {
    ndarray<float, 2, 3> x;
    ndarray<float, 3, 5> y;
    ndarray<float, 4, 5> z;
#ifdef TENET_MISTAKE
    static_cast<void>(matmul(x, z));
#else
    static_cast<void>(matmul(x, y));
#endif
}
