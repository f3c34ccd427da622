#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Writes tokenizer_cases.json: merges and ids by the plainest byte-pair encoding there is, over splits by Python's
# `regex` module (pip install regex). Run it in this folder; the result is committed.
# Source of the rules: karpathy/minbpe, minbpe/base.py and regex.py.
import json
import random

import regex

PATTERNS = {
    "none": None,
    "gpt2": r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""",
    "cl100k": r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"""
    r"""|\s+(?!\S)|\s+""",
    "gpt4_minbpe": r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"""
    r"""|\s+(?!\S)|\s+""",
}

TEXT = """The quick brown fox doesn't jump over the lazy dog; it's the dog that jumps, and they'll both be tired.
    for (int i = 0; i < 100; ++i) { sum += values[i] * 1234567; }  // the sum of the values
If it is not right, do not do it; if it is not true, do not say it. The more the merrier, the fewer the better.\r\n
Der schnelle braune Fuchs springt über den faulen Hund; größer, später, schöner.
Быстрая лиса прыгает через ленивую собаку. 敏捷的棕色狐狸跳过懒狗。素早い茶色の狐。
def the_function(the_value):\n\treturn the_value ** 2\n\n\n   the end   """

CASES = [
    "", " ", "  ", "\n", " \n ", "\r\n\r\n", "a", "the", " the", "The the THE", "it's IT'S it\u2019s they'LL we'Re i'M",
    "'\u017f", "don't", "'tis", "x\u00a0y", "x\u3000y", "x\u180ey", "x\u200by", "x\ufeffy", "x\u0085y", "a\u2028b\u2029c",
    "\x1c\x1d\x1e\x1f", "\x0b\x0c", "0", "12", "123", "1234", "1234567.89e-10", "\u0661\u0662\u0663\u0664", "\u2167\u00bd\u00b2",
    "\u5feb\u901f\u7684\u72d0\u72f8", "\u3053\u3093\u306b\u3061\u306f", "\uc548\ub155\ud558\uc138\uc694",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1eb\U0001f1f7", "e\u0301", "cafe\u0301s", "\u0928\u092e\u0938\u094d\u0924\u0947",
    "\u0645\u0631\u062d\u0628\u0627", "if (a != b) { return -1; }", "__init__(self):", "https://example.org/?q=1&r=%20", "a   b", "   b", "a   ",
    "\t\t\tx", "x \n\n  y", "#" * 30, "a" * 70, "ab" * 40, " " * 20 + "x", "\n" * 5 + "x", "aaaaaaaaaaaaa bbbbbbb",
]


def random_cases(count):
    draw = random.Random(7)
    pieces = ["the", " the", "'s", "'LL", "  ", " ", "\n", "\r\n", "\t", "1", "23", "!", "...", "_", "\u00e9", "e\u0301", "\u4e2d", "\u72d0\u72f8", "\U0001f600",
              "\u00a0", "Z", "a", "\u0434", "\u0663", "\u2028", "("]
    return ["".join(draw.choice(pieces) for _ in range(draw.randrange(1, 14))) for _ in range(count)]


def split(pattern, text):
    pieces = [text] if pattern is None else regex.findall(pattern, text)
    assert "".join(pieces) == text
    return [list(piece.encode()) for piece in pieces if piece]


def merge(ids, pair, new):
    out, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def train(pattern, text, merges):
    pieces, out = split(pattern, text), []
    for new in range(256, 256 + merges):
        counts = {}
        for ids in pieces:
            for pair in zip(ids, ids[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        pair = max(counts, key=counts.get)  # of equal counts the first in the text
        out.append([*pair, counts[pair]])
        pieces = [merge(ids, pair, new) for ids in pieces]
    return out


def encode(pattern, merges, text):
    rank = {(left, right): i for i, (left, right, _) in enumerate(merges)}
    out = []
    for ids in split(pattern, text):
        while True:
            pair = min(zip(ids, ids[1:]), key=lambda p: rank.get(p, len(rank)), default=None)
            if pair not in rank:
                break
            ids = merge(ids, pair, 256 + rank[pair])
        out += ids
    return out


cases = CASES + random_cases(60)
result = {"text": TEXT, "cases": cases, "encodings": []}
for name, pattern in PATTERNS.items():
    merges = train(pattern, TEXT, 110)
    ids = [encode(pattern, merges, case) for case in cases]
    result["encodings"].append({"name": name, "pattern": pattern or "", "merges": merges, "ids": ids})
with open("tokenizer_cases.json", "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
