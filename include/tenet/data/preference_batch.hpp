// SPDX-License-Identifier: MIT
// data: batches of pairs of completions of one prompt, the better and the worse, side by side along an axis of their
// own, so that one forward pass of the model serves both.
#pragma once

#include <tenet/data/completion_batch.hpp>
#include <tenet/op/rearrange.hpp>

namespace tenet {

/// The two completions of a pair: 0 is chosen, 1 is rejected.
struct preference_side : axis<2> {};

/// `x` [..., preference_side, ...] of the chosen, or of the rejected completions.
template <Operand X>
constexpr auto chosen(X&& x) {
    return select<preference_side, 0>(std::forward<X>(x));
}
template <Operand X>
constexpr auto rejected(X&& x) {
    return select<preference_side, 1>(std::forward<X>(x));
}

/// A batch of pairs [Pairs, preference_side, Time]. Both completions of a pair have the same prompt, cut alike.
///
///     auto logp = sequence_log_probability<Vocab, Time>(policy(tokens), targets);   // [Pairs, preference_side]
///     return dpo_loss<Pairs>(chosen(logp), rejected(logp), ...);
template <class Pairs, class Time>
class preference_batch : public completion_rows<axes<Pairs, preference_side>, Time> {
    using base = completion_rows<axes<Pairs, preference_side>, Time>;

public:
    explicit preference_batch(completion_options const& options, std::size_t pairs = Pairs::capacity) : base(options) {
        resize(pairs);
    }
    /// Starts anew with so many pairs of padding.
    void resize(std::size_t pairs) { base::resize({pairs, 2}); }

    /// Pair `pair` from a prompt and two completions, truncated and ended; see `make_completion_row`.
    void set(std::size_t pair, std::span<std::int32_t const> prompt, std::span<std::int32_t const> chosen,
             std::span<std::int32_t const> rejected) {
        completion_options const& o = this->options();
        const std::size_t longest = std::max(ended_length(chosen, o), ended_length(rejected, o));
        base::set(2 * pair, make_completion_row(prompt, chosen, Time::capacity, o, longest));
        base::set(2 * pair + 1, make_completion_row(prompt, rejected, Time::capacity, o, longest));
    }
};

}  // namespace tenet
