"""Segments of models that torch.fx cannot follow.

A recipe recognises a model by its attributes and returns its segments, or None. The chain is
compared with the model on the example like any other.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional

import torch
from torch import nn

from .segments import Segment
from .tracing import is_container

_BOUND = "it is a method of the whole model"
#: Children of timm's models that forward_head() runs.
_OF_TIMMS_HEADS = (
    "global_pool",
    "attn_pool",
    "fc_norm",
    "norm_head",
    "head_drop",
    "head",
    "fc",
    "classifier",
)


def _own_parameters(model: nn.Module, *skipped: nn.Module) -> List[Any]:
    """The parameters of a model that are in none of the given modules."""
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


class _Positions(nn.Module):
    """timm's position embedding of transformers with rotary embeddings: the tokens alone."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.rope = model.rope
        self._of_model = [model._pos_embed]  # a list, so that the model is no submodule

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        tokens: torch.Tensor = self._of_model[0](patches)[0]
        return tokens


class _RotatedBlock(nn.Module):
    """A block that reads rotary embeddings beside its input."""

    def __init__(self, block: nn.Module, model: Any) -> None:
        super().__init__()
        self.block = block
        self._rope = [model.rope]  # a list: its buffers belong to the unit of the positions
        self._sizes: Any = {}
        if getattr(model.rope, "feat_shape", None) is None:
            self._sizes = {"shape": model.patch_embed.grid_size}

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        rotated: torch.Tensor = self.block(tokens, rope=self._rope[0].get_embed(**self._sizes))
        return rotated


def timm_rotary_transformer(model: Any) -> Optional[List[Segment]]:
    """timm's transformers whose blocks share rotary embeddings: EVA-02, DINOv3."""
    if getattr(model, "rope", None) is None or getattr(model, "rope_mixed", False):
        return None
    segments = timm_transformer(model)
    if segments is None:
        return None
    blocks = {block for block in model.blocks}
    for segment in segments:
        if segment.name == "pos_embed":
            segment.call = _Positions(model)
        elif segment.call in blocks:
            segment.call = _RotatedBlock(segment.call, model)  # type: ignore[arg-type]
    return [segment for segment in segments if segment.name != "patch_drop"]


def timm_transformer(model: Any) -> Optional[List[Segment]]:
    """timm's vision transformers: patches, positions, blocks, and everything else as the head."""
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
        if getattr(model, name, None) is not None:
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


def _opened(path: str, module: nn.Module, stages: List[str]) -> List[Segment]:
    """A module as one segment, or the blocks of a Sequential that is a stage or holds stages."""
    is_stage = path in stages or any(stage.startswith(path + ".") for stage in stages)
    if not is_stage or not is_container(module):
        return [Segment(path, module)]
    return [
        segment
        for name, child in module.named_children()
        for segment in _opened(f"{path}.{name}", child, [*stages, f"{path}.{name}"])
    ]


def timm_stages(model: Any) -> Optional[List[Segment]]:
    """Any model of timm's, by its own list of the modules that end its stages (feature_info).

    Its children run one after the other up to the last stage and what follows it; forward_head()
    is the head.
    """
    listed = getattr(model, "feature_info", None)
    if not isinstance(listed, (list, tuple)) or not callable(getattr(model, "forward_head", None)):
        return None
    stages = [str(entry["module"]) for entry in listed if isinstance(entry, dict)]
    children = list(model.named_children())
    behind = [name for name, _ in children if name not in _OF_TIMMS_HEADS]
    body = [
        segment
        for name, child in children
        if name in behind
        for segment in _opened(name, child, stages)
    ]
    inner: List[Any] = [segment.call for segment in body]
    own = _own_parameters(model, *inner)
    return [*body, Segment("head", model.forward_head, own=own, no_copy=_BOUND)]


RECIPES: List[Callable[[Any], Optional[List[Segment]]]] = [
    timm_rotary_transformer,
    timm_transformer,
    torchvision_transformer,
]
