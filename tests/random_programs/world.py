# SPDX-License-Identifier: MIT
"""What random functions and random models share: axes, tensors that know theirs, and the C++ around a program."""
import math
from dataclasses import dataclass

import torch

torch.set_default_dtype(torch.float64)

PRELUDE = """\
// Made by tests/random_programs/compare.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <tuple>
#include <type_traits>

#include <tenet/nn.hpp>
#include <tenet/op.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/program.hpp>

using namespace tenet;

template <class X>
void fill(X&& x, double first, double most = 0.9) {
    std::size_t i = 0;
    for (auto& v : x) v = static_cast<std::decay_t<decltype(v)>>(most * std::sin(first + 1.3 * double(i++)));
}
template <class X>
void fill_with_nan(X&& x) {
    for (auto& v : x) v = NAN;
}
template <class X>
void fill_indices(X& x, unsigned first, unsigned limit) {
    unsigned i = 0;
    for (auto& v : x) v = std::int32_t((i++ * 7919u + first * 104729u) / 13u % limit);
}
template <class X>
void show(char const* name, X const& x) {
    std::printf("%s", name);
    for (auto v : x) std::printf(" %.17g", double(v));
    std::puts("");
}
"""


@dataclass(frozen=True)
class Axis:
    capacity: int
    extent: int
    static: bool


@dataclass
class Value:
    """A tensor as C++ and as PyTorch, whose dimensions are in the order of `axes`."""
    code: str
    axes: tuple
    data: torch.Tensor

    def along(self, axes):
        """The data with dimensions for `axes`, of extent 1 where the value lacks one."""
        own = [a for a in axes if a in self.axes]
        data = self.data.permute([self.axes.index(a) for a in own]) if own else self.data
        shape = iter(data.shape)
        return data.reshape([next(shape) if a in self.axes else 1 for a in axes])

    def places(self, axes):
        return [self.axes.index(a) for a in axes]


class World:
    """The axes of one program, its element type, and numbers that both sides compute by the same formulas."""

    def __init__(self, rng):
        self.rng = rng
        self.real = rng.choice(["double", "double", "float"])
        self.axes = {}

    def add(self, name, capacity, static=True, extent=None):
        self.axes[name] = Axis(capacity, capacity if static else extent or self.rng.randint(1, capacity), static)

    def new(self, extent):
        """A further static axis."""
        name = f"New{sum(a.startswith('New') for a in self.axes)}"
        self.add(name, extent)
        return name

    def extent(self, name):
        return self.axes[name].extent

    def static(self, axes):
        return [a for a in axes if self.axes[a].static]

    def capacity(self, axes):
        return math.prod(self.axes[a].capacity for a in axes)

    def declarations(self):
        return [f"struct {name} : {'axis' if a.static else 'at_most'}<{a.capacity}> {{}};"
                for name, a in self.axes.items()]

    def tensor(self, element, name, axes, full=False):
        """The declaration of a C++ tensor; `full`: at the largest extents."""
        run_time = ", ".join(f"extent<{a}>({self.axes[a].capacity if full else self.extent(a)})" for a in axes
                             if not self.axes[a].static)
        return f"tensor<{', '.join([element, *axes])}> {name}{f'({run_time})' if run_time else ''};"

    def rounded(self, data):
        return data.float().double() if self.real == "float" else data

    def numbers(self, shape, first, most=0.9):
        """What `fill` gives."""
        data = torch.tensor([most * math.sin(first + 1.3 * i) for i in range(math.prod(shape))])
        return self.rounded(data).reshape(shape)

    def indices(self, axes, first, limit):
        """What `fill_indices` gives."""
        shape = [self.extent(a) for a in axes]
        data = [(i * 7919 + first * 104729) % 2**32 // 13 % limit for i in range(math.prod(shape))]
        return torch.tensor(data).reshape(shape)
