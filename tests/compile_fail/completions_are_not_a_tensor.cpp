// SPDX-License-Identifier: MIT
// error: a program's input must be of the type that its declaration asks for, not a plain tensor
// max-lines: 24
#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : axis<8> {};
struct Vocab : axis<16> {};

struct loss {
    constexpr auto operator()(auto logits, auto targets) const {
        return completion_cross_entropy<Vocab>(logits, targets);
    }
};

void compute() {
    program<models<>, loss, variable<Batch, Time, Vocab>, completions<Batch, Time>> step;
    tensor<float, Batch, Time, Vocab> logits;
#ifdef TENET_MISTAKE
    tensor<std::int32_t, Batch, Time> targets;
#else
    completion_targets<Batch, Time> targets;
#endif
    step(logits, targets);
}
