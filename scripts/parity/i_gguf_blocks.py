"""Blocks of each GGUF type that is read or written, with the numbers that ggml makes of them, for test/models/gguf.

    python i_gguf_blocks.py LLAMA_CPP LIBGGML_BASE OUT      # llama.cpp's sources (gguf-py) and its libggml-base.so

`bytes` are random blocks with sane scales and `values` what gguf-py dequantises them to; `numbers` are random and `quantized` what
ggml's reference code (gguf-py for F16, BF16 and Q8_0) makes of them.
"""
import ctypes
import json
import sys

import numpy as np

sources, library, out = sys.argv[1:]
sys.path.insert(0, f"{sources}/gguf-py")
import gguf  # noqa: E402
from gguf import GGMLQuantizationType as T  # noqa: E402

rng = np.random.default_rng(1301)
ggml = ctypes.CDLL(library)
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def block(name: str) -> np.ndarray:
    _, size = gguf.GGML_QUANT_SIZES[T[name]]
    raw = rng.integers(0, 256, size=(2, size), dtype=np.uint8)
    for at in HALVES[name]:  # scales that are neither infinite nor tiny
        raw[:, at : at + 2] = (rng.normal(size=(2, 1)) * 0.1).astype(np.float16).view(np.uint8)
    return raw


def reference(name: str, x: np.ndarray) -> bytes:
    if name in ("F16", "BF16", "Q8_0"):
        return gguf.quants.quantize(x, T[name]).tobytes()
    count, size = gguf.GGML_QUANT_SIZES[T[name]]
    y = ctypes.create_string_buffer(x.size // count * size)
    row = getattr(ggml, f"quantize_row_{name.lower().replace('_k', '_K')}_ref")
    row(x.ctypes.data_as(ctypes.c_void_p), y, ctypes.c_int64(x.size))
    return y.raw


read = {}
for name in HALVES:
    raw = block(name)
    values = gguf.quants.dequantize(raw, T[name]).astype(np.float32).ravel()
    read[name] = {"bytes": raw.tobytes().hex(), "values": values.tobytes().hex()}

numbers = np.concatenate([
    rng.normal(size=256) * 0.05,
    rng.standard_t(2, size=256),
    np.abs(rng.normal(size=256)),
    np.repeat(rng.normal(size=8), 32),
    np.zeros(256),
    rng.normal(size=256) * 1e-6,
]).astype(np.float32)
written = {name: reference(name, numbers).hex() for name in ("F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K")}

with open(out, "w") as f:
    json.dump({"read": read, "numbers": numbers.tobytes().hex(), "written": written}, f, indent=1)
