"""Divides the channels of layers: each new channel is the mean of a group of old ones."""

from __future__ import annotations

from typing import Any, Callable, List, Tuple

import torch
from torch import nn

from . import _engine
from ._engine import UserError

#: Parameters with one number for each attention head, which stay as they are.
_OF_HEADS = ("relative_position_bias_table", "logit_scale")
#: Parameters of blocks, beside those of their layers; the channels are the largest dimension.
_OF_CHANNELS = (
    "gamma",
    "gamma_1",
    "gamma_2",
    "layer_scale",
    "layer_scale_1",
    "layer_scale_2",
    "ls1",
    "ls2",
    "alpha",
    "beta",
    "q_bias",
    "k_bias",
    "v_bias",
)
#: Modules whose parameters all have one number for each channel.
_ONE_WEIGHT_A_CHANNEL = ("GlobalResponseNorm", "GRN", "Affine", "LayerScale2d")
#: Modules that compute numbers of attention heads or mix tokens, and stay as they are.
_NOT_OF_CHANNELS = ("cpb_mlp", "mlp_tokens", "linear_tokens")
#: Modules, and the name of the layer in each that mixes tokens.
_MIX_TOKENS = {"SpatialGatingUnit": "proj"}


def _divided(count: int, factor: int, what: str) -> int:
    if count % factor:
        raise UserError(
            f"{what} has {count} channels, which cannot be divided by lean.narrow = {factor}; "
            "lean.narrow = 1 keeps the channels"
        )
    return count // factor


def _set(tensor: torch.Tensor, shape: List[int]) -> None:
    tensor.data = _engine.grouped(tensor.detach(), shape).clone()


def _regroup(tensor: Any, factor: int, what: str, dimensions: Tuple[int, ...]) -> None:
    if tensor is None:
        return
    shape = list(tensor.shape)
    for dimension in dimensions:
        shape[dimension] = _divided(shape[dimension], factor, what)
    _set(tensor, shape)


def _narrow_convolution(layer: nn.modules.conv._ConvNd, factor: int, what: str) -> None:
    depthwise = layer.weight.shape[1] == 1 and layer.groups > 1
    layer.in_channels = _divided(layer.in_channels, factor, what)
    layer.out_channels = _divided(layer.out_channels, factor, what)
    if depthwise:
        layer.groups = _divided(layer.groups, factor, what)
    _regroup(layer.weight, factor, what, (0,) if depthwise else (0, 1))
    _regroup(layer.bias, factor, what, (0,))


def _narrow_linear(layer: nn.Linear, factor: int, what: str) -> None:
    layer.in_features = _divided(layer.in_features, factor, what)
    layer.out_features = _divided(layer.out_features, factor, what)
    _regroup(layer.weight, factor, what, (0, 1))
    _regroup(layer.bias, factor, what, (0,))


def _narrow_batch_norm(layer: Any, factor: int, what: str) -> None:
    layer.num_features = _divided(layer.num_features, factor, what)
    for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
        _regroup(tensor, factor, what, (0,))


def _narrow_layer_norm(layer: nn.LayerNorm, factor: int, what: str) -> None:
    if len(layer.normalized_shape) != 1:
        raise UserError(
            f"{what} normalises over {len(layer.normalized_shape)} dimensions and cannot be made "
            "narrower; lean.narrow = 1 keeps the channels"
        )
    layer.normalized_shape = (_divided(layer.normalized_shape[0], factor, what),)
    for tensor in (layer.weight, layer.bias):
        _regroup(tensor, factor, what, (0,))


def _narrow_group_norm(layer: nn.GroupNorm, factor: int, what: str) -> None:
    layer.num_channels = _divided(layer.num_channels, factor, what)
    if layer.num_channels % layer.num_groups:
        raise UserError(
            f"{what} has {layer.num_groups} groups, which do not divide {layer.num_channels} "
            "channels; lean.narrow = 1 keeps the channels"
        )
    for tensor in (layer.weight, layer.bias):
        _regroup(tensor, factor, what, (0,))


def _narrow_attention(layer: nn.MultiheadAttention, factor: int, what: str) -> None:
    if layer.in_proj_weight is None or layer.bias_k is not None:
        raise UserError(
            f"{what} has separate projections and cannot be made narrower; lean.narrow = 1 keeps "
            "the channels"
        )
    layer.head_dim = _divided(layer.head_dim, factor, what)  # groups lie within one head
    layer.embed_dim = layer.kdim = layer.vdim = layer.head_dim * layer.num_heads
    _regroup(layer.in_proj_weight, factor, what, (0, 1))
    _regroup(layer.in_proj_bias, factor, what, (0,))


_RECIPES: List[Tuple[type, Callable[..., None]]] = [
    (nn.modules.conv._ConvNd, _narrow_convolution),
    (nn.Linear, _narrow_linear),
    (nn.modules.batchnorm._NormBase, _narrow_batch_norm),
    (nn.LayerNorm, _narrow_layer_norm),
    (nn.GroupNorm, _narrow_group_norm),
    (nn.MultiheadAttention, _narrow_attention),
]


def _narrow_own(module: Any, factor: int, what: str) -> None:
    """Divides a module's own parameters, and its attributes that depend on the width."""
    own: List[Tuple[str, Any]] = [*module.named_parameters(recurse=False)]
    own += [pair for pair in module.named_buffers(recurse=False) if pair[0] in _OF_CHANNELS]
    for name, parameter in own:
        if name in _OF_HEADS:
            continue
        if name not in _OF_CHANNELS and type(module).__name__ not in _ONE_WEIGHT_A_CHANNEL:
            raise UserError(
                f"{what} has the parameter '{name}', which cannot be made narrower; accepted: "
                "convolutions, linear layers, attention and normalisations. lean.narrow = 1 keeps "
                "the channels"
            )
        dimension = max(range(parameter.dim()), key=lambda d: parameter.shape[d])
        _regroup(parameter, factor, what, (dimension,))
    if not isinstance(getattr(module, "num_heads", None), int):
        return
    for name in ("head_dim", "attn_dim", "dim"):
        if isinstance(getattr(module, name, None), int):
            setattr(module, name, _divided(getattr(module, name), factor, what))
    if hasattr(module, "head_dim") and isinstance(getattr(module, "scale", None), float):
        module.scale = module.head_dim**-0.5


def narrow_modules(unit: nn.Module, factor: int) -> None:
    """Divides the channels of every layer of a unit by ``factor``, in place.

    Raises:
        UserError: for channels that the factor does not divide, for layers that cannot be made
            narrower, and for a unit that does not run any more.
    """
    kept = [
        getattr(module, _MIX_TOKENS[type(module).__name__])
        for module in unit.modules()
        if type(module).__name__ in _MIX_TOKENS
    ]
    with torch.no_grad():
        for path, module in unit.named_modules():
            if module in kept or any(part in _NOT_OF_CHANNELS for part in path.split(".")):
                continue
            what = f"layer '{path}' of unit '{unit.name}'" if path else f"unit '{unit.name}'"
            for kind, recipe in _RECIPES:
                if isinstance(module, kind):
                    recipe(module, factor, what)
                    break
            else:
                _narrow_own(module, factor, what)
    _try(unit, factor)


def _try(unit: Any, factor: int) -> None:
    """Runs the narrowed unit, since its layers alone do not tell whether it still works."""
    if not unit.input_shape:
        return
    shape = list(unit.input_shape)
    shape[1 if len(shape) == 2 else 0] //= factor
    parameter = next(unit.parameters(), torch.zeros(()))
    mode = unit.training
    unit.eval()
    try:
        with torch.no_grad():
            unit(torch.zeros(2, *shape, dtype=parameter.dtype, device=parameter.device))
    except Exception as error:
        raise UserError(
            f"unit '{unit.name}' does not run with its channels divided by {factor}: "
            f"{error}. lean.narrow = 1 keeps the channels"
        ) from error
    finally:
        unit.train(mode)
