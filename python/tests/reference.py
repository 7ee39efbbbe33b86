"""Files with one training step each, computed by published codes."""

import json
import os
import pathlib

import pytest
import torch

FOLDER = pathlib.Path(
    os.environ.get("MLAAN_SHARED_FOLDER", pathlib.Path(__file__).parents[3] / "shared")
)
MEAN, DEVIATION = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # of 255
_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "I64": torch.int64,
    "U8": torch.uint8,
}


def read_reference(name):
    """Tensors by name; skips the test where the file is not there."""
    file = FOLDER / "reference" / f"{name}.safetensors"
    if not file.is_file():
        pytest.skip(f"the reference file {name} is not there")
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        numbers = torch.frombuffer(bytearray(data[begin:end]), dtype=_TYPES[entry["dtype"]])
        tensors[name] = numbers.reshape(entry["shape"])
    return tensors


def network_input(reference, dtype):
    """As the files' README gives it: mean and deviation rounded to float32."""
    mean, deviation = (
        (torch.tensor(numbers) / 255).double().view(1, 3, 1, 1) for numbers in (MEAN, DEVIATION)
    )
    return ((reference["input.image"].double() / 255 - mean) / deviation).to(dtype)
