// SPDX-License-Identifier: MIT
// Half of a program whose two translation units include the whole library.
#include <tenet/tenet.hpp>

std::size_t member_count_of_second();

namespace {
struct pair_of_sizes {
    std::size_t rows, columns;
};
}  // namespace

int main() {
    return tenet::member_count<pair_of_sizes>() == 2 && member_count_of_second() == 3 ? 0 : 1;
}
