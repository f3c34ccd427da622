// SPDX-License-Identifier: MIT
// error: targets_are_not_of_completions<axes<Batch, Time>>
// max-lines-gcc: 24
// max-messages: 20
// options-clang: -ftemplate-backtrace-limit=2
#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : axis<8> {};
struct Vocab : axis<16> {};

// The next tokens of whole rows would train on prompts too.
struct loss {
    constexpr auto operator()(auto logits, auto targets) const {
        return -mean<Batch>(average_log_probability<Vocab, Time>(logits, targets));
    }
};

#ifdef TENET_MISTAKE
using step = program<models<>, loss, variable<Batch, Time, Vocab>, tokens<Batch, Time>>;
#else
using step = program<models<>, loss, variable<Batch, Time, Vocab>, completions<Batch, Time>>;
#endif
static_assert(sizeof(step) > 0);
