"""Weights and logits of a torchvision model with random weights, as safetensors files.

Usage: torchvision_logits.py ARCHITECTURE SIDE WEIGHTS SAMPLE [KEY=VALUE …]

ARCHITECTURE is a function of torchvision.models; "VisionTransformer" makes one of the given sizes.
WEIGHTS holds the model's parameters and buffers under their names, SAMPLE `images`
(2 × 3 × SIDE × SIDE) and `logits`, computed in float64. Every weight is random, those that begin as zeros or ones
included; running statistics are those of a batch, so that no map grows from layer to layer.
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
            spread = parameter.std().item()
            if parameter.dim() == 1:
                spread = 2.0
            elif spread < 1e-5:  # all of one value, as ConvNeXt's layer_scale
                spread = 20.0
            parameter.add_(0.05 * spread * torch.randn_like(parameter))


def settle_statistics(model, images):
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean over batches: of the one there is
    if norms:
        model.train()
        with torch.no_grad():
            model(images)
    model.eval()


def write_safetensors(path, tensors):
    types = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64"}
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


def main(architecture, side, weights, sample, *settings):
    torch.manual_seed(0)
    side = int(side)
    model = make_model(
        architecture, side, {key: int(value) for key, value in (s.split("=") for s in settings)}
    )
    disturb(model)
    settle_statistics(model, torch.randn(4, 3, side, side))
    images = torch.randn(2, 3, side, side)
    write_safetensors(weights, model.state_dict())
    with torch.no_grad():
        logits = model.double()(images.double())
    write_safetensors(sample, {"images": images, "logits": logits})


if __name__ == "__main__":
    main(*sys.argv[1:])
