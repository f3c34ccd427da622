#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The steps of benchmarks/steps in PyTorch: pre-normalised GPT, biases, GELU by tanh, tied head, AdamW.

gpt_torch.py <a|b|c> <threads> <steps> [bfloat16]
    prints one JSON object: the seconds of every step after two to warm up; bfloat16: under torch.autocast
"""
import json
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

SIZES = {  # batch, time, layers, heads, width, classes: benchmarks/steps/gpt.hpp
    "a": (12, 64, 4, 4, 128, 65),
    "b": (16, 256, 6, 6, 384, 65),
    "c": (4, 64, 12, 12, 768, 50257),
}


class Block(nn.Module):
    def __init__(self, heads, width, time_axis):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.c_fc, self.out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("hidden", torch.triu(torch.ones(time_axis, time_axis, dtype=torch.bool), 1))

    def attention(self, x):
        b, t, c = x.shape
        q, k, v = (z.view(b, t, self.heads, c // self.heads).transpose(1, 2) for z in self.c_attn(x).split(c, 2))
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) / math.sqrt(c // self.heads)
            y = scores.masked_fill(self.hidden, float("-inf")).softmax(-1) @ v
        return self.c_proj(y.transpose(1, 2).reshape(b, t, c))

    def forward(self, x):
        x = x + self.attention(self.ln_1(x))
        return x + self.out(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, layers, heads, width, classes, time_axis):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(classes, width), nn.Embedding(time_axis, width)
        self.h = nn.Sequential(*(Block(heads, width, time_axis) for _ in range(layers)))
        self.ln_f = nn.LayerNorm(width)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe.weight
        return self.ln_f(self.h(x)) @ self.wte.weight.T


def main():
    name, threads, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    mixed = sys.argv[4:] == ["bfloat16"]
    batch, time_axis, layers, heads, width, classes = SIZES[name]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = GPT(layers, heads, width, classes, time_axis)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    x = torch.randint(0, classes, (batch, time_axis))
    y = torch.randint(0, classes, (batch, time_axis))
    seconds = []
    for i in range(steps + 2):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = F.cross_entropy(model(x).view(-1, classes), y.view(-1))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if i >= 2:
            seconds.append(time.perf_counter() - start)
    print(json.dumps({"name": f"step/{name}", "threads": threads, "tokens": batch * time_axis, "seconds": seconds,
                      "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                      "torch": torch.__version__}))


if __name__ == "__main__":
    main()
