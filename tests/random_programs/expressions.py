# SPDX-License-Identifier: MIT
"""Random expressions on tensors: a few operations, assigned to a tensor of another layout, differentiated, and assigned
to one of their own operands."""
import re

import torch

from functions import Functions


class Expressions(Functions):
    """A program's worth of one random expression."""
    operations = (2, 6)
    options = False
    most_operands = 40  # of the 64 that an expression may have, counted with repetition

    def operands(self, code):
        """Those of an expression, by the names that occur in it."""
        leaves = [x.code for x in self.inputs] + [f"t{k}" for k in range(len(self.tokens))]
        count = {**dict.fromkeys(leaves, 1), **self.counts}
        return sum(count.get(name, 0) for name in re.findall(r"\b[xtv]\d+\b", code))

    def __init__(self, rng):
        self.counts = {}
        super().__init__(rng)

    def emit(self, code, axes, data):
        operands = self.operands(code)
        if operands <= self.most_operands:
            super().emit(code, axes, data)
            self.counts[self.values[-1].code] = operands

    def finish(self):
        """The C++ source, and what it must print: {name: tensor}."""
        y = self.values[-1]
        run = [*self.tensors(), "with_threads(threads, [&] {", *self.lines]
        axes = self.rng.sample(y.axes, len(y.axes))
        run += [self.tensor(self.real, "turned", axes), f"turned = {y.code};", 'show("turned", turned);']
        wanted = {"turned": y.data.permute(y.places(axes))}
        loss = (y.data * y.data).mean()
        gradients = torch.autograd.grad(loss, [x.data for x in self.inputs], allow_unused=True, materialize_grads=True)
        found = [(x.code, g) for x, g in zip(self.inputs, gradients) if self.occurs(x.code, y.code)]
        if found:
            run += [f"const auto [loss, gradients] = value_and_grad(mean({y.code} * {y.code}), "
                    f"wrt({', '.join(name for name, _ in found)}));", 'show("loss", std::array{loss});']
            run += [f'show("d{name}", std::get<{i}>(gradients));' for i, (name, _) in enumerate(found)]
            wanted |= {"loss": loss, **{f"d{name}": g for name, g in found}}
        same = [x for x in self.inputs if set(x.axes) == set(y.axes)]
        if same:
            x = self.rng.choice(same)
            run += [f"{x.code} = {y.code};", f'show("{x.code}", {x.code});']
            wanted[x.code] = y.data.permute(y.places(x.axes))
        return [*self.declarations(), "void run(int threads) {", *run, "});", "}"], wanted

    def occurs(self, leaf, code):
        """Whether a tensor is an operand of a value."""
        if leaf == code:
            return True
        line = next((line for line in self.lines if f" {code} = " in line), "")
        return any(self.occurs(leaf, name) for name in set(re.findall(r"\b[xv]\d+\b", line)) - {code})
