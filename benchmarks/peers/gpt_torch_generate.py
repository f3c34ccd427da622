#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The texts of benchmarks/generate in PyTorch: greedy, keys and values cached, one prompt of 8 tokens, 64 new ones.

gpt_torch_generate.py <b|c> <threads> <texts>      prints one JSON object: the seconds of every text after one to warm up
"""
import json
import sys
import time

import torch
from torch.nn import functional as F

SIZES = {"b": (6, 6, 384, 65, 256), "c": (12, 12, 768, 50257, 1024)}  # layers, heads, width, classes, context


class Layer:
    def __init__(self, width):
        draw = lambda *shape: torch.randn(*shape) * 0.02
        self.ln = [(torch.ones(width), torch.zeros(width)) for _ in range(2)]
        self.c_attn, self.c_proj = (draw(3 * width, width), draw(3 * width)), (draw(width, width), draw(width))
        self.c_fc, self.out = (draw(4 * width, width), draw(4 * width)), (draw(width, 4 * width), draw(width))


def main():
    name, threads, texts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    layers, heads, width, classes, context = SIZES[name]
    prompt, length = 8, 64
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    h = [Layer(width) for _ in range(layers)]
    wte, wpe = torch.randn(classes, width) * 0.02, torch.randn(context, width) * 0.02
    final = (torch.ones(width), torch.zeros(width))
    keys = torch.empty(layers, heads, prompt + length, width // heads)
    values = torch.empty_like(keys)
    norm = lambda x, w: F.layer_norm(x, (width,), *w)

    def step(ids, past):
        t = len(ids)
        x = wte[ids] + wpe[past:past + t]
        for i, layer in enumerate(h):
            q, k, v = (z.view(t, heads, -1).transpose(0, 1) for z in F.linear(norm(x, layer.ln[0]), *layer.c_attn).split(width, 1))
            keys[i, :, past:past + t], values[i, :, past:past + t] = k, v
            scores = q @ keys[i, :, :past + t].transpose(1, 2) * (width // heads) ** -0.5
            if t > 1:
                scores += torch.full((t, past + t), float("-inf")).triu(past + 1)
            y = (scores.softmax(-1) @ values[i, :, :past + t]).transpose(0, 1).reshape(t, width)
            x = x + F.linear(y, *layer.c_proj)
            x = x + F.linear(F.gelu(F.linear(norm(x, layer.ln[1]), *layer.c_fc), approximate="tanh"), *layer.out)
        return int((norm(x[-1], final) @ wte.T).argmax())

    seconds = []
    with torch.no_grad():
        for i in range(texts + 1):
            start = time.perf_counter()
            token, past = step([7] * prompt, 0), prompt
            for _ in range(length - 1):
                token, past = step([token], past), past + 1
            if i > 0:
                seconds.append(time.perf_counter() - start)
    print(json.dumps({"name": f"generate/{name}", "threads": threads, "tokens": length, "seconds": seconds}))


if __name__ == "__main__":
    main()
