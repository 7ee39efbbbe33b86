"""Narrower copies of layers: fewer channels, each standing for a group of the original's."""

from __future__ import annotations

from typing import Any, Callable, List, Tuple

import torch
from torch import nn

from . import _engine
from ._engine import UserError

#: Parameters that have one number a head, and stay as they are.
_OF_HEADS = ("relative_position_bias_table", "logit_scale")
#: Parameters that modules have beside their layers', with the channels in the first dimension, or
#: in the last.
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
#: Modules with one weight a channel that have a recipe of no one's.
_ONE_WEIGHT_A_CHANNEL = ("GlobalResponseNorm", "GRN", "Affine", "LayerScale2d")
#: Modules that compute one number a head, or mix tokens, not channels: they stay as they are.
_NOT_OF_CHANNELS = ("cpb_mlp", "mlp_tokens", "linear_tokens")
#: Modules whose layer of that name mixes tokens.
_MIX_TOKENS = {"SpatialGatingUnit": "proj"}


def _divided(count: int, factor: int, what: str) -> int:
    if count % factor:
        raise UserError(
            f"{what} has {count} channels, which {factor} does not divide; it cannot be made "
            "narrower by that (lean.narrow = 1 keeps the channels)"
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


def _narrow_convolution(layer: nn.Conv2d, factor: int, what: str) -> None:
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
        raise UserError(f"{what} normalises over {len(layer.normalized_shape)} dimensions")
    layer.normalized_shape = (_divided(layer.normalized_shape[0], factor, what),)
    for tensor in (layer.weight, layer.bias):
        _regroup(tensor, factor, what, (0,))


def _narrow_group_norm(layer: nn.GroupNorm, factor: int, what: str) -> None:
    layer.num_channels = _divided(layer.num_channels, factor, what)
    if layer.num_channels % layer.num_groups:
        raise UserError(f"{what} has {layer.num_groups} groups, too many for fewer channels")
    for tensor in (layer.weight, layer.bias):
        _regroup(tensor, factor, what, (0,))


def _narrow_attention(layer: nn.MultiheadAttention, factor: int, what: str) -> None:
    if layer.in_proj_weight is None or layer.bias_k is not None:
        raise UserError(f"{what} has separate projections, for which there is no recipe")
    layer.head_dim = _divided(layer.head_dim, factor, what)  # a group lies within one head
    layer.embed_dim = layer.kdim = layer.vdim = layer.head_dim * layer.num_heads
    _regroup(layer.in_proj_weight, factor, what, (0, 1))
    _regroup(layer.in_proj_bias, factor, what, (0,))


_RECIPES: List[Tuple[type, Callable[..., None]]] = [
    (nn.Conv2d, _narrow_convolution),
    (nn.Linear, _narrow_linear),
    (nn.modules.batchnorm._BatchNorm, _narrow_batch_norm),
    (nn.LayerNorm, _narrow_layer_norm),
    (nn.GroupNorm, _narrow_group_norm),
    (nn.MultiheadAttention, _narrow_attention),
]


def _narrow_own(module: Any, factor: int, what: str) -> None:
    """Parameters beside those of layers, and numbers that follow from the width."""
    own: List[Tuple[str, Any]] = [*module.named_parameters(recurse=False)]
    own += [pair for pair in module.named_buffers(recurse=False) if pair[0] in _OF_CHANNELS]
    for name, parameter in own:
        if name in _OF_HEADS:
            continue
        if name not in _OF_CHANNELS and type(module).__name__ not in _ONE_WEIGHT_A_CHANNEL:
            raise UserError(
                f"{what} has the parameter '{name}', for which there is no recipe to make it "
                "narrower; accepted are convolutions, linear layers, attention and normalisations. "
                "lean.narrow = 1 keeps the channels"
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
    """Divides the channels of every layer of a unit by ``factor``, its weights grouped, in place.

    Raises:
        UserError: for channels that the factor does not divide, and for layers without a recipe.
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
    """Refuses a unit that does not run any more; by its layers alone that cannot be told."""
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
