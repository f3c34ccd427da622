// SPDX-License-Identifier: MIT
// error: member_count<T>: T must be an aggregate
// max-lines: 30
#include <tenet/nn.hpp>

#ifdef TENET_MISTAKE
class model {
    int wte = 0;

public:
    int first() const { return wte; }
};
#else
struct model {
    int wte = 0;
};
#endif

static_assert(tenet::member_count<model>() == 1);
