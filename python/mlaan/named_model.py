"""Networks of the library's own."""

from __future__ import annotations

from typing import Dict, Sequence

import torch

from . import _engine
from .arguments import of_kind, whole


class NamedModel:
    """A network of mlaan's own, as :func:`mlaan.backbone` makes it, with kernels that keep less."""

    def __init__(self, backbone: "_engine.Backbone", shape: Sequence[int]) -> None:
        self.backbone = backbone
        self.example = torch.zeros(1, *shape)

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """Parameters and buffers, under torchvision's names."""
        named = self.backbone.named_parameters() + self.backbone.named_buffers()
        return {name: tensor.detach() for name, tensor in named}

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return self.backbone.forward(images)


def backbone(
    name: str, classes: int = 10, shape: Sequence[int] = (3, 32, 32), seed: int = 0
) -> NamedModel:
    """A network of mlaan's own: ``"resnet32"``, ``"resnet50"``, ``"vit_small"``, …

    Its blocks run in the library's fused kernels, which Python's modules do not.
    """
    of_kind(name, str, "name", "a name, such as 'resnet32'")
    sizes = [whole(size, 1, "a number of shape") for size in shape]
    made = _engine.make_backbone(name, whole(classes, 1, "classes"), sizes, whole(seed, 0, "seed"))
    return NamedModel(made, sizes)
