// SPDX-License-Identifier: MIT
// The same step with a frozen base and an adapter. No gradient or moment memory of the base: checked here, in bytes. No
// code of its gradients: checked by check.cmake, which looks for it in the object file.
#include <tenet/adapt/lora.hpp>
#include <tenet/optim/adamw.hpp>

#include "model.hpp"

namespace symbols {

using adapter = lora<model, 4>;

struct loss {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto positions, auto targets) const {
        return loss_of(with(delta, frozen(base)), tokens, positions, targets);
    }
};
using step = program<models<model, adapter>, loss, tokens<Batch, Time>, tokens<Time>, tokens<Batch, Time>>;

static_assert(step::gradient_elements == parameter_elements<adapter>);
static_assert(trainable_elements<step, 0> == 0);
static_assert(trainable_elements<step, 1> == parameter_elements<adapter>);
static_assert(parameter_elements<adapter> < parameter_elements<model> / 3);

float run(step& s, parameters<model> const& theta, parameters<adapter> const& delta,
          tensor<std::int32_t, Batch, Time> const& x, tensor<std::int32_t, Time> const& at) {
    return s.value_and_grad(theta, delta, x, at, x);
}

}  // namespace symbols
