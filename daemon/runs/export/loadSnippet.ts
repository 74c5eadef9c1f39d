/** `load.py` of an export: reads the weights with PyTorch and nothing else. */
export const loadSnippet = `"""Loads weights that UniMiSS exported. Needs PyTorch alone.

    python load.py    prints the plan and the tensors
"""

import json
import math
import struct

import torch


def load(path):
    """Returns the tensors by name (float32, on the CPU) and the plan: architecture, sizes, normalisation, labels."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    plan = json.loads(header.pop("__metadata__")["plan"])
    weights = {
        name: torch.frombuffer(
            data, dtype=torch.float32, count=math.prod(entry["shape"]), offset=entry["data_offsets"][0]
        ).reshape(entry["shape"])
        for name, entry in header.items()
    }
    return weights, plan


if __name__ == "__main__":
    import os

    weights, plan = load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.safetensors"))
    print(json.dumps(plan, indent=1))
    for name, value in weights.items():
        print(name, list(value.shape))
`;
