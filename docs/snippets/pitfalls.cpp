// SPDX-License-Identifier: MIT
// What surprises, each with the way that works.
#include <tenet/op.hpp>
#include <tenet/program/expression.hpp>

#include <cstdio>

using namespace tenet;

struct Time : axis<3> {};
struct Keys : axis<3> {};
struct Embed : axis<2> {};

// [missing_axis]
static tensor<float, Time, Embed> centred(tensor<float, Time, Embed> const& x) {
    return x - mean<Time>(x);  // not mean(x): a missing axis broadcasts, and the mean of all elements is as welcome
}
// [missing_axis]

// [dangling]
static auto gate(tensor<float, Time, Embed> x) {
    return evaluate(sigmoid(x) * x);  // not `return sigmoid(x) * x`: the expression would refer to a dead parameter
}
// [dangling]

int main() {
    tensor<float, Time, Embed> x{1, 2, 3, 4, 5, 6};

    // [itself]
    // not dot<Embed>(x, x): Time would be a batch axis, and the result [Time]
    tensor<float, Time, Keys> gram = dot<Embed>(x, rename<Time, Keys>(x));
    // [itself]

    // [integers]
    tensor<std::int32_t, Time> index{0, 1, 2};
    tensor<double, Time> doubled = 2 * cast<dtype::real>(index);  // not 2 * index: arithmetic is on real numbers
    // [integers]

    std::printf("%g %g %g %g\n", centred(x)(0, 0), gate(x)(0, 0) > 0.7f ? 1.0 : 0.0, gram(0, 1), doubled(2));
}
