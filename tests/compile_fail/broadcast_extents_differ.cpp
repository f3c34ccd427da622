// SPDX-License-Identifier: MIT
// error-regex: broadcast_extents_differ<.*add_op, dim<0, 3>, 3, dim<0, 4>, 4>
// max-lines: 20
#include <tenet/op.hpp>

using namespace tenet;

void compute() {
    ndarray<float, 2, 3> x;
    ndarray<float, 3> y;
    ndarray<float, 4> z;
#ifdef TENET_MISTAKE
    static_cast<void>(x + z);
#else
    static_cast<void>(x + y);
#endif
}
