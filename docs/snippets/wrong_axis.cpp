// SPDX-License-Identifier: MIT
// A mistake in a model, as the compiler reports it.
// error: dot_axis_missing_on_right<Hidden, 512, axes<Embed, Vocab>>
#include <tenet/op.hpp>
#include <tenet/program/program.hpp>

using namespace tenet;

struct Batch : at_most<16> {};
struct Embed : axis<128> {};
struct Hidden : axis<512> {};
struct Vocab : axis<1000> {};

// [mistake]
struct model {
    parameter<Embed, Hidden> up;
    parameter<Embed, Vocab> head;
    constexpr auto operator()(auto x) const {
        auto h = gelu(dot<Embed>(x, up));  // [Batch, Hidden]
#ifdef TENET_MISTAKE
        return dot<Hidden>(h, head);  // head has no axis Hidden
#else
        return dot<Embed>(dot<Hidden>(h, up), head);
#endif
    }
};
// [mistake]

int main() {
    evaluation<model, call_model, values<Batch, Embed>> run;
    parameters<model> theta;
    run(theta, tensor<float, Batch, Embed>());
}
