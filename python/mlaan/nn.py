"""Blocks that run in the library's fused kernels, which save fewer tensors for the backward pass.

Their parameters have the names of torch's own layers. Their numbers are equal bit for bit, except
in channels-last memory format with numbers of channels that are no multiples of 16.
"""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import nn

from . import _engine
from ._engine import UserError
from .arguments import of_kind, type_of


def norm_relu(norm: nn.BatchNorm2d, value: torch.Tensor) -> torch.Tensor:
    """``relu(norm(value))`` of (batch, C, h, w); it saves its input and output for backward."""
    _check(norm, value)
    return _engine.norm_relu(norm, value)


def norm_relu_conv(norm: nn.BatchNorm2d, conv: nn.Conv2d, value: torch.Tensor) -> torch.Tensor:
    """``conv(relu(norm(value)))`` for a convolution without bias.

    It saves ``value`` and the ReLU's output for the backward pass; with an engine's
    ``recompute="activation"``, ``value`` alone.
    """
    if conv.bias is not None or conv.padding_mode != "zeros" or isinstance(conv.padding, str):
        raise UserError("norm_relu_conv takes convolutions without bias, padded with zeros")
    _check(norm, value)
    return _engine.norm_relu_conv(norm, conv, value)


def norm_add_relu(
    norm: nn.BatchNorm2d, value: torch.Tensor, shortcut: torch.Tensor
) -> torch.Tensor:
    """``relu(norm(value) + shortcut)``, all of one shape."""
    _check(norm, value, shortcut)
    return _engine.norm_add_relu(norm, value, shortcut)


def _check(norm: nn.BatchNorm2d, *values: torch.Tensor) -> None:
    if not isinstance(norm, nn.BatchNorm2d) or norm.weight is None:
        raise UserError(
            f"norm is {type_of(norm)}; accepted: a BatchNorm2d with weights, and no batch "
            "normalisation of another kind"
        )
    for value in values:
        if not isinstance(value, torch.Tensor) or value.shape != values[0].shape:
            raise UserError("the normalised tensor and the added one must be tensors of one shape")
        if value.dim() != 4 or value.shape[1] != norm.num_features:
            raise UserError(
                f"a batch normalisation of {norm.num_features} channels takes (batch, "
                f"{norm.num_features}, h, w), not a tensor of shape {tuple(value.shape)}"
            )


def projection(in_channels: int, out_channels: int, stride: int) -> Optional[nn.Sequential]:
    """The convolution on a residual block's shortcut; None if input and output have one shape."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


class BasicBlock(nn.Module):
    """A residual block of two convolutions 3×3.

    (batch, in, h, w) → (batch, out, h/stride, w/stride). Its parameters have torchvision's names.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.stride = stride
        self.downsample: Any = projection(in_channels, out_channels, stride)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return _basic(self, value)


class Bottleneck(nn.Module):
    """A residual block of convolutions 1×1, 3×3 and 1×1.

    (batch, in, h, w) → (batch, 4 · width, h/stride, w/stride). Its parameters have torchvision's
    names.
    """

    def __init__(self, in_channels: int, width: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        out_channels = 4 * width
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.stride = stride
        self.downsample: Any = projection(in_channels, out_channels, stride)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return _bottleneck(self, value)


def _shortcut(block: Any, value: torch.Tensor) -> torch.Tensor:
    return value if block.downsample is None else block.downsample(value)


def _basic(block: Any, value: torch.Tensor) -> torch.Tensor:
    inner = norm_relu_conv(block.bn1, block.conv2, block.conv1(value))
    return norm_add_relu(block.bn2, inner, _shortcut(block, value))


def _bottleneck(block: Any, value: torch.Tensor) -> torch.Tensor:
    inner = norm_relu_conv(block.bn1, block.conv2, block.conv1(value))
    inner = norm_relu_conv(block.bn2, block.conv3, inner)
    return norm_add_relu(block.bn3, inner, _shortcut(block, value))


def _fused(block: Any, forward: Any) -> None:
    """Gives a block's class another forward pass; pickle and copy still find the class."""
    kind: Any = type(block)
    restore = _restore_basic if forward is _basic else _restore_bottleneck
    members = {
        "forward": forward,
        "__reduce_ex__": lambda self, protocol: (restore, (kind,), self.__dict__),
    }
    block.__class__ = type(f"Fused{kind.__name__}", (kind,), members)


def _restore_basic(kind: Any) -> Any:
    block = kind.__new__(kind)
    _fused(block, _basic)
    return block


def _restore_bottleneck(kind: Any) -> Any:
    block = kind.__new__(kind)
    _fused(block, _bottleneck)
    return block


def _is_plain(block: nn.Module, norms: int) -> bool:
    """Whether a block of torchvision or timm holds nothing but convolutions, norms and ReLUs."""
    relu = getattr(block, "relu", None) or getattr(block, "act1", None)
    parts: Any = [
        (getattr(block, f"conv{i}", None), getattr(block, f"bn{i}", None))
        for i in range(1, norms + 1)
    ]
    fits = all(
        type(conv) is nn.Conv2d and conv.bias is None and type(norm) is nn.BatchNorm2d
        for conv, norm in parts
    )
    extras = ("se", "drop_block", "aa", "drop_path")
    plain = all(
        getattr(block, name, None) is None or isinstance(getattr(block, name), nn.Identity)
        for name in extras
    )
    return fits and plain and isinstance(relu, nn.ReLU) and hasattr(block, "downsample")


def fuse(model: nn.Module) -> int:
    """Makes a model's residual blocks run in fused kernels: torchvision's, and timm's of that form.

    Parameters, names and numbers stay as they are.

    Returns:
        The number of blocks that were changed.
    """
    of_kind(model, nn.Module, "`model`", "a torch.nn.Module")
    count = 0
    for block in model.modules():
        name = type(block).__name__
        if name == "BasicBlock" and _is_plain(block, 2):
            _fused(block, _basic)
        elif name == "Bottleneck" and _is_plain(block, 3):
            _fused(block, _bottleneck)
        else:
            continue
        count += 1
    return count
