"""Segments: pieces of a forward pass between which one tensor passes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NoReturn,
    Optional,
    Sequence,
    Tuple,
)

import torch
from torch import nn

from ._engine import UserError
from .unit import Unit

#: Layers with weights that join the unit before: normalisations and activations.
_JOINING = (
    nn.modules.batchnorm._BatchNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.LocalResponseNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.PReLU,
)
#: Classes that do not derive from these: timm's, and of newer releases of torch.
_JOINING_NAMES = ("Affine", "GlobalResponseNorm", "RmsNorm", "RMSNorm", "SimpleNorm")


def _joins_unit(layer: nn.Module) -> bool:
    return isinstance(layer, _JOINING) or type(layer).__name__ in _JOINING_NAMES


@dataclass
class Segment:
    """A piece of a forward pass.

    Attributes:
        name: the module's path in the model, or the function's name.
        call: the module or function.
        shape: of its output on the example, without the batch; ``None`` if that is no tensor with
            the batch first.
        own: parameters that a function reads.
        no_copy: why it cannot be copied; empty if it can.
    """

    name: str
    call: Callable[..., Any]
    shape: Optional[Tuple[int, ...]] = None
    own: List[Tuple[str, nn.Parameter]] = field(default_factory=list)
    no_copy: str = ""

    @property
    def layers(self) -> List[nn.Module]:
        """The modules within that have parameters of their own."""
        if not isinstance(self.call, nn.Module):
            return []
        return [
            module
            for module in self.call.modules()
            if next(module.parameters(recurse=False), None) is not None
        ]

    @property
    def has_parameters(self) -> bool:
        return bool(self.own or self.layers)

    @property
    def begins_unit(self) -> bool:
        """Whether it has parameters other than those of normalisations and activations."""
        return bool(self.own) or not all(_joins_unit(layer) for layer in self.layers)

    def follows_unit(self, before: "Segment") -> bool:
        """Whether it belongs to the layer before it, as activations and batch normalisations do."""
        known = all(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in self.layers)
        return known and not self.own and self.shape is not None and self.shape == before.shape

    @property
    def is_composite(self) -> bool:
        """Whether it is a block of several layers, rather than one layer of a stem."""
        return len(self.layers) > 1


@contextlib.contextmanager
def in_evaluation(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Puts modules and all within them into evaluation mode, and back into their own at its end."""
    tops = list(modules)
    modes = [(part, part.training) for module in tops for part in module.modules()]
    try:
        for module in tops:
            module.eval()
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def refuse_input(name: str, error: Exception) -> NoReturn:
    """Raises:
    UserError: naming a segment that cannot take the output of the one before.
    """
    raise UserError(f"'{name}' cannot take what comes before it: {error}") from error


def run_segments(segments: Sequence[Segment], example: torch.Tensor) -> None:
    """Finds the segments' shapes, in evaluation mode.

    Raises:
        UserError: naming the segment that cannot take the output of the one before.
    """
    value: Any = example.clone()
    modules = [segment.call for segment in segments if isinstance(segment.call, nn.Module)]
    with in_evaluation(modules), torch.no_grad():
        for segment in segments:
            try:
                value = segment.call(value)
            except Exception as error:
                refuse_input(segment.name, error)
            is_tensor = isinstance(value, torch.Tensor)
            is_batch = is_tensor and value.dim() > 1 and value.shape[0] == len(example)
            segment.shape = tuple(value.shape[1:]) if is_batch else None


def _head_start(segments: Sequence[Segment]) -> int:
    """The first segment of the head: behind the last one with weights whose output is not flat."""
    for index in range(len(segments) - 1, -1, -1):
        segment = segments[index]
        is_flat = segment.shape is not None and len(segment.shape) == 1
        if segment.begins_unit and not is_flat:
            start = index + 1
            while start < len(segments) and segments[start].follows_unit(segments[start - 1]):
                start += 1
            break
    else:
        weighted = [i for i, segment in enumerate(segments) if segment.begins_unit]
        start = weighted[-1] if weighted else len(segments)
    # A head needs weights of its own.
    if any(segment.begins_unit for segment in segments[start:]):
        return start
    weighted = [i for i, segment in enumerate(segments) if segment.begins_unit]
    return weighted[-1] if weighted else start


def grouped(
    segments: Sequence[Segment], begins_unit: Callable[[Segment], bool]
) -> List[List[Segment]]:
    """Groups segments to units: those with ``begins_unit`` begin one, others join the one before.

    A unit ends only where one tensor passes on, and holds at least one that begins a unit.
    """
    groups: List[List[Segment]] = []
    for segment in segments:
        open_end = bool(groups) and groups[-1][-1].shape is None
        has_weights = bool(groups) and any(begins_unit(part) for part in groups[-1])
        if groups and (open_end or not begins_unit(segment) or not has_weights):
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return groups


def _name_of(group: Sequence[Segment], taken: Sequence[str]) -> str:
    weighted = [segment for segment in group if segment.begins_unit] or list(group)
    name = weighted[0].name or "unit"
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def make_unit(name: str, group: Sequence[Segment], names: Dict[int, str]) -> Unit:
    """A unit of these segments."""
    own = [named for segment in group for named in segment.own]
    no_copy = next((segment.no_copy for segment in group if segment.no_copy), "")
    return Unit(name, [segment.call for segment in group], names, own, no_copy)


def group_segments(
    segments: Sequence[Segment], names: Dict[int, str]
) -> Tuple[List[Unit], Unit, int]:
    """Units, head, and the number of units without the stem.

    Raises:
        UserError: where there are fewer than two pieces with weights.
    """
    start = _head_start(segments)
    # A unit ends where one tensor passes.
    while 0 < start < len(segments) and segments[start - 1].shape is None:
        start += 1
    groups = grouped(segments[:start], lambda segment: segment.begins_unit)
    if not any(part.has_parameters for part in segments[:start]) or start >= len(segments):
        raise UserError(
            "a model needs at least two pieces with weights, a unit and a head, between which one "
            "tensor passes; found: " + ", ".join(segment.name for segment in segments)
        )
    units: List[Unit] = []
    for group in groups:
        units.append(make_unit(_name_of(group, [unit.name for unit in units]), group, names))
    head = make_unit("head", segments[start:], names)
    composite = [i for i, group in enumerate(groups) if any(part.is_composite for part in group)]
    # A stem is up to three layers before the first block; a network without blocks has none.
    stem = composite[0] if composite and composite[0] <= 3 else 0
    return units, head, len(units) - min(stem, len(units) - 1)
