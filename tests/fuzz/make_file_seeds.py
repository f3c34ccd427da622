#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of the fuzzers of safetensors and NumPy files: seeds/{safetensors,shards,npy,npz}."""
import io
import json
import pathlib
import struct
import zipfile

SEEDS = pathlib.Path(__file__).parent / "seeds"


def save(folder, name, data):
    path = SEEDS / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)


def safetensors(tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += bytes(i % 7 for i in range(size))
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def npy(dtype, shape, size, fortran=False):
    text = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(size)


def npz(arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), data)
    return out.getvalue()


two = {"a": ("F32", [2], 8), "b": ("U8", [], 1)}
save("safetensors", "two", safetensors(two, {"k": "v"}))
save("safetensors", "none", safetensors({}))
every = "F64 I64 U64 C64 F32 I32 U32 BF16 F16 I16 U16 F8_E4M3 F8_E5M2 F8_E8M0 I8 U8 BOOL".split()
sizes = [8] * 4 + [4] * 3 + [2] * 4 + [1] * 6
save("safetensors", "every_type", safetensors({d: (d, [1, 2], 2 * n) for d, n in zip(every, sizes)}))
save("safetensors", "narrow", safetensors({"x": ("F4", [2, 3], 3), "y": ("F6_E2M3", [4], 3)}))

index = {"metadata": {"total_size": 9, "format": "pt"}, "weight_map": {"a": "1.safetensors", "b": "1.safetensors"}}
save("shards", "two", json.dumps(index).encode() + b"\0" + safetensors(two))
save("shards", "no_size", json.dumps({"weight_map": {"a": "x"}}).encode() + b"\0" + safetensors({"a": two["a"]}))
save("shards", "disagree", json.dumps({"weight_map": {"a": "x", "c": "y"}}).encode() + b"\0" + safetensors(two))
save("shards", "nested", json.dumps({"x": [{"weight_map": 1}], "weight_map": {}}).encode() + b"\0")

save("npy", "matrix", npy("<f4", (2, 3), 24))
save("npy", "fortran", npy("<f8", (2, 3), 48, True))
save("npy", "scalar", npy("|b1", (), 1))
save("npy", "halves", npy("<f2", (3,), 6))
save("npy", "integers", npy("<u8", (2,), 16))

save("npz", "two", npz({"a": npy("<f4", (2,), 8), "b": npy("<i8", (), 8)}))
save("npz", "none", npz({}))
