"""Fresh blocks: copies of units with newly initialised weights, maybe for other inputs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ._engine import UserError
from .nn import projection

if TYPE_CHECKING:
    from .unit import Unit


def _stride(unit: "Unit") -> int:
    given, taken = unit.output_shape, unit.input_shape
    if len(given) != 3 or len(taken) != 3:
        return 1
    return -(-taken[1] // given[1])


def _convolution_like(layer: Any, in_channels: int, stride: Any) -> nn.Conv2d:
    return nn.Conv2d(
        in_channels,
        layer.out_channels,
        layer.kernel_size,
        stride,
        layer.padding,
        layer.dilation,
        layer.groups,
        bias=layer.bias is not None,
    )


def _adapt_residual_block(block: Any, in_channels: int, stride: int, what: str) -> None:
    """Changes the input channels and the stride of a residual block."""
    first: Any = getattr(block, "conv1", None)
    known = isinstance(first, nn.Conv2d) and first.groups == 1 and hasattr(block, "downsample")
    if not known:
        raise UserError(
            f"{what} cannot be made anew for {in_channels} input channels and stride {stride}: "
            "only residual blocks with conv1 and downsample can"
        )
    last = block.conv3 if hasattr(block, "conv3") else block.conv2
    strided = "conv2" if hasattr(block, "conv3") else "conv1"
    block.conv1 = _convolution_like(first, in_channels, first.stride)
    layer = getattr(block, strided)
    setattr(block, strided, _convolution_like(layer, layer.in_channels, (stride, stride)))
    block.stride = stride
    block.downsample = projection(in_channels, last.out_channels, stride)


def fresh_copy(unit: "Unit", in_channels: int, stride: int) -> "Unit":
    """A unit of the same form, freshly initialised by its layers' ``reset_parameters()``.

    Raises:
        UserError: for a layer without ``reset_parameters()``, and for other input channels or
            strides than the unit's where no recipe changes them.
    """
    from .unit import Unit

    made = unit.copied()
    what = f"unit '{unit.name}'"
    if in_channels != unit.input_shape[0] or stride != _stride(unit):
        blocks = list(made.children())
        if len(blocks) != 1:
            raise UserError(
                f"{what} holds {len(blocks)} modules, so it cannot be made anew for {in_channels} "
                f"input channels and stride {stride}; a unit of one residual block can"
            )
        block = copy.deepcopy(blocks[0])
        _adapt_residual_block(block, in_channels, stride, what)
        made = Unit(unit.name, [block])
    with torch.no_grad():
        for module in made.modules():
            reset: Any = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
            elif next(module.parameters(recurse=False), None) is not None:
                raise UserError(
                    f"{what} holds a {type(module).__name__}, whose parameters cannot be "
                    "initialised anew, since it has no reset_parameters()"
                )
    return made
