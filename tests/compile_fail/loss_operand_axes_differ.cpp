// SPDX-License-Identifier: MIT
// error: loss_operand_axes_differ<detail::dpo, axes<Pair>, axes<Pair, Time>>
// max-lines-gcc: 24
// max-messages: 20
// options-clang: -ftemplate-backtrace-limit=2
#include <tenet/align/dpo.hpp>
#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/data/preference_batch.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Pair : at_most<4> {};
struct Time : axis<8> {};
struct Vocab : axis<16> {};

// Log-probabilities of tokens where those of whole completions belong.
struct loss {
    constexpr auto operator()(auto logits, auto reference, auto targets) const {
#ifdef TENET_MISTAKE
        auto policy = token_log_probabilities<Vocab>(logits, targets);
#else
        auto policy = sequence_log_probability<Vocab, Time>(logits, targets);
#endif
        return dpo_loss<Pair>(chosen(policy), rejected(policy), chosen(reference), rejected(reference));
    }
};

using step = program<models<>, loss, variable<Pair, preference_side, Time, Vocab>, values<Pair, preference_side>,
                     completions<Pair, preference_side, Time>>;
static_assert(sizeof(step) > 0);
