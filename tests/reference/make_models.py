#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes models.json: logits of a tiny GPT-2 and a tiny Llama, computed by PyTorch in double precision.

The weights are a formula of their place (`weights`), so that the file holds results only. The Llama has two query heads
for each head of keys and rotates halves, as Hugging Face's. Needs python3-torch.
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def weights(shapes):
    """Tensor number k, in the order of names, has the elements 0.3 sin(1.7 k + 0.9 i + 0.3), gains one more."""
    result = {}
    for k, name in enumerate(sorted(shapes)):
        n = math.prod(shapes[name])
        values = 0.3 * torch.sin(1.7 * k + 0.9 * torch.arange(n) + 0.3)
        if "norm" in name or ("ln_" in name and name.endswith("weight")):
            values = values + 1
        result[name] = values.reshape(shapes[name])
    return result


def gpt2(tokens, layers=2, heads=2, width=8, context=12, vocabulary=11):
    shapes = {"wte.weight": [vocabulary, width], "wpe.weight": [context, width],
              "ln_f.weight": [width], "ln_f.bias": [width]}
    for i in range(layers):
        for name, shape in {"ln_1.weight": [width], "ln_1.bias": [width], "ln_2.weight": [width],
                            "ln_2.bias": [width], "attn.c_attn.weight": [width, 3 * width],
                            "attn.c_attn.bias": [3 * width], "attn.c_proj.weight": [width, width],
                            "attn.c_proj.bias": [width], "mlp.c_fc.weight": [width, 4 * width],
                            "mlp.c_fc.bias": [4 * width], "mlp.c_proj.weight": [4 * width, width],
                            "mlp.c_proj.bias": [width]}.items():
            shapes[f"h.{i}.{name}"] = shape
    w = weights(shapes)
    batch, time = tokens.shape
    norm = lambda x, name: F.layer_norm(x, [width], w[name + ".weight"], w[name + ".bias"], 1e-5)
    affine = lambda x, name: x @ w[name + ".weight"] + w[name + ".bias"]
    mask = torch.ones(time, time).tril().bool()
    x = w["wte.weight"][tokens] + w["wpe.weight"][:time]
    for i in range(layers):
        q, k, v = affine(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").split(width, 2)
        q, k, v = (y.view(batch, time, heads, width // heads).transpose(1, 2) for y in (q, k, v))
        scores = (q @ k.transpose(2, 3) / math.sqrt(width // heads)).masked_fill(~mask, -math.inf)
        y = (scores.softmax(3) @ v).transpose(1, 2).reshape(batch, time, width)
        x = x + affine(y, f"h.{i}.attn.c_proj")
        h = affine(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc")
        h = 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
        x = x + affine(h, f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ w["wte.weight"].T


def llama(tokens, layers=2, heads=4, key_heads=2, width=16, hidden=12, vocabulary=11, base=100.0, eps=1e-5):
    size = width // heads
    shapes = {"model.embed_tokens.weight": [vocabulary, width], "model.norm.weight": [width],
              "lm_head.weight": [vocabulary, width]}
    for i in range(layers):
        for name, shape in {"input_layernorm.weight": [width], "post_attention_layernorm.weight": [width],
                            "self_attn.q_proj.weight": [width, width],
                            "self_attn.k_proj.weight": [key_heads * size, width],
                            "self_attn.v_proj.weight": [key_heads * size, width],
                            "self_attn.o_proj.weight": [width, width], "mlp.gate_proj.weight": [hidden, width],
                            "mlp.up_proj.weight": [hidden, width], "mlp.down_proj.weight": [width, hidden]}.items():
            shapes[f"model.layers.{i}.{name}"] = shape
    w = weights(shapes)
    batch, time = tokens.shape
    norm = lambda x, name: x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * w[name + ".weight"]
    angles = torch.arange(time)[:, None] * base ** (-torch.arange(0, size, 2) / size)
    cosine, sine = (torch.cat([f(angles)] * 2, 1) for f in (torch.cos, torch.sin))
    rotate = lambda x: x * cosine + torch.cat([-x[..., size // 2:], x[..., :size // 2]], -1) * sine
    mask = torch.ones(time, time).tril().bool()
    x = w["model.embed_tokens.weight"][tokens]
    for i in range(layers):
        at = f"model.layers.{i}."
        project = lambda y, name: y @ w[at + name + ".weight"].T
        y = norm(x, at + "input_layernorm")
        q = rotate(project(y, "self_attn.q_proj").view(batch, time, heads, size).transpose(1, 2))
        k, v = (project(y, f"self_attn.{n}_proj").view(batch, time, key_heads, size).transpose(1, 2) for n in "kv")
        k, v = (z.repeat_interleave(heads // key_heads, 1) for z in (rotate(k), v))
        scores = (q @ k.transpose(2, 3) / math.sqrt(size)).masked_fill(~mask, -math.inf)
        x = x + project((scores.softmax(3) @ v).transpose(1, 2).reshape(batch, time, width), "self_attn.o_proj")
        y = norm(x, at + "post_attention_layernorm")
        x = x + project(F.silu(project(y, "mlp.gate_proj")) * project(y, "mlp.up_proj"), "mlp.down_proj")
    return norm(x, "model.norm") @ w["lm_head.weight"].T


def main():
    tokens = torch.tensor([[3, 1, 4, 1, 5, 9, 2], [6, 5, 3, 5, 8, 9, 7]])
    entry = lambda logits: [round(v, 9) for v in logits.flatten().tolist()]
    result = {"tokens": tokens.flatten().tolist(), "gpt2": entry(gpt2(tokens)), "llama": entry(llama(tokens))}
    path = pathlib.Path(__file__).with_name("models.json")
    path.write_text(json.dumps(result, separators=(",", ":")).replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
