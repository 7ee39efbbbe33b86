"""How outputs lie between units: maps with channels first, sequences, grids of tokens."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from torch import nn

from ._engine import UserError
from .arguments import flag, of_kind, whole
from .chain import Chain, TokenLayout
from .unit import Unit

#: Layers whose output is a sequence with channels first, (batch, channels, length).
_CHANNELS_FIRST = (
    nn.Conv1d,
    nn.ConvTranspose1d,
    nn.BatchNorm1d,
    nn.InstanceNorm1d,
    nn.GroupNorm,
)


class _Turn(nn.Module):
    """Rearranges maps of one rank, without a copy; passes everything else on."""

    def __init__(self, rank: int, order: Sequence[int]) -> None:
        super().__init__()
        self.rank = rank
        self.order = tuple(order)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return value.permute(self.order) if value.dim() == self.rank else value


class _SequenceToMap(nn.Module):
    """(batch, channels, length) → (batch, channels, 1, length), without a copy."""

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return value.unsqueeze(2)


class _MapToSequence(nn.Module):
    """(batch, channels, 1, length) → (batch, channels, length), without a copy."""

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return value.squeeze(2)


def _gives_channels_last(model: Optional[nn.Module]) -> bool:
    """Whether its blocks pass maps on as (batch, height, width, channels), as Swins do."""
    modules = model.modules() if model is not None else ()
    return any(type(module).__name__.startswith("Swin") for module in modules)


def _gives_sequence(unit: Unit) -> bool:
    """Whether it ends with a layer whose output is (batch, channels, length)."""
    if len(unit.output_shape) != 2:
        return False
    layers: List[Any] = [
        module
        for module in unit.modules()
        if not isinstance(module, nn.PReLU)
        and next(module.parameters(recurse=False), None) is not None
    ]
    if not layers or not isinstance(layers[-1], _CHANNELS_FIRST):
        return False
    names = ("out_channels", "num_features", "num_channels")
    channels = next(
        (getattr(layers[-1], name, None) for name in names if hasattr(layers[-1], name))
    )
    return unit.output_shape[0] == channels


def with_maps_between(chain: Chain, names: Dict[int, str]) -> Chain:
    """The chain, with outputs turned so that auxiliary nets read them as maps (C, h, w).

    Args:
        names: of the model's tensors by ``id()``.
    """
    last = _gives_channels_last(chain.model)
    sequences = [_gives_sequence(unit) for unit in chain.units]
    if not last and not any(sequences):
        return chain
    made: List[Unit] = []
    before: Optional[nn.Module] = None  # what turns the previous unit's output back
    for part, is_sequence in zip(chain.parts(), [*sequences, False]):
        steps: List[Any] = [] if before is None else [before]
        steps += part.steps()
        before = None
        if part is not chain.head and last:
            steps.append(_Turn(4, (0, 3, 1, 2)))
            before = _Turn(4, (0, 2, 3, 1))
        elif is_sequence:
            steps.append(_SequenceToMap())
            before = _MapToSequence()
        made.append(Unit(part.name, steps, names, part.own, part.no_copy))
    turned = Chain(chain.name, made[:-1], made[-1], chain.model, chain.block_count)
    turned.find_shapes(chain.example)
    return turned


def checked_layout(tokens: Any) -> Optional[TokenLayout]:
    """A layout that the user gives: rows, columns, tokens before the patches, and, where the first
    of those is no class token, False.

    Raises:
        UserError: for anything else.
    """
    if tokens is None:
        return None
    accepted = "(rows, columns, tokens before the patches)"
    given = list(of_kind(tokens, (list, tuple), "tokens", accepted))
    if len(given) not in (3, 4):
        raise UserError(f"tokens has {len(given)} numbers; accepted: {accepted}")
    rows, columns = (whole(size, 1, "a side of tokens") for size in given[:2])
    before = whole(given[2], 0, "the number of tokens before the patches")
    class_token = flag(given[3], "the last item of tokens") if len(given) == 4 else before > 0
    return rows, columns, before, class_token


def check_layout(chain: Chain) -> None:
    """Raises:
    UserError: for a layout that no unit's output has.
    """
    if chain.tokens is None:
        return
    rows, columns, before, _ = chain.tokens
    counts = sorted({unit.output_shape[0] for unit in chain.units if len(unit.output_shape) == 2})
    if rows * columns + before not in counts:
        found = ", ".join(str(count) for count in counts) or "none"
        raise UserError(
            f"tokens is {(rows, columns, before)}, {rows * columns + before} in all; the units of "
            f"{chain.name} return other numbers of tokens: {found}"
        )


def timm_layout(model: Any, shapes: Sequence[Tuple[int, ...]]) -> Optional[TokenLayout]:
    """The layout that a vision transformer of timm's has, if it fits the units' outputs."""
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    before = getattr(model, "num_prefix_tokens", None)
    if not isinstance(grid, (tuple, list)) or not isinstance(before, int) or len(grid) != 2:
        return None
    rows, columns = (int(size) for size in grid)
    if not any(len(shape) == 2 and shape[0] == rows * columns + before for shape in shapes):
        return None
    class_token = getattr(model, "cls_token", None) is not None
    return rows, columns, before, before > 0 and class_token
