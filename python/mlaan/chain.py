"""Chains: a model as units one after the other, and a head."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

import torch
from torch import nn

from . import _engine
from ._engine import UserError
from .unit import Unit


class Chain:
    """A model cut into units and a head, as :func:`mlaan.units` gives it.

    Attributes:
        name: of the model.
        units: the units, in order.
        head: what turns the last unit's output into logits, (batch, classes).
        model: the model that was cut; ``None`` where the parts were given by hand.
        block_count: the units without those of the stem.
    """

    def __init__(
        self,
        name: str,
        units: Sequence[Unit],
        head: Unit,
        model: Optional[nn.Module] = None,
        block_count: Optional[int] = None,
        example: Optional[torch.Tensor] = None,
    ) -> None:
        self.name = name
        self.units = list(units)
        self.head = head
        self.model = model
        self.block_count = block_count or len(self.units)
        self.example: Any = example
        if not self.units:
            raise UserError(f"{name} has no unit besides its head; it needs at least one")
        inner = [module for part in self.parts() for module in part.modules() if module is not part]
        if inner and not any(module.training for module in inner):
            self.train()  # loaded for evaluation, not frozen
        for part in self.parts():
            part.keep_evaluation()

    def parts(self) -> Iterator[Unit]:
        """Units and head."""
        yield from self.units
        yield self.head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, through all units and the head."""
        value = images
        for part in self.parts():
            value = part(value)
        return value

    __call__ = forward

    def train(self, mode: bool = True) -> "Chain":
        """Sets the mode of all parts; what was in evaluation mode when they were cut stays so."""
        for part in self.parts():
            part.train(mode)
        return self

    def parameters(self) -> Iterator[nn.Parameter]:
        """Those of all parts: the model's own."""
        for part in self.parts():
            yield from part.parameters()

    def names(self) -> List[str]:
        """Of the units, as ``partition=`` takes them."""
        return [unit.name for unit in self.units]

    def find_shapes(self, example: torch.Tensor) -> None:
        """Runs the example through the chain in evaluation mode, to fill the units' shapes.

        Raises:
            UserError: naming the unit that cannot take what the one before gives.
        """
        self.example = example
        value = example.clone()
        self.train(False)
        try:
            with torch.no_grad():
                for part in self.parts():
                    part.input_shape = tuple(value.shape[1:])
                    version, given = value._version, value
                    value = part.run(value)
                    if part is self.head and given._version != version:
                        part.copies_input = True  # auxiliary nets read the same tensor
                    _check_output(part, value, len(example))
                    part.output_shape = tuple(value.shape[1:])
        finally:
            self.train(True)
        if value.dim() != 2:
            raise UserError(
                f"the head of {self.name} must give one row of logits a sample, (batch, classes); "
                f"it gave a tensor of shape {tuple(value.shape)}"
            )

    def copied(self) -> "Chain":
        """A chain of copies, which shares nothing with this one."""
        chain = Chain(
            self.name,
            [unit.copied() for unit in self.units],
            self.head.copied(),
            block_count=self.block_count,
            example=self.example,
        )
        return chain

    def to_backbone(self) -> "_engine.Backbone":
        """What the engine reads; it shares all tensors."""
        shape = list(self.example.shape[1:])
        return _engine.Backbone(self.name, self.units, [self.head], shape, self.block_count)

    def __len__(self) -> int:
        return len(self.units)

    def __repr__(self) -> str:
        lines = [f"Chain {self.name}:"]
        for part in self.parts():
            count = sum(parameter.numel() for _, parameter in part.unit_parameters())
            shape = "×".join(str(size) for size in part.output_shape)
            lines.append(f"  {part.name}: {shape}, {count:,} parameters")
        return "\n".join(lines)


def _check_output(part: Unit, value: object, batch: int) -> None:
    if not isinstance(value, torch.Tensor):
        raise UserError(
            f"unit '{part.name}' gives a {type(value).__name__}; what passes from unit to unit "
            "must be one tensor"
        )
    if value.is_inference():
        raise UserError(
            f"unit '{part.name}' gives a tensor of torch.inference_mode(), which cannot be trained "
            "through; call this, and let units run, outside of it"
        )
    if value.dim() < 2 or value.shape[0] != batch:
        raise UserError(
            f"unit '{part.name}' must give one row or map for each sample of the batch of {batch}; "
            f"it gave a tensor of shape {tuple(value.shape)}"
        )


@contextlib.contextmanager
def untouched(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Puts modules' buffers and modes, and the random generators, back as they were."""
    buffers = [buffer for module in modules for buffer in module.buffers(recurse=False)]
    saved = [(buffer, buffer.clone()) for buffer in buffers]
    modes = [(module, module.training) for module in modules]
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        with torch.no_grad():
            for buffer, value in saved:
                buffer.copy_(value)
        for module, mode in modes:
            module.training = mode


def _output(
    forward: Callable[..., torch.Tensor],
    modules: Sequence[nn.Module],
    example: torch.Tensor,
    training: bool,
) -> torch.Tensor:
    with untouched(modules, example.device), torch.no_grad():
        for module in modules:
            module.training = training
        torch.manual_seed(0)
        return forward(example.clone())


def _same(given: torch.Tensor, expected: torch.Tensor) -> bool:
    if given.shape != expected.shape:
        return False
    if given.is_cuda:  # where a library may choose another algorithm the next time
        scale = float(expected.abs().max())
        return torch.allclose(given, expected, rtol=1e-3, atol=1e-3 * scale)
    return torch.equal(given, expected)


def check_equals_model(chain: Chain, example: torch.Tensor) -> None:
    """Runs model and chain on the example, in both modes, and compares to the last bit.

    On CUDA to a thousandth of the largest.

    Raises:
        UserError: where they differ, or the model does not give one tensor.
    """
    model = chain.model
    assert model is not None
    modules = [*model.modules(), *(module for part in chain.parts() for module in part.modules())]
    for training in (False, True):
        mode = "training" if training else "evaluation"
        if training and len(example) < 2:
            continue  # batch normalisation may refuse a single sample
        expected = _output(model, modules, example, training)
        if not isinstance(expected, torch.Tensor):
            raise UserError(
                f"{chain.name} gives a {type(expected).__name__} in {mode} mode; what is trained "
                "must give one tensor, the logits (for networks with auxiliary outputs switch "
                "these off)"
            )
        given = _output(chain.forward, modules, example, training)
        if not _same(given, expected):
            raise UserError(
                f"{chain.name}, cut into {', '.join(part.name for part in chain.parts())}, does "
                f"not give in {mode} mode what the model gives: {_difference(given, expected)}. "
                "Give the pieces by hand: mlaan.units([piece, piece, ...], example=...)"
            )


def _difference(given: torch.Tensor, expected: torch.Tensor) -> str:
    if given.shape != expected.shape:
        return f"shape {tuple(given.shape)} instead of {tuple(expected.shape)}"
    return f"logits differ by up to {float((given - expected).abs().max()):.3g}"


def parameter_name(chain: Chain, wanted: torch.Tensor) -> str:
    """The name of a parameter of the chain, in its model where there is one."""
    for part in chain.parts():
        for name, parameter in part.unit_parameters():
            if parameter is wanted:
                return f"{part.prefix}.{name}" if part.prefix else name
    return "?"


def check_has_all_parameters(chain: Chain) -> None:
    """Raises:
    UserError: naming a parameter of the model that no unit has, or that two have.
    """
    owners: Dict[int, str] = {}  # by memory, which two parameters may share too
    for part in chain.parts():
        for _, parameter in part.unit_parameters():
            before: str = owners.setdefault(parameter.data_ptr() or id(parameter), part.name)
            if before != part.name:
                name = parameter_name(chain, parameter)
                raise UserError(
                    f"units '{before}' and '{part.name}' share the parameter '{name}'; a "
                    "parameter can be trained in one module only, so give it to one unit: join "
                    "what lies between them by hand"
                )
    if chain.model is None:
        return
    for name, parameter in chain.model.named_parameters():
        place = parameter.data_ptr() or id(parameter)
        if place not in owners and parameter.requires_grad:
            raise UserError(
                f"parameter '{name}' of {chain.name} is in no unit: nothing that the forward pass "
                "runs on the example reads it. Freeze it (requires_grad_(False)), or give the "
                "pieces by hand"
            )
