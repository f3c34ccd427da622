# SPDX-License-Identifier: MIT
"""Random models: modules with parameters, in modules, arrays and stacks, recomputed or not, called twice, frozen beside
themselves; a cross-entropy, perhaps with the square of its own gradient; and the gradients of all parameters."""
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from world import World

ACTIVATIONS = {"gelu": lambda x: F.gelu(x, approximate="tanh"), "gelu_erf": F.gelu, "relu": torch.relu, "silu": F.silu,
               "tanh": torch.tanh, "sigmoid": torch.sigmoid}


@dataclass
class Module:
    """A struct: parameters (name, axes), members (name, type, module, paths of its layers), and statements that each
    make the next value of x, which has the axes N, Time and Embed."""
    name: str
    parameters: list = field(default_factory=list)
    members: list = field(default_factory=list)
    code: list = field(default_factory=list)
    steps: list = field(default_factory=list)

    def parameter(self, *axes):
        self.parameters.append((f"p{len(self.parameters)}", axes))
        return self.parameters[-1][0]

    def add(self, code, step):
        """`step(values, p)` computes the next value; p(name) is a parameter or what calls a member."""
        self.code.append(f"const auto x{len(self.code) + 1} = {code};")
        self.steps.append(step)

    def __call__(self, x, p):
        values = [x]
        for step in self.steps:
            values.append(step(values, p))
        return values[-1]


class Models(World):
    """A program's worth of one random model."""

    def __init__(self, rng):
        super().__init__(rng)
        large = rng.random() < 0.3
        self.add("N", rng.choice([2, 3, 5]) + 4 * large, static=False)
        self.add("Time", rng.choice([1, 4, 7, 16]) * (4 if large else 1), static=rng.random() < 0.7)
        embed = rng.choice([8, 12, 16, 33, 48]) * (2 if large else 1)
        heads = rng.choice([h for h in (1, 2, 3, 4) if embed % h == 0])
        for name, n in {"Embed": embed, "Joined": embed, "Heads": heads, "Size": embed // heads,
                        "Hidden": rng.choice([5, 16, 32, 40]), "Vocab": rng.choice([7, 33, 65, 80])}.items():
            self.add(name, n)
        self.modules, self.once = [], False
        self.body = self.module(0)
        self.layers, self.recomputed = rng.choice([0, 0, 2, 3]), rng.random() < 0.4
        self.reads_tokens = rng.random() < 0.6
        self.tied = self.reads_tokens and rng.random() < 0.5
        self.twice, self.frozen = rng.random() < 0.25, rng.random() < 0.25
        self.penalised = (not self.once and not self.reads_tokens and self.real == "double" and rng.random() < 0.5)

    def module(self, depth):
        m = Module(f"module{depth}_{len(self.modules)}")
        kinds = [self.norm, self.feed_forward, self.gate, self.attention, self.shift, self.residual, self.softmax,
                 self.centre, self.arrange]
        for _ in range(self.rng.randint(2, 4)):
            kind = self.rng.choice(kinds + [self.member] * 2 if depth < 2 else kinds)
            kind(m, f"x{len(m.code)}", depth)
        self.modules.append(m)  # after its members
        return m

    # What a module may do

    def norm(self, m, x, _):
        centred = self.rng.random() < 0.6
        w, b = m.parameter("Embed"), m.parameter("Embed") if centred and self.rng.random() < 0.6 else None

        def step(values, p):
            y = values[-1] - values[-1].mean(-1, keepdim=True) if centred else values[-1]
            y = y / torch.sqrt((y * y).mean(-1, keepdim=True) + 1e-5) * p(w)
            return y + p(b) if b else y

        m.add(f"{'layer' if centred else 'rms'}_norm<Embed>({x}, {w}{f', {b}' if b else ''})", step)

    def feed_forward(self, m, x, _):
        act, residual = self.rng.choice(list(ACTIVATIONS)), self.rng.random() < 0.6
        turned = [self.rng.random() < 0.4 for _ in range(2)]
        up = m.parameter(*(["Hidden", "Embed"] if turned[0] else ["Embed", "Hidden"]))
        b_up = m.parameter("Hidden") if self.rng.random() < 0.7 else None
        down = m.parameter(*(["Embed", "Hidden"] if turned[1] else ["Hidden", "Embed"]))
        b_down = m.parameter("Embed") if self.rng.random() < 0.5 else None

        def step(values, p):
            y = values[-1] @ (p(up).T if turned[0] else p(up)) + (p(b_up) if b_up else 0)
            y = ACTIVATIONS[act](y) @ (p(down).T if turned[1] else p(down)) + (p(b_down) if b_down else 0)
            return values[-1] + y if residual else y

        inner = f"dot<Embed>({x}, {up}){f' + {b_up}' if b_up else ''}"
        m.add(f"{f'{x} + ' if residual else ''}dot<Hidden>({act}({inner}), {down}){f' + {b_down}' if b_down else ''}",
              step)

    def gate(self, m, x, _):
        w = m.parameter("Embed")
        m.add(f"{x} * sigmoid({x} * {w})", lambda values, p: values[-1] * torch.sigmoid(values[-1] * p(w)))

    def attention(self, m, x, _):
        self.once = True  # gradients of gradients are not defined
        weights = [m.parameter("Embed", "Joined") for _ in range(3)]
        causal, residual = self.rng.random() < 0.6, self.rng.random() < 0.7

        def step(values, p):
            shape = (self.extent("Heads"), self.extent("Size"))
            q, k, v = [(values[-1] @ p(w)).unflatten(-1, shape).transpose(1, 2) for w in weights]
            y = F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(-2)
            return values[-1] + y if residual else y

        operands = ", ".join(f"split<Joined, Heads, Size>(dot<Embed>({x}, {w}))" for w in weights)
        name = "causal_attention<Time, Size>" if causal else "attention<Time, Time, Size>"
        m.add(f"{f'{x} + ' if residual else ''}merge<Embed, Heads, Size>({name}({operands}))", step)

    def shift(self, m, x, _):
        b = m.parameter("Embed")
        m.add(f"sin({x} + {b})", lambda values, p: torch.sin(values[-1] + p(b)))

    def residual(self, m, x, _):
        earlier = self.rng.randint(0, len(m.code))
        m.add(f"{x} * 0.7 + x{earlier}", lambda values, p: values[-1] * 0.7 + values[earlier])

    def softmax(self, m, x, _):
        axis, d = self.rng.choice([("Embed", 2), ("Time", 1)])
        m.add(f"{x} + softmax<{axis}>({x})", lambda values, p: values[-1] + values[-1].softmax(d))

    def centre(self, m, x, _):
        axes, d = self.rng.choice([("Embed", [2]), ("Time", [1]), ("N, Time", [0, 1]), ("Time, Embed", [1, 2])])
        name, f = self.rng.choice([("mean", torch.mean), ("max", torch.amax)])
        m.add(f"{x} - {name}<{axes}>({x}) * 0.5", lambda values, p: values[-1] - f(values[-1], d, keepdim=True) * 0.5)

    def arrange(self, m, x, _):
        m.add(f"arrange<N, Time, Embed>(arrange<Embed, Time, N>({x}) * 1.1)", lambda values, p: values[-1] * 1.1)

    def member(self, m, x, depth):
        inner, name, n = self.module(depth + 1), f"m{len(m.members)}", self.rng.randint(2, 3)
        kind = self.rng.choice(["plain", "checkpoint", "stack", "stack of checkpoints", "array"])
        layers = [name] if kind in ("plain", "checkpoint") else [f"{name}.{i}" for i in range(n)]
        m.members.append((name, {"plain": inner.name, "checkpoint": f"checkpoint<{inner.name}>",
                                 "stack": f"stack<{inner.name}, {n}>", "array": f"std::array<{inner.name}, {n}>",
                                 "stack of checkpoints": f"stack<checkpoint<{inner.name}>, {n}>"}[kind], inner, layers))

        def step(values, p):
            x = values[-1]
            for layer in layers:
                x = inner(x, lambda parameter, layer=layer: p(f"{layer}.{parameter}"))
            return x

        calls = "".join(f"{name}[{n - 1 - i}](" for i in range(n)) if kind == "array" else f"{name}("
        m.add(f"{calls}{x}{')' * calls.count('(')}", step)

    # The program

    def struct(self, m):
        return [f"struct {m.name} {{", *(f"parameter<{', '.join(axes)}> {name};" for name, axes in m.parameters),
                *(f"{type_} {name};" for name, type_, *_ in m.members), "constexpr auto operator()(auto x0) const {",
                *m.code, f"return x{len(m.code)};", "}", "};"]

    def top_layers(self):
        """The paths of the body's layers, with their dots."""
        return [f"h.{i}." for i in range(self.layers)] or ["h."]

    def shapes(self):
        """The shape of every parameter by name."""
        def of(m, prefix):
            for name, axes in m.parameters:
                yield prefix + name, [self.extent(a) for a in axes]
            for *_, inner, layers in m.members:
                for layer in layers:
                    yield from of(inner, f"{prefix}{layer}.")

        vocab, time, embed = (self.extent(a) for a in ("Vocab", "Time", "Embed"))
        return {"wte": [vocab, embed], "wpe": [time, embed], "head": [embed, vocab],
                **{name: shape for layer in self.top_layers() for name, shape in of(self.body, layer)}}

    def logits(self, x, p):
        y = p["wte"][x] if self.reads_tokens else x
        y = y + p["wpe"] if "wpe" in p else y
        for call in range(2 if self.twice else 1):
            y = y * 0.5 if call else y
            for layer in self.top_layers():
                y = self.body(y, lambda name, layer=layer: p[layer + name])
        return y @ (p["wte"].T if self.tied else p["head"])

    def finish(self):
        """The C++ source, and the function of the parameters' order that gives what it must print."""
        body = f"checkpoint<{self.body.name}>" if self.recomputed else self.body.name
        body = f"stack<{body}, {self.layers}>" if self.layers else body
        embedded = "lookup(wte, x)" if self.reads_tokens else "x"
        network = ["struct network {", *(["parameter<Vocab, Embed> wte;"] if self.reads_tokens else []),
                   *(["parameter<Time, Embed> wpe;"] if self.axes["Time"].static else []), f"{body} h;",
                   *([] if self.tied else ["parameter<Embed, Vocab> head;"]),
                   "constexpr auto operator()(auto x) const {",
                   f"auto y = h({embedded}{' + wpe' if self.axes['Time'].static else ''});",
                   f"return dot<Embed>({'h(y * 0.5)' if self.twice else 'y'}, {'wte' if self.tied else 'head'});",
                   "}", "};"]
        loss = ["struct objective {", "constexpr auto operator()(auto const& m, auto x, auto t) const {",
                "auto logits = m(x);",
                "auto loss = cross_entropy<Vocab>(logits, t)"
                f"{' + 0.1 * mean(logits * frozen(m)(x))' if self.frozen else ''};",
                *(["auto g = grad(loss, x);"] if self.penalised else []),
                f"return std::tuple{{loss{' + 0.1 * sum(g * g)' if self.penalised else ''}, logits}};", "}", "};"]
        grid = ("N", "Time")
        x_type = "tokens<N, Time>" if self.reads_tokens else "variable<N, Time, Embed>"
        run = ["void run(int threads) {",
               f"basic_program<{self.real}, program_mode::gradients, network, objective, {x_type}, tokens<N, Time>> "
               "step;",
               f"parameters<network, {self.real}> theta;", "int place = 0;",
               f"for (auto const& a : theta.arrays()) fill(std::span(static_cast<{self.real}*>(a.data), a.size()), "
               "0.3 * place++, 0.4);"]
        for before, full in (("", False), ("earlier_", True)):
            if self.reads_tokens:
                run += [self.tensor("std::int32_t", before + "x", grid, full),
                        f"fill_indices({before}x, 1, {self.extent('Vocab')});"]
            else:
                run += [self.tensor(self.real, before + "x", (*grid, "Embed"), full),
                        f"fill_with_nan({before}x);" if full else "fill(x, 0.5);"]
            run += [self.tensor("std::int32_t", before + "t", grid, full),
                    f"fill_indices({before}t, 2, {self.extent('Vocab')});"]
        run += ["auto earlier = theta;", "fill_with_nan(std::span(earlier.data(), earlier.size()));",
                "with_threads(threads, [&] {", "step.value_and_grad(earlier, earlier_x, earlier_t);",
                "const double loss = step.value_and_grad(theta, x, t);",
                'show("loss", std::array{loss});', 'show("logits", step.template result<1>());',
                *([] if self.reads_tokens else ['show("dx", step.template input_gradient<0>());']),
                "for (auto const& a : theta.arrays()) {",
                f"const auto first = static_cast<std::size_t>(static_cast<{self.real}*>(a.data) - theta.data());",
                "show(a.name.c_str(), step.gradients().subspan(first, a.size()));", "}", "});", "}"]
        source = [*self.declarations(), *(line for m in self.modules for line in self.struct(m)), *network, *loss, *run]
        return source, self.expected

    def expected(self, order):
        """{name: tensor}. Parameters are filled by their place in the block, which the program's output shows."""
        shapes = self.shapes()
        p = {name: self.numbers(shapes[name], 0.3 * place, 0.4).requires_grad_() for place, name in enumerate(order)}
        if self.reads_tokens:
            x = self.indices(("N", "Time"), 1, self.extent("Vocab"))
        else:
            x = self.numbers([self.extent(a) for a in ("N", "Time", "Embed")], 0.5).requires_grad_()
        targets = self.indices(("N", "Time"), 2, self.extent("Vocab"))
        logits = self.logits(x, p)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        if self.frozen:
            loss = loss + 0.1 * (logits * self.logits(x, {name: w.detach() for name, w in p.items()})).mean()
        if self.penalised:
            inner, = torch.autograd.grad(loss, x, create_graph=True)
            loss = loss + 0.1 * (inner * inner).sum()
        wanted = list(p.values()) + ([] if self.reads_tokens else [x])
        gradients = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
        return {"loss": loss, "logits": logits, **dict(zip([*p, "dx"], gradients))}
