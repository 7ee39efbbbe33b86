"""Weights and logits of a torchvision model with random weights, as a safetensors file.

Usage: torchvision_logits.py ARCHITECTURE SIDE FILE [KEY=VALUE …]

ARCHITECTURE is a function of torchvision.models; "VisionTransformer" makes one of the given sizes.
The file holds the model's parameters and buffers under their names, `images` (2 × 3 × SIDE × SIDE)
and `logits`. Every weight is random, those that begin as zeros or ones included.
"""

import json
import struct
import sys

import torch
import torchvision


def make_model(architecture, side, settings):
    if architecture == "VisionTransformer":
        from torchvision.models.vision_transformer import VisionTransformer

        return VisionTransformer(image_size=side, **settings)
    return getattr(torchvision.models, architecture)(**settings)


def disturb(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)


def write_safetensors(path, tensors):
    types = {torch.float32: "F32", torch.int64: "I64"}
    header, blobs, offset = {}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {
            "dtype": types[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for blob in blobs:
            file.write(blob)


def main(architecture, side, path, *settings):
    torch.manual_seed(0)
    model = make_model(
        architecture, int(side), {key: int(value) for key, value in (s.split("=") for s in settings)}
    )
    disturb(model)
    model.eval()
    images = torch.randn(2, 3, int(side), int(side))
    with torch.no_grad():
        logits = model(images)
    write_safetensors(path, {**model.state_dict(), "images": images, "logits": logits})


if __name__ == "__main__":
    main(*sys.argv[1:])
