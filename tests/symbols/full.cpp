// SPDX-License-Identifier: MIT
// A step of all parameters: what a frozen base must not have.
#include "model.hpp"

namespace symbols {

struct loss {
    constexpr auto operator()(auto const& m, auto tokens, auto positions, auto targets) const {
        return loss_of(m, tokens, positions, targets);
    }
};
using step = program<model, loss, tokens<Batch, Time>, tokens<Time>, tokens<Batch, Time>>;
static_assert(step::gradient_elements == parameter_elements<model>);

float run(step& s, parameters<model> const& theta, tensor<std::int32_t, Batch, Time> const& x,
          tensor<std::int32_t, Time> const& at) {
    return s.value_and_grad(theta, x, at, x);
}

}  // namespace symbols
