# SPDX-License-Identifier: MIT
"""Random functions of tensors: a few operations on values made before, a scalar of some of them, and its gradients; of
half of those in double also the gradient of the gradient's square."""
import math

import torch
import torch.nn.functional as F

from world import Value, World

UNARY = [
    ("-{0}", torch.neg), ("tanh({0})", torch.tanh), ("sigmoid({0})", torch.sigmoid), ("sin({0})", torch.sin),
    ("cos({0})", torch.cos), ("abs({0})", torch.abs), ("erf({0})", torch.erf), ("relu({0})", torch.relu),
    ("silu({0})", F.silu), ("gelu({0})", lambda x: F.gelu(x, approximate="tanh")), ("gelu_erf({0})", F.gelu),
    ("softplus({0})", F.softplus), ("log_sigmoid({0})", F.logsigmoid),
    ("exp(-abs({0}))", lambda x: torch.exp(-x.abs())), ("expm1(tanh({0}))", lambda x: torch.expm1(torch.tanh(x))),
    ("sqrt({0} * {0} + 0.5)", lambda x: torch.sqrt(x * x + 0.5)),
    ("rsqrt({0} * {0} + 0.25)", lambda x: torch.rsqrt(x * x + 0.25)),
    ("log({0} * {0} + 0.5)", lambda x: torch.log(x * x + 0.5)), ("log1p({0} * {0})", lambda x: torch.log1p(x * x)),
    ("pow({0} * {0} + 0.3, 1.7)", lambda x: (x * x + 0.3)**1.7), ("1.5 - {0} / 3", lambda x: 1.5 - x / 3),
    ("2 / ({0} * {0} + 1)", lambda x: 2 / (x * x + 1)), ("clamp({0}, -0.6, 0.8)", lambda x: torch.clamp(x, -0.6, 0.8)),
    ("stop_gradient({0}) * 0.5 + {0}", lambda x: x.detach() * 0.5 + x),
]
BINARY = [
    ("{0} + {1}", torch.add), ("{0} - {1}", torch.sub), ("{0} * {1}", torch.mul),
    ("{0} * 0.3 + {1}", lambda x, y: x * 0.3 + y), ("{0} / ({1} * {1} + 1)", lambda x, y: x / (y * y + 1)),
    ("maximum({0}, {1} * 0.9)", lambda x, y: torch.maximum(x, y * 0.9)),
    ("minimum({0}, {1} + 0.1)", lambda x, y: torch.minimum(x, y + 0.1)),
    ("pow({0} * {0} + 0.5, tanh({1}))", lambda x, y: (x * x + 0.5)**torch.tanh(y)),
    ("where(greater({0}, {1} * 0.5), {0}, {1})", lambda x, y: torch.where(x > y * 0.5, x, y)),
]
REDUCTIONS = [
    ("sum<{1}>({0}) * 0.2", lambda x, d: x.sum(d) * 0.2), ("mean<{1}>({0})", lambda x, d: x.mean(d)),
    ("max<{1}>({0})", lambda x, d: x.amax(d)), ("min<{1}>({0})", lambda x, d: x.amin(d)),
    ("variance<{1}>({0})", lambda x, d: x.var(d, correction=0)), ("logsumexp<{1}>({0})", lambda x, d: x.logsumexp(d)),
    ("norm<{1}>({0} * {0} + 0.1)", lambda x, d: torch.linalg.vector_norm(x * x + 0.1, dim=d)),
]

# A scalar that every element enters with a coefficient of its own, and squared: no permutation goes unnoticed.
PROJECTION = """\
template <class... A, std::size_t... I>
constexpr auto phase(auto y, axes<A...>, std::index_sequence<I...>) {
    return ((positions<A>(y) * (0.4 + 0.37 * static_cast<double>(I))) + ... + 0.5);
}
template <dtype T, class... A>
constexpr auto project(symbol<T, axes<A...>> y) {
    if constexpr (sizeof...(A) == 0) return y * (0.7 + 0.3 * y);
    else return mean(y * (sin(phase(y, axes<A...>{}, std::index_sequence_for<A...>{})) + 0.3 * y));
}
"""


def project(value):
    x = value.data
    if not value.axes:
        return x * (0.7 + 0.3 * x)
    phase = torch.tensor(0.5)
    for i, n in enumerate(x.shape):
        phase = phase + (torch.arange(n).double() * (0.4 + 0.37 * i)).reshape([-1] + [1] * (x.dim() - 1 - i))
    return (x * (torch.sin(phase) + 0.3 * x)).mean()


class Functions(World):
    """A program's worth of one random function."""

    operations = (6, 14)
    options = True  # that only programs take: what `pad` fills with, those of `cross_entropy`, eps

    def __init__(self, rng):
        super().__init__(rng)
        self.large = rng.random() < 0.35
        sizes = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33] + ([48, 64, 65, 100, 128] if self.large else [])
        self.most = 40000 if self.large else 6000
        for name in "ABCDE":
            self.add(name, rng.choice(sizes))
        for name in "NM":
            self.add(name, rng.choice([3, 5, 6, 16]), static=False)
        for name in list(self.axes):  # twins, for `rename` and attention
            a = self.axes[name]
            self.add(name + "2", a.capacity, a.static, a.extent)
        self.lines, self.values, self.inputs, self.tokens, self.once = [], [], [], [], False
        for k in range(rng.randint(2, 3)):
            axes = ["A"]
            for _ in range(50):
                chosen = rng.sample("ABCDENM", rng.randint(1, 4))
                if self.capacity(chosen) <= self.most:
                    axes = chosen
                    break
            data = self.numbers([self.extent(a) for a in axes], 0.7 * k).requires_grad_()
            self.inputs.append(Value(f"x{k}", tuple(axes), data))
        self.values = list(self.inputs)
        for _ in range(rng.randint(*self.operations)):
            self.add_one()

    # What may be added

    def emit(self, code, axes, data):
        name = f"v{len(self.lines)}"
        self.lines.append(f"[[maybe_unused]] const auto {name} = {code};")
        self.values.append(Value(name, tuple(axes), data))

    def index(self, axes, limit):
        self.tokens.append((tuple(axes), limit))
        return f"t{len(self.tokens) - 1}", self.indices(axes, len(self.tokens) - 1, limit)

    def pick(self):
        """A value, later ones more often."""
        return self.rng.choices(self.values, [1 + 2 * (i >= len(self.values) - 3) for i in range(len(self.values))])[0]

    def add_one(self):
        kinds = {self.unary: 6, self.binary: 7, self.reduction: 3, self.softmax: 1, self.norm: 2, self.dot: 3,
                 self.einsum: 1, self.rearranged: 5, self.gathered: 2, self.attention: 1, self.cross_entropy: 1,
                 self.rotary: 1}
        x = self.pick()
        self.rng.choices(list(kinds), list(kinds.values()))[0](x)

    def some(self, axes, most=None):
        return self.rng.sample(axes, self.rng.randint(1, min(most or len(axes), len(axes))))

    def unary(self, x):
        code, f = self.rng.choice(UNARY)
        self.emit(code.format(x.code), x.axes, f(x.data))

    def binary(self, x):
        code, f = self.rng.choice(BINARY)
        for y in (self.pick() for _ in range(20)):
            few, many = (x, y) if set(x.axes) < set(y.axes) else (y, x)
            axes = many.axes + tuple(a for a in few.axes if a not in many.axes)
            if self.capacity(axes) <= self.most and len(axes) <= 6:
                shape = [self.extent(a) for a in axes]
                return self.emit(code.format(x.code, y.code), axes,
                                 f(x.along(axes).expand(shape), y.along(axes).expand(shape)))

    def reduction(self, x):
        if x.axes:
            over = self.some(x.axes)
            code, f = self.rng.choice(REDUCTIONS)
            self.emit(code.format(x.code, ", ".join(over)), [a for a in x.axes if a not in over],
                      f(x.data, x.places(over)))

    def softmax(self, x):
        if x.axes:
            over = self.some(x.axes, 2)
            y = x.data - x.data.logsumexp(x.places(over), keepdim=True)
            name, y = self.rng.choice([("log_softmax", y), ("softmax", y.exp())])
            self.emit(f"{name}<{', '.join(over)}>({x.code})", x.axes, y)

    def norm(self, x):
        if not x.axes:
            return
        over, centred = self.some(x.axes, 2), self.rng.random() < 0.5
        if math.prod(self.extent(a) for a in over) < 3:
            return  # nearly constant: the result is all rounding
        d = x.places(over)
        y = x.data - x.data.mean(d, keepdim=True) if centred else x.data
        weights = [v for v in self.values if set(v.axes) == set(over)] if self.rng.random() < 0.7 else []
        eps = 0.1 if weights and self.options and self.rng.random() < 0.3 else 1e-5
        y = y / torch.sqrt((y * y).mean(d, keepdim=True) + eps)
        arguments = [x.code]
        if weights:
            w, b = self.rng.choice(weights), self.rng.choice(weights)
            y = y * w.along(x.axes) + (b.along(x.axes) if centred else 0)
            arguments += [w.code, *([b.code] if centred else []), *(["0.1"] if eps == 0.1 else [])]
        self.emit(f"{'layer' if centred else 'rms'}_norm<{', '.join(over)}>({', '.join(arguments)})", x.axes, y)

    def dot(self, x):
        for y in (self.pick() for _ in range(30)):
            shared = [a for a in x.axes if a in y.axes]
            if not shared:
                continue
            over = self.some(shared)
            axes = [a for a in x.axes if a not in over] + [a for a in y.axes if a not in x.axes]
            if self.capacity(axes) <= self.most and len(axes) <= 6:
                letter = {a: chr(97 + i) for i, a in enumerate(dict.fromkeys(x.axes + y.axes))}
                spelled = [''.join(letter[a] for a in list_) for list_ in (x.axes, y.axes, axes)]
                scale = round(1 / math.sqrt(self.capacity(over)), 6)
                return self.emit(f"dot<{', '.join(over)}>({x.code}, {y.code}) * {scale}", axes,
                                 torch.einsum(f"{spelled[0]},{spelled[1]}->{spelled[2]}", x.data, y.data) * scale)

    def rearranged(self, x):
        if x.axes:
            self.rng.choice([self.rename, self.arrange, self.split, self.select, self.slice, self.pad, self.concat])(x)

    def twin(self, a):
        return a[:-1] if a.endswith("2") else a + "2"

    def rename(self, x):
        a = self.rng.choice(x.axes)
        b = self.twin(a)
        if b in self.axes and b not in x.axes:
            self.emit(f"rename<{a}, {b}>({x.code})", [b if c == a else c for c in x.axes], x.data)

    def arrange(self, x):
        axes = self.rng.sample(x.axes, len(x.axes))
        self.emit(f"arrange<{', '.join(axes)}>({x.code})", axes, x.data.permute(x.places(axes)))

    def static_axis(self, x):
        axes = self.static(x.axes)
        return self.rng.choice(axes) if axes else None

    def split(self, x):
        a = self.static_axis(x)
        factors = [d for d in range(2, self.extent(a)) if self.extent(a) % d == 0] if a else []
        if not factors:
            return
        n, at = self.rng.choice(factors), x.axes.index(a)
        outer, inner = self.new(n), self.new(self.extent(a) // n)
        axes = x.axes[:at] + (outer, inner) + x.axes[at + 1:]
        self.emit(f"split<{a}, {outer}, {inner}>({x.code})", axes, x.data.unflatten(at, (n, self.extent(a) // n)))
        if self.rng.random() < 0.5:  # and together again in the other order: a copy
            y, merged = self.values[-1], self.new(self.extent(a))
            axes = x.axes[:at] + (merged,) + x.axes[at + 1:]
            self.emit(f"arrange<{', '.join(axes)}>(merge<{merged}, {inner}, {outer}>(tanh({y.code})))", axes,
                      torch.tanh(y.data).transpose(at, at + 1).flatten(at, at + 1))

    def select(self, x):
        if a := self.static_axis(x):
            at, i = x.axes.index(a), self.rng.randrange(self.extent(a))
            self.emit(f"select<{a}, {i}>({x.code})", x.axes[:at] + x.axes[at + 1:], x.data.select(at, i))

    def slice(self, x):
        if a := self.static_axis(x):
            at, n = x.axes.index(a), self.rng.randint(1, self.extent(a))
            start, b = self.rng.randint(0, self.extent(a) - n), self.new(n)
            self.emit(f"slice<{a}, {b}, {start}>({x.code})", x.axes[:at] + (b,) + x.axes[at + 1:],
                      x.data.narrow(at, start, n))

    def pad(self, x):
        if a := self.static_axis(x):
            at, before, after = x.axes.index(a), self.rng.randint(0, 3), self.rng.randint(0, 3)
            b, fill = self.new(before + self.extent(a) + after), self.rng.choice([0, 0.5] if self.options else [0])
            y = F.pad(x.data.movedim(at, -1), (before, after), value=fill).movedim(-1, at)
            self.emit(f"pad<{a}, {b}, {before}>({x.code}{f', {fill}' if fill else ''})",
                      x.axes[:at] + (b,) + x.axes[at + 1:], y)

    def concat(self, x):
        a = self.static_axis(x)
        if not a:
            return
        others = set(x.axes) - {a}
        fitting = [y for y in self.values if others <= set(y.axes) and len(y.axes) == len(x.axes) and
                   len(self.static(set(y.axes) - others)) == 1]
        y = self.rng.choice(fitting)
        b = next(c for c in y.axes if c not in others)
        at, both = x.axes.index(a), self.new(self.extent(a) + self.extent(b))
        axes = x.axes[:at] + (both,) + x.axes[at + 1:]
        of_y = y.data.permute(y.places([b if c == a else c for c in x.axes]))
        self.emit(f"arrange<{', '.join(axes)}>(concat<{both}, {a}, {b}>({x.code}, {y.code}))", axes,
                  torch.cat([x.data, of_y], at))

    def gathered(self, x):
        if not x.axes:
            return
        if self.rng.random() < 0.5 and self.axes[x.axes[0]].static:
            axes = self.rng.sample([a for a in "ABCDENM" if a not in x.axes], 1)
            if self.capacity(axes + list(x.axes[1:])) <= self.most:
                name, index = self.index(axes, self.extent(x.axes[0]))
                self.emit(f"lookup({x.code}, {name})", axes + list(x.axes[1:]), x.data[index])
        elif (a := self.static_axis(x)) and len(x.axes) > 1:
            rest = tuple(b for b in x.axes if b != a)
            name, index = self.index(self.some(rest), self.extent(a))
            index = Value(name, self.tokens[-1][0], index).along(rest).expand([self.extent(b) for b in rest])
            y = torch.gather(x.data.movedim(x.axes.index(a), -1), -1, index.unsqueeze(-1)).squeeze(-1)
            self.emit(f"arrange<{', '.join(rest)}>(gather<{a}>({x.code}, {name}))", rest, y)

    def attention(self, x):
        size = self.static_axis(x)
        if not size or len(x.axes) < 2:
            return
        time = self.rng.choice([a for a in x.axes if a != size])
        kind, keys = self.rng.choice(["causal", "self", "cross"]), time
        if kind == "cross" and self.twin(time) in self.axes and self.twin(time) not in x.axes:
            keys = self.twin(time)
        fitting = [v for v in self.values if set(v.axes) == set(keys if a == time else a for a in x.axes)]
        if not fitting:
            return
        k, v = self.rng.choice(fitting), self.rng.choice(fitting)
        heads = [a for a in x.axes if a not in (time, size)]
        scores = x.along(heads + [time, size]) @ k.along(heads + [keys, size]).mT / math.sqrt(self.extent(size))
        if kind == "causal":
            hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(hidden, -math.inf)
        y = Value("", tuple(heads + [time, size]), scores.softmax(-1) @ v.along(heads + [keys, size])).along(x.axes)
        name = f"causal_attention<{time}, {size}>" if kind == "causal" else f"attention<{time}, {keys}, {size}>"
        self.once = True  # gradients of gradients are not defined
        self.emit(f"{name}({x.code}, {k.code}, {v.code})", x.axes, y)

    def cross_entropy(self, x):
        a = self.static_axis(x)
        if not a or len(x.axes) < 2:
            return
        rows = tuple(b for b in x.axes if b != a)
        logits, options, classes = x.data.movedim(x.axes.index(a), -1), {}, self.extent(a)
        kind = self.rng.choice(["rows", "mean", "sum"] if self.options else ["rows", "mean"])
        if self.options and self.rng.random() < 0.5:
            classes = self.rng.randint(1, classes)  # the others are padding
        name, index = self.index(rows, classes)
        if self.options and self.rng.random() < 0.5:
            options["ignore_index"] = self.rng.randrange(2)
        if self.options and self.rng.random() < 0.5:
            options["label_smoothing"] = 0.1
        if kind == "mean" and (index == options.get("ignore_index", -100)).all():
            kind = "sum"  # the mean of none is NaN
        y = F.cross_entropy(logits[..., :classes].flatten(0, -2), index.flatten(),
                            reduction="none" if kind == "rows" else kind, **options)
        spelled = [f".{option} = {value}" for option, value in options.items()]
        spelled += [".reduce = reduction::sum"] * (kind == "sum")
        spelled += [f".classes = {classes}"] * (classes < self.extent(a))
        argument = f", cross_entropy_options{{{', '.join(spelled)}}}" if spelled else ""
        self.emit(f"cross_entropy{'_rows' if kind == 'rows' else ''}<{a}>({x.code}, {name}{argument})",
                  rows if kind == "rows" else (), y.reshape(index.shape) if kind == "rows" else y)

    def einsum(self, x):
        y, z = self.pick(), self.pick()
        every = tuple(dict.fromkeys(x.axes + y.axes + z.axes))
        axes = self.rng.sample(every, self.rng.randint(0, min(3, len(every))))
        if self.capacity(axes) > self.most or self.capacity(every) > 100 * self.most:
            return
        letter = {a: chr(97 + i) for i, a in enumerate(every)}
        spelled = ["".join(letter[a] for a in list_) for list_ in (x.axes, y.axes, z.axes, axes)]
        scale = round(1 / math.sqrt(self.capacity(a for a in every if a not in axes)), 6)
        self.emit(f"einsum<axes<{', '.join(axes)}>>({x.code}, {y.code}, {z.code}) * {scale}", axes,
                  torch.einsum("{},{},{}->{}".format(*spelled), x.data, y.data, z.data) * scale)

    def rotary(self, x):
        even = [a for a in self.static(x.axes) if self.extent(a) % 2 == 0]
        if not even or len(x.axes) < 2:
            return
        a = self.rng.choice(even)
        others, at, n = [b for b in x.axes if b != a], x.axes.index(a), self.extent(a)
        name, index = self.index(self.some(others, 2), 23)
        angle = Value("", self.tokens[-1][0], index.double()).along(others).unsqueeze(-1)
        angle = angle * 10000.0**(-2 * torch.arange(n // 2).double() / n)
        moved, paired = x.data.movedim(at, -1), self.rng.random() < 0.5
        first, second = (moved[..., 0::2], moved[..., 1::2]) if paired else (moved[..., :n // 2], moved[..., n // 2:])
        turned = (first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin())
        y = torch.stack(turned, -1).flatten(-2) if paired else torch.cat(turned, -1)
        pairs = ", rotary_pairs::interleaved" if paired else ""
        self.emit(f"rotary<{a}{pairs}>({x.code}, {name})", x.axes, y.movedim(-1, at))

    # The program

    def tensors(self, before="", full=False):
        """The C++ that makes all inputs, `before` their names; if `full`, of NaN at the largest extents."""
        lines = []
        for k, x in enumerate(self.inputs):
            name = before + x.code
            lines += [self.tensor(self.real, name, x.axes, full),
                      f"fill_with_nan({name});" if full else f"fill({name}, {0.7 * k});"]
        for k, (axes, limit) in enumerate(self.tokens):
            name = f"{before}t{k}"
            lines += [self.tensor("std::int32_t", name, axes, full), f"fill_indices({name}, {k}, {limit});"]
        return lines

    def finish(self):
        """The C++ source, and what it must print: {name: tensor}."""
        made = self.values[len(self.inputs):] or self.inputs
        results = self.rng.sample(made, min(3, len(made)))
        loss = sum(project(v) for v in results) + 0.01 * sum(project(x) for x in self.inputs)
        code = " + ".join([f"project({v.code})" for v in results] + [f"project({x.code}) * 0.01" for x in self.inputs])
        names, data = [x.code for x in self.inputs], [x.data for x in self.inputs]
        body = self.lines + [f"const auto first = {code};"]
        total = "first"
        if self.real == "double" and not self.once and self.rng.random() < 0.5:
            inner = torch.autograd.grad(loss, data, create_graph=True)
            loss = loss + sum(0.1 * (g * g).sum() for g in inner)
            for x in names:
                body.append(f"const auto g_{x} = grad(first, {x});")
                total += f" + 0.1 * sum(g_{x} * g_{x})"
        gradients = torch.autograd.grad(loss, data)
        arguments = names + [f"t{k}" for k in range(len(self.tokens))]
        inputs = [f"variable<{', '.join(x.axes)}>" for x in self.inputs] + \
                 [f"tokens<{', '.join(axes)}>" for axes, _ in self.tokens]
        run = self.tensors() + self.tensors("earlier_", full=True)
        run += ["with_threads(threads, [&] {", f"step.value_and_grad({', '.join('earlier_' + a for a in arguments)});",
                f"const double loss = step.value_and_grad({', '.join(arguments)});",
                'show("loss", std::array{loss});']
        run += [f'show("{v.code}", step.template result<{k + 1}>());' for k, v in enumerate(results)]
        run += [f'show("d{x}", step.template input_gradient<{k}>());' for k, x in enumerate(names)] + ["});"]
        source = [PROJECTION, *self.declarations(), "struct function {",
                  f"constexpr auto operator()({', '.join('auto ' + a for a in arguments)}) const {{", *body,
                  f"return std::tuple{{{', '.join([total] + [v.code for v in results])}}};", "}", "};",
                  "void run(int threads) {",
                  f"basic_program<{self.real}, program_mode::gradients, models<>, function, {', '.join(inputs)}> step;",
                  *run, "}"]
        wanted = {"loss": loss, **{v.code: v.data for v in results}, **{"d" + x: g for x, g in zip(names, gradients)}}
        return source, wanted
