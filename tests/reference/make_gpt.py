#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes gpt.json: five steps of AdamW on a tiny GPT-2, by PyTorch in double precision.

First weights and tokens follow formulas, so that only results are stored. Linear weights are [in, out].
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

VOCAB, TIME, EMBED, HIDDEN, HEADS, LAYERS, BATCH, STEPS = 9, 5, 8, 16, 2, 2, 3, 5


def shapes():
    yield "wte.weight", (VOCAB, EMBED)
    yield "wpe.weight", (TIME, EMBED)
    for i in range(LAYERS):
        yield f"h.{i}.ln_1.weight", (EMBED,)
        yield f"h.{i}.ln_1.bias", (EMBED,)
        yield f"h.{i}.attn.c_attn.weight", (EMBED, 3 * EMBED)
        yield f"h.{i}.attn.c_attn.bias", (3 * EMBED,)
        yield f"h.{i}.attn.c_proj.weight", (EMBED, EMBED)
        yield f"h.{i}.attn.c_proj.bias", (EMBED,)
        yield f"h.{i}.ln_2.weight", (EMBED,)
        yield f"h.{i}.ln_2.bias", (EMBED,)
        yield f"h.{i}.mlp.c_fc.weight", (EMBED, HIDDEN)
        yield f"h.{i}.mlp.c_fc.bias", (HIDDEN,)
        yield f"h.{i}.mlp.c_proj.weight", (HIDDEN, EMBED)
        yield f"h.{i}.mlp.c_proj.bias", (EMBED,)
    yield "ln_f.weight", (EMBED,)
    yield "ln_f.bias", (EMBED,)


def first_value(name, k):
    phase = sum(map(ord, name)) % 31
    centre = 1.0 if ".weight" in name and "ln_" in name else 0.0
    return centre + 0.3 * math.sin(1.7 * k + 0.9 * phase)


def token(step, row, place):
    return (step * 7 + row * 5 + place * place * 3 + place * (step + 2 * row)) % VOCAB


def forward(w, x):
    h = w["wte.weight"][x] + w["wpe.weight"]
    for i in range(LAYERS):
        p = f"h.{i}."
        norm = lambda n, v: F.layer_norm(v, (EMBED,), w[p + n + ".weight"], w[p + n + ".bias"], 1e-5)
        affine = lambda n, v: v @ w[p + n + ".weight"] + w[p + n + ".bias"]
        heads = lambda v: v.view(BATCH, TIME, HEADS, EMBED // HEADS).transpose(1, 2)
        q, k, v = map(heads, affine("attn.c_attn", norm("ln_1", h)).split(EMBED, dim=2))
        scores = q @ k.transpose(2, 3) / math.sqrt(EMBED // HEADS)
        scores = scores.masked_fill(torch.ones(TIME, TIME).triu(1).bool(), -math.inf)
        mixed = (scores.softmax(3) @ v).transpose(1, 2).reshape(BATCH, TIME, EMBED)
        h = h + affine("attn.c_proj", mixed)
        u = affine("mlp.c_fc", norm("ln_2", h))
        u = 0.5 * u * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
        h = h + affine("mlp.c_proj", u)
    h = F.layer_norm(h, (EMBED,), w["ln_f.weight"], w["ln_f.bias"], 1e-5)
    return h @ w["wte.weight"].T


def main():
    w = {}
    for name, shape in shapes():
        flat = [first_value(name, k) for k in range(math.prod(shape))]
        w[name] = torch.tensor(flat, dtype=torch.float64).reshape(shape).requires_grad_()
    decays = lambda n: n.endswith(".weight") and "ln_" not in n
    optimizer = torch.optim.AdamW(
        [
            {"params": [v for n, v in w.items() if decays(n)], "weight_decay": 0.1},
            {"params": [v for n, v in w.items() if not decays(n)], "weight_decay": 0.0},
        ],
        lr=0.01, betas=(0.9, 0.95), eps=1e-8,
    )
    losses, norms = [], []
    for step in range(STEPS):
        tokens = torch.tensor([[token(step, r, t) for t in range(TIME + 1)] for r in range(BATCH)])
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(w, tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(list(w.values()), 1.0).item())
        optimizer.step()
        losses.append(loss.item())
    digits = lambda v: [float(f"{x:.7g}") for x in v]
    result = {"losses": digits(losses), "norms": digits(norms)}
    result["weights"] = {n: digits(v.detach().flatten().tolist()) for n, v in w.items()}
    path = Path(__file__).with_name("gpt.json")
    path.write_text(json.dumps(result, separators=(",", ":")).replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
