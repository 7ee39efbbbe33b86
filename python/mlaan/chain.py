"""Chains: a model as a sequence of units and a head."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from . import _engine
from ._engine import UserError
from .arguments import type_of
from .unit import Unit

#: Rows and columns of the patches, number of tokens before them, and whether the first of those is
#: a class token.
TokenLayout = Tuple[int, int, int, bool]


class Chain:
    """A model cut into units and a head, as :func:`mlaan.units` returns it.

    Attributes:
        name: of the model.
        units: the units, in order.
        head: turns the last unit's output into logits, (batch, classes).
        model: the model that was cut; ``None`` where the parts were given by hand.
        block_count: the number of units without those of the stem.
        example: the batch that it was cut with.
        tokens: where the units return tokens, how these lie on the image: rows and columns of the
            patches, number of tokens before them, and whether the first of those is a class token.
            ``None`` if that is not known: a square of patches, with or without a class token, is
            then assumed.
    """

    def __init__(
        self,
        name: str,
        units: Sequence[Unit],
        head: Unit,
        model: Optional[nn.Module] = None,
        block_count: Optional[int] = None,
        example: Optional[torch.Tensor] = None,
        tokens: Optional[TokenLayout] = None,
    ) -> None:
        self.name = name
        self.units = list(units)
        self.head = head
        self.model = model
        self.block_count = block_count or len(self.units)
        self.example: Any = example
        self.tokens = tokens
        if not self.units:
            raise UserError(f"{name} has no unit before its head; it needs at least one")
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
        """Sets the mode of all parts, except modules that were in evaluation mode when cut."""
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
        """Runs the example through the chain in evaluation mode, to find the units' shapes.

        Raises:
            UserError: naming the unit whose output cannot be passed on.
        """
        self.example = example
        if not example.is_floating_point():
            self.units[0].input_type = example.dtype
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
                    _check_output(part, value, len(example), self._dtype())
                    part.output_shape = tuple(value.shape[1:])
        finally:
            self.train(True)
        if value.dim() != 2:
            raise UserError(
                f"the head of {self.name} must return a row of logits for each sample, (batch, "
                f"classes); it returned a tensor of shape {tuple(value.shape)}"
            )

    def _dtype(self) -> torch.dtype:
        parameter = next((p for part in self.parts() for p in part.parameters()), None)
        return torch.float32 if parameter is None else parameter.dtype

    def copied(self) -> "Chain":
        """A chain of copies, which shares no tensor with this one."""
        return Chain(
            self.name,
            [unit.copied() for unit in self.units],
            self.head.copied(),
            block_count=self.block_count,
            example=self.example,
            tokens=self.tokens,
        )

    def to_backbone(self) -> "_engine.Backbone":
        """The same units for the C++ engine; they share all tensors."""
        shape = list(self.example.shape[1:])
        return _engine.Backbone(
            self.name, self.units, [self.head], shape, self.block_count, self.tokens
        )

    def __len__(self) -> int:
        return len(self.units)

    def __repr__(self) -> str:
        lines = [f"Chain {self.name}:"]
        for part in self.parts():
            count = sum(parameter.numel() for _, parameter in part.unit_parameters())
            shape = "×".join(str(size) for size in part.output_shape)
            lines.append(f"  {part.name}: {shape}, {count:,} parameters")
        return "\n".join(lines)


def _check_output(part: Unit, value: object, batch: int, dtype: torch.dtype) -> None:
    if not isinstance(value, torch.Tensor):
        raise UserError(
            f"unit '{part.name}' returns a value {type_of(value)}; from unit to unit one tensor "
            "must pass"
        )
    if value.is_inference():
        raise UserError(
            f"unit '{part.name}' returns a tensor made under torch.inference_mode(), through which "
            "no gradient passes; call this, and let units run, outside of it"
        )
    if value.dtype != dtype:
        raise UserError(
            f"unit '{part.name}' returns a tensor of the type {value.dtype}; accepted: {dtype}, "
            "the type of the model's parameters. Convert it at the end of the unit, or put it and "
            "the next unit into one piece: mlaan.units([piece, piece, ...], example=...)"
        )
    if value.dim() < 2 or value.shape[0] != batch:
        raise UserError(
            f"unit '{part.name}' must return a row or map for each sample of the batch of "
            f"{batch}; it returned a tensor of shape {tuple(value.shape)}"
        )


@contextlib.contextmanager
def untouched(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Restores modules' buffers and modes, and the random generators, at its end."""
    held = [(module, dict(module._buffers)) for module in modules]
    saved = [
        (buffer, buffer.clone())
        for _, buffers in held
        for buffer in buffers.values()
        if buffer is not None and not is_lazy(buffer)
    ]
    modes = [(module, module.training) for module in modules]
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        with torch.no_grad():
            for module, own in held:
                module._buffers.update(own)  # a forward pass may have put others in their place
            for buffer, value in saved:
                buffer.copy_(value)
        for module, mode in modes:
            module.training = mode


def output_of(
    forward: Callable[..., torch.Tensor],
    modules: Sequence[nn.Module],
    example: torch.Tensor,
    training: bool,
) -> torch.Tensor:
    """What a function gives on the example, with these modules in training or evaluation mode."""
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
    """Runs model and chain on the example, in both modes, and compares the logits bit for bit.

    On CUDA, where a library may choose another algorithm each time, to a thousandth of the largest.

    Raises:
        UserError: if they differ, or the model does not return one tensor.
    """
    model = chain.model
    assert model is not None
    modules = [*model.modules(), *(module for part in chain.parts() for module in part.modules())]
    for training in (False, True):
        mode = "training" if training else "evaluation"
        if training and len(example) < 2:
            continue  # batch normalisation may refuse a single sample
        expected = output_of(model, modules, example, training)
        if not isinstance(expected, torch.Tensor):
            raise UserError(
                f"{chain.name} returns a value {type_of(expected)} in {mode} mode; accepted: a "
                "model that returns one tensor, the logits (switch auxiliary outputs off, or wrap "
                "the model in one that returns the logits alone)"
            )
        given = output_of(chain.forward, modules, example, training)
        if not _same(given, expected):
            raise UserError(
                f"{chain.name}, cut into {', '.join(part.name for part in chain.parts())}, does "
                f"not give in {mode} mode what the model gives: {_difference(given, expected)}. "
                "Code that reads self.training outside of blocks is followed in one mode alone; "
                "use modules there (nn.Dropout, nn.BatchNorm2d), or give the pieces by hand: "
                "mlaan.units([piece, piece, ...], example=...)"
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
    UserError: naming a parameter of the model that is in no unit, or in two.
    """
    owners: Dict[int, str] = {}  # by address, since two parameters may share their memory
    for part in chain.parts():
        for _, parameter in part.unit_parameters():
            before: str = owners.setdefault(parameter.data_ptr() or id(parameter), part.name)
            if before != part.name:
                name = parameter_name(chain, parameter)
                raise UserError(
                    f"units '{before}' and '{part.name}' share the parameter '{name}'; a "
                    "parameter can be trained in one module only, so put both units and those "
                    "between them into one piece: mlaan.units([piece, piece, ...], example=...)"
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
