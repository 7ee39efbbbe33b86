"""Networks that the library has built in."""

from __future__ import annotations

from typing import Dict, Sequence

import torch

from . import _engine
from .arguments import of_kind, whole


class NamedModel:
    """A built-in network, made by :func:`mlaan.backbone`. Its kernels save less for backward."""

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
    """A built-in network: ``"resnet32"``, ``"resnet50"``, ``"vit_small"``, …

    Its blocks run in the library's fused kernels, unlike Python modules.

    Args:
        shape: of one image, (channels, height, width).
        seed: of the initial weights.

    Raises:
        UserError: for an unknown name, naming the nearest.
    """
    of_kind(name, str, "name", "a name, such as 'resnet32'")
    given = of_kind(shape, (list, tuple, torch.Size), "shape", "(channels, height, width)")
    sizes = [whole(size, 1, "a number of shape") for size in given]
    made = _engine.make_backbone(name, whole(classes, 1, "classes"), sizes, whole(seed, 0, "seed"))
    return NamedModel(made, sizes)
