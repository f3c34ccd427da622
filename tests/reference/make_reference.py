#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes reference.json: inputs, results and gradients of the operations, computed by PyTorch in double precision.

Usage: python3 make_reference.py > reference.json        (PyTorch 1.13 or later)

Inputs are rounded to single precision, so that a float program gets exactly the same ones. Every group holds
  "in":   name -> [shape, values]            operands and the cotangents `d`
  "out":  operation -> {"y": values, "d<operand>": gradient of sum(y * d) by that operand}
"""
import json
import math

import torch
import torch.nn.functional as F

torch.manual_seed(20)
torch.set_default_dtype(torch.float64)


def number(v):
    return float("%.12g" % v) if isinstance(v, float) else v


def values(t):
    return [number(v) for v in t.detach().reshape(-1).tolist()]


def single(t):
    return t.float().double()


def uniform(*shape, low=-1.0, high=1.0):
    return single(low + (high - low) * torch.rand(*shape))


groups = {}


def group(name, inputs, operations):
    """operations: name -> (function of the inputs, name of the cotangent, operands that gradients are wanted for)"""
    out = {}
    for op, (f, cotangent, wanted) in operations.items():
        live = {k: (v.clone().requires_grad_(k in wanted)) for k, v in inputs.items()}
        y = f(live)
        d = live[cotangent] if cotangent else torch.ones_like(y)
        entry = {"y": values(y)}
        if wanted:
            (y * d).sum().backward()
            for k in wanted:
                g = live[k].grad
                entry["d" + k] = values(torch.zeros_like(live[k]) if g is None else g)
        out[op] = entry
    groups[name] = {
        "in": {k: [list(v.shape), values(v)] for k, v in inputs.items()},
        "out": out,
    }


def unary(f, wanted=("x",)):
    return (lambda i: f(i["x"]), "d", wanted)


def softplus(x):
    return torch.logaddexp(torch.zeros_like(x), x)


# --- element by element -----------------------------------------------------------------------------------------
group(
    "unary",
    {"x": torch.cat([uniform(20, low=-8, high=8), single(torch.tensor([0.0, 1e-6, -1e-6, 3.0]))]), "d": uniform(24)},
    {
        "exp": unary(torch.exp), "expm1": unary(torch.expm1), "sin": unary(torch.sin), "cos": unary(torch.cos),
        "negate": unary(torch.neg), "abs": unary(torch.abs), "sign": unary(torch.sign),
        "clamp": unary(lambda x: x.clamp(-2.0, 3.0)), "divide": unary(lambda x: x / 3.0),
    },
)
group(
    "activations",
    {
        "x": torch.cat([uniform(24, low=-6, high=6), torch.tensor([0.0, 20, -20, 100, -100, 1e4, -1e4, 1e-5])]),
        "d": uniform(32),
    },
    {
        "gelu": unary(lambda x: F.gelu(x, approximate="tanh")), "gelu_erf": unary(F.gelu), "relu": unary(F.relu),
        "silu": unary(F.silu), "sigmoid": unary(torch.sigmoid), "tanh": unary(torch.tanh),
        "log_sigmoid": unary(lambda x: -softplus(-x)), "softplus": unary(softplus), "erf": unary(torch.erf),
    },
)
group(
    "positive",
    {"x": torch.cat([uniform(18, low=0.01, high=4), single(torch.tensor([1e-6, 1e-3, 1.0, 1e4, 1e6, 2.0]))]), "d": uniform(24)},
    {
        "log": unary(torch.log), "log1p": unary(torch.log1p), "sqrt": unary(torch.sqrt), "rsqrt": unary(torch.rsqrt),
        "pow": unary(lambda x: x ** 1.5), "reciprocal": unary(lambda x: 1 / x),
    },
)


def pair(f, wanted=("x", "y")):
    return (lambda i: f(i["x"], i["y"]), "d", wanted)


pair_inputs = {"x": uniform(3, 5, low=0.5, high=2), "y": uniform(5, low=0.5, high=2), "d": uniform(3, 5)}
pair_inputs["x"][1, 2] = pair_inputs["y"][2]  # a tie
group(
    "pairs",
    pair_inputs,
    {
        "add": pair(lambda x, y: x + y), "subtract": pair(lambda x, y: x - y), "multiply": pair(lambda x, y: x * y),
        "divide": pair(lambda x, y: x / y), "pow": pair(torch.pow), "maximum": pair(torch.maximum),
        "minimum": pair(torch.minimum), "where": pair(lambda x, y: torch.where(x < y, x * y, y - x)),
        "mask": pair(lambda x, y: (x >= y).double() + 2 * (x == y).double() + 4 * (x != y).double(), ()),
    },
)

# --- reductions: x [A 3, B 4, C 5] ------------------------------------------------------------------------------
x = uniform(3, 4, 5, low=-2, high=2)
x[1, 2, :] = x[1, 2, 0]  # equal extrema
group(
    "reductions",
    {"x": x, "db": uniform(4), "dac": uniform(3, 5), "d": single(torch.tensor(0.7))},
    {
        "sum": (lambda i: i["x"].sum(), "d", ("x",)),
        "sum_ac": (lambda i: i["x"].sum((0, 2)), "db", ("x",)),
        "mean_b": (lambda i: i["x"].mean(1), "dac", ("x",)),
        "variance_ac": (lambda i: i["x"].var((0, 2), unbiased=False), "db", ("x",)),
        "norm_b": (lambda i: i["x"].norm(dim=1), "dac", ("x",)),
        "max_ac": (lambda i: i["x"].amax((0, 2)), "db", ("x",)),
        "min_b": (lambda i: i["x"].amin(1), "dac", ("x",)),
        "logsumexp_ac": (lambda i: i["x"].logsumexp((0, 2)), "db", ("x",)),
        "argmax_b": (lambda i: i["x"].argmax(1).double(), "dac", ()),
    },
)


# --- rows: x [A 4, V 9] -----------------------------------------------------------------------------------------
rows = uniform(4, 9, low=-3, high=3)
rows[1] = single(torch.tensor([1e4, -1e4, 0, 500, 1, 2, 3, 4, 9.999e3]))
rows[2] = 88.0 + uniform(9)
group(
    "softmaxes",
    {"x": rows, "d": uniform(4, 9), "da": uniform(4)},
    {
        "softmax": (lambda i: F.softmax(i["x"], 1), "d", ("x",)),
        "log_softmax": (lambda i: F.log_softmax(i["x"], 1), "d", ("x",)),
        "softmax_outer": (lambda i: F.softmax(i["x"], 0), "d", ("x",)),
        "logsumexp": (lambda i: i["x"].logsumexp(1), "da", ("x",)),
    },
)


def masked_softmax(x, length):
    """A row without anything to see gives zeros."""
    m = x.masked_fill(torch.arange(x.shape[1]) >= length[:, None], -math.inf)
    return torch.where(length[:, None] > 0, F.softmax(m, 1), torch.zeros_like(m))


def rms(x, w, eps=1e-5):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * w


group(
    "norms",
    {"x": uniform(4, 6, low=-2, high=2) + 3, "w": uniform(6), "b": uniform(6), "d": uniform(4, 6)},
    {
        "layer_norm": (lambda i: F.layer_norm(i["x"], (6,), i["w"], i["b"]), "d", ("x", "w", "b")),
        "layer_norm_plain": (lambda i: F.layer_norm(i["x"], (6,)), "d", ("x",)),
        "rms_norm": (lambda i: rms(i["x"], i["w"]), "d", ("x", "w")),
        "rms_norm_plain": (lambda i: rms(i["x"], 1.0), "d", ("x",)),
    },
)

# --- cross-entropy: logits [N 6, V 9] ---------------------------------------------------------------------------
logits = uniform(6, 9, low=-3, high=3)
logits[2] = single(torch.tensor([1e4, -1e4, 500, 0, 0, 0, 0, 0, 0]))
kept = torch.tensor([0, 8, 1, 3, 5, 2])
some = torch.tensor([0, -100, 1, 3, -100, 2])


def entropy(targets, **options):
    return lambda i: F.cross_entropy(i["x"], targets, **options)


group(
    "cross_entropy",
    {"x": logits, "kept": kept.double(), "some": some.double(), "d": uniform(6), "one": torch.tensor(1.0)},
    {
        "mean": (entropy(kept), "one", ("x",)),
        "ignored": (entropy(some), "one", ("x",)),
        "sum": (entropy(some, reduction="sum"), "one", ("x",)),
        "smoothed": (entropy(some, label_smoothing=0.1), "one", ("x",)),
        "rows": (entropy(some, reduction="none"), "d", ("x",)),
        "classes": (
            lambda i: F.cross_entropy(i["x"][:, :7], torch.tensor([0, 6, 1, 3, 5, 2]), label_smoothing=0.1),
            "one",
            ("x",),
        ),
    },
)

# --- contractions -----------------------------------------------------------------------------------------------
group(
    "contractions",
    {"x": uniform(2, 3, 5), "w": uniform(4, 5), "b": uniform(2, 5, 3), "dw": uniform(2, 3, 4), "db": uniform(2, 3), "ds": uniform(4, 2)},
    {
        "dot": (lambda i: i["x"] @ i["w"].T, "dw", ("x", "w")),
        "batched": (lambda i: torch.einsum("atk,akt->at", i["x"], i["b"]), "db", ("x", "b")),
        "einsum": (lambda i: torch.einsum("atk,vk,akt->va", i["x"], i["w"], i["b"]), "ds", ("x", "w", "b")),
    },
)

# --- attention: q, k, v [B 2, T 5 or K 4, H 2, D 3] -------------------------------------------------------------


def attention(q, k, v, allowed=None):
    s = torch.einsum("bthd,bkhd->bhtk", q, k) / math.sqrt(q.shape[-1])
    if allowed is None:
        p = F.softmax(s, -1)
    else:
        p = F.softmax(s.masked_fill(~allowed, -math.inf), -1)
        p = torch.where(allowed.any(-1, keepdim=True).expand_as(p), p, torch.zeros_like(p))
        p = torch.nan_to_num(p)
    return torch.einsum("bhtk,bkhd->bthd", p, v)


causal = torch.ones(5, 5, dtype=torch.bool).tril()
lengths = torch.tensor([3, 1])
seen = (torch.arange(4) < lengths[:, None])[:, None, None, :].expand(2, 2, 5, 4)
group(
    "attention",
    {
        "q": uniform(2, 5, 2, 3, low=-3, high=3), "k": uniform(2, 5, 2, 3, low=-3, high=3), "v": uniform(2, 5, 2, 3),
        "m": uniform(2, 4, 2, 3, low=-3, high=3), "n": uniform(2, 4, 2, 3), "lengths": lengths.double(),
        "x": uniform(2, 5, 3, 2, 3, low=-2, high=2), "d": uniform(2, 5, 2, 3),
    },
    {
        "causal": (lambda i: attention(i["q"], i["k"], i["v"], causal), "d", ("q", "k", "v")),
        "packed": (lambda i: attention(i["x"][:, :, 0], i["x"][:, :, 1], i["x"][:, :, 2], causal), "d", ("x",)),
        "self": (lambda i: attention(i["q"], i["k"], i["v"]), "d", ("q", "k", "v")),
        "cross": (lambda i: attention(i["q"], i["m"], i["n"]), "d", ("q", "m", "n")),
        "padded": (lambda i: attention(i["q"], i["m"], i["n"], seen), "d", ("q", "m", "n")),
    },
)

# --- rearranging and indexing: x [A 3, B 6], table [V 5, B 6] ---------------------------------------------------
index = torch.tensor([[4, 0], [2, 2], [4, 1]])
along = torch.tensor([5, 0, 3])
group(
    "indexing",
    {
        "x": uniform(3, 6), "table": uniform(5, 6), "index": index.double(), "along": along.double(),
        "d": uniform(3, 2, 6), "da": uniform(3), "dp": uniform(3, 10), "dc": uniform(3, 8), "dv": uniform(3, 2, 5),
    },
    {
        "lookup": (lambda i: i["table"][index], "d", ("table",)),
        "gather": (lambda i: i["x"].gather(1, along[:, None])[:, 0], "da", ("x",)),
        "one_hot": (lambda i: F.one_hot(index, 5).double(), "dv", ()),
        "pad": (lambda i: F.pad(i["x"], (2, 2), value=1.5), "dp", ("x",)),
        "concat": (lambda i: torch.cat([i["x"][:, 1:3], i["x"]], 1), "dc", ("x",)),
        "select": (lambda i: i["x"][:, 4], "da", ("x",)),
        "cast": (lambda i: (3 * i["x"]).trunc(), "d", ()),
    },
)

mask_rows = uniform(3, 6, low=-2, high=2)
mask_lengths = torch.tensor([6, 2, 0])
group(
    "masked",
    {"x": mask_rows, "lengths": mask_lengths.double(), "d": uniform(3, 6)},
    {"softmax": (lambda i: masked_softmax(i["x"], mask_lengths), None, ())},
)

print(json.dumps(groups, separators=(",", ":")))
