"""What cannot be read off a model: maps with channels last, and pieces that torch.fx cannot follow.

A recipe gives the segments of a model that it knows by its attributes, or None. What it gives is
compared with the model on the example like everything else.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional

import torch
from torch import nn

from .segments import Segment

_BOUND = "it is a method of the whole model"


def gives_channels_last(model: nn.Module) -> bool:
    """Whether its blocks pass maps on as (batch, height, width, channels), as Swins do."""
    return any(type(module).__name__.startswith("Swin") for module in model.modules())


class ToChannelsFirst(nn.Module):
    """(batch, height, width, channels) → (batch, channels, height, width), without a copy."""

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return value.permute(0, 3, 1, 2) if value.dim() == 4 else value


class ToChannelsLast(nn.Module):
    """(batch, channels, height, width) → (batch, height, width, channels), without a copy."""

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return value.permute(0, 2, 3, 1) if value.dim() == 4 else value


def _own_parameters(model: nn.Module, *skipped: nn.Module) -> List[Any]:
    """The parameters of a model that are in none of the modules named."""
    known = {id(parameter) for module in skipped for parameter in module.parameters()}
    return [
        (name, parameter)
        for name, parameter in model.named_parameters()
        if id(parameter) not in known
    ]


def _blocks(model: nn.Module, attribute: str) -> List[Segment]:
    return [
        Segment(f"{attribute}.{name}", block)
        for name, block in getattr(model, attribute).named_children()
    ]


def timm_transformer(model: Any) -> Optional[List[Segment]]:
    """timm's vision transformers: patches, positions, blocks, and the rest as a head."""
    needed = ("patch_embed", "_pos_embed", "norm_pre", "blocks", "norm", "forward_head")
    if not all(hasattr(model, name) for name in needed):
        return None
    blocks = _blocks(model, "blocks")
    tail = [
        module
        for name, module in model.named_children()
        if name in ("norm", "attn_pool", "fc_norm", "head_drop", "head", "head_dist")
        and isinstance(module, nn.Module)
    ]
    inner: List[Any] = [segment.call for segment in blocks]
    stem = _own_parameters(model, model.patch_embed, *inner, *tail)
    segments = [
        Segment("patch_embed", model.patch_embed),
        Segment("pos_embed", model._pos_embed, own=stem, no_copy=_BOUND),
    ]
    for name in ("patch_drop", "norm_pre"):
        if hasattr(model, name):
            segments.append(Segment(name, getattr(model, name)))
    head = _own_parameters(model, model.patch_embed, *inner, model.norm)
    head = [named for named in head if named[0] not in {name for name, _ in stem}]
    return [
        *segments,
        *blocks,
        Segment("norm", model.norm),
        Segment("head", model.forward_head, own=head, no_copy=_BOUND),
    ]


class Tokens(nn.Module):
    """The stem of torchvision's vision transformers: patches, class token, positions."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.conv_proj = model.conv_proj
        self.class_token = model.class_token
        self.pos_embedding = model.encoder.pos_embedding
        self.dropout = model.encoder.dropout
        self.patch_size = model.patch_size

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        patches = self.conv_proj(images).flatten(2).permute(0, 2, 1)
        token = self.class_token.expand(len(images), -1, -1)
        tokens: torch.Tensor = torch.cat([token, patches], 1) + self.pos_embedding
        dropped: torch.Tensor = self.dropout(tokens)
        return dropped


def _class_token(tokens: torch.Tensor) -> torch.Tensor:
    return tokens[:, 0]


def torchvision_transformer(model: Any) -> Optional[List[Segment]]:
    """torchvision's vision transformers."""
    encoder: Any = getattr(model, "encoder", None)
    if not all(hasattr(model, name) for name in ("conv_proj", "class_token", "heads")):
        return None
    if not all(hasattr(encoder, name) for name in ("pos_embedding", "dropout", "layers", "ln")):
        return None
    blocks = [
        Segment(f"encoder.layers.{name}", block) for name, block in encoder.layers.named_children()
    ]
    return [
        Segment("conv_proj", Tokens(model)),
        *blocks,
        Segment("encoder.ln", encoder.ln),
        Segment("class_token", _class_token),
        Segment("heads", model.heads),
    ]


RECIPES: List[Callable[[Any], Optional[List[Segment]]]] = [
    timm_transformer,
    torchvision_transformer,
]
