#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes seeds/tokenizer_files and seeds/tokenizer_text: one small right file of each format, and a few texts."""
import base64
import json
import struct
from pathlib import Path

here = Path(__file__).parent / "seeds"
files, texts = here / "tokenizer_files", here / "tokenizer_text"
files.mkdir(parents=True, exist_ok=True)
texts.mkdir(parents=True, exist_ok=True)

tokens = [bytes([i]) for i in range(256)] + [b"th", b"the", b" the"]
merges = [(b"t", b"h"), (b"th", b"e"), (b" ", b"the")]
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
others = [i for i in range(256) if i not in printable]
letters = {i: chr(i) if i in printable else chr(256 + others.index(i)) for i in range(256)}


def spell(token):
    return "".join(letters[byte] for byte in token)


vocab = {spell(token): i for i, token in enumerate(tokens)} | {"<s>": 259}
lines = [f"{spell(a)} {spell(b)}" for a, b in merges]
pattern = r"\p{L}+|\s+(?!\S)|."
split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
tokenizer = {
    "added_tokens": [{"id": 259, "content": "<s>", "special": True}],
    "normalizer": None,
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
    "model": {"type": "BPE", "vocab": vocab, "merges": lines},
}
scored = [b"<unk>", b"\n<s>\n", b"\n</s>\n", *(f"<0x{i:02X}>".encode() for i in range(256)), b" ", b"t", b"h", b"th"]
bin_file = struct.pack("<i", 6) + b"".join(struct.pack("<fi", -i, len(t)) + t for i, t in enumerate(scored))
word = lambda b: base64.b64encode(b).decode() if b else "-"
saved = ["byte_pair_tokenizer 1", word(pattern.encode()), "0", "259", "3", "1", *map(word, tokens), "116,104,256,0",
         "256,101,257,1", "32,257,258,2", "259," + word(b"<s>")]

dump = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
contents = {
    "tiktoken": "".join(f"{word(token)} {i}\n" for i, token in enumerate(tokens)).encode(),
    "gpt2": (dump(vocab) + "\n\n#version: 0.2\n" + "\n".join(lines) + "\n").encode(),
    "tokenizer_json": dump(tokenizer).encode(),
    "minbpe": f"minbpe v1\n{pattern}\n1\n<s> 259\n116 104\n256 101\n32 257\n".encode(),
    "llama2c": bin_file,
    "checkpoint": " ".join(saved).encode(),
}
for i, (name, content) in enumerate(contents.items()):
    (files / name).write_bytes(bytes([i]) + content)
for i, text in enumerate(["aaabdaaabac", "the théme 123 中中\r\n  <s> the", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 3]):
    (texts / str(i)).write_bytes(bytes([40 + i]) + text.encode() + b"\xfe" + text.encode()[::-1])
