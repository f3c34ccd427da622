// SPDX-License-Identifier: MIT
// The other half.
#include <tenet/tenet.hpp>

std::size_t member_count_of_second();

namespace {
struct three_sizes {
    std::size_t batch, rows, columns;
};
}  // namespace

std::size_t member_count_of_second() {
    return tenet::member_count<three_sizes>();
}
