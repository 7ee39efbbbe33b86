"""Units: the smallest pieces of a model that are never cut."""

from __future__ import annotations

import copy
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import torch
from torch import nn

from ._engine import UserError
from .fresh import fresh_copy
from .narrowing import narrow_modules

#: What a method without copies of units is called, for messages.
METHODS_WITHOUT_COPIES = "e2e, checkpoint, greedy, dgl, predsim, infopro, mlm"


def tensor_names(module: nn.Module) -> Dict[int, str]:
    """Of each parameter and buffer, by its ``id()``, the name that it has in the module."""
    names = {id(tensor): name for name, tensor in module.named_buffers()}
    names.update((id(tensor), name) for name, tensor in module.named_parameters())
    return names


class Unit(nn.Module):
    """Modules and functions, run in order.

    The parameters are the model's own tensors. What passes between the steps may be anything; the
    unit itself takes one tensor and gives one tensor, whose first dimension is the batch.

    Args:
        name: what logs and partitions call it: ``"layer1.0"``.
        steps: modules or functions, run one after the other.
        names: for a parameter's or buffer's ``id()`` the name that it has in the model. Others are
            named after the unit.
        own: parameters that functions among the steps read.
        no_copy: why the unit cannot be copied; empty if it can.
    """

    def __init__(
        self,
        name: str,
        steps: Iterable[Callable[..., Any]],
        names: Optional[Dict[int, str]] = None,
        own: Sequence[Tuple[str, nn.Parameter]] = (),
        no_copy: str = "",
    ) -> None:
        super().__init__()
        self.name = name
        self.no_copy = no_copy
        self.copies_input = False
        self.input_shape: Tuple[int, ...] = ()
        self.output_shape: Tuple[int, ...] = ()
        self._functions: Dict[int, Callable[..., Any]] = {}
        self._count = 0
        self._own = list(own)
        for step in steps:
            self._add(step)
        self._kept_in_evaluation: List[nn.Module] = []
        self._names = self._find_names(names or {})

    def _add(self, step: Callable[..., Any]) -> None:
        if isinstance(step, nn.Module):
            self.add_module(str(self._count), step)
        elif callable(step):
            self._functions[self._count] = step
        else:
            raise UserError(
                f"unit '{self.name}': a {type(step).__name__} can be no step of a unit; "
                "accepted: modules and functions"
            )
        self._count += 1

    def _find_names(self, known: Dict[int, str]) -> List[Tuple[str, str, bool]]:
        """Of each tensor its name in the model, its path in here, and whether it is trained."""
        found = []
        seen = {id(tensor) for _, tensor in self._own}
        kinds = (
            (True, nn.Module.named_parameters(self)),
            (False, nn.Module.named_buffers(self)),
        )
        for is_parameter, tensors in kinds:
            for path, tensor in tensors:
                if id(tensor) in seen:
                    continue
                seen.add(id(tensor))
                step, _, rest = path.partition(".")
                default = self.name + "." + (rest if self._count == 1 else path)
                found.append((known.get(id(tensor), default), path, is_parameter))
        return found

    @property
    def prefix(self) -> str:
        """What the engine puts ahead of the tensors' names."""
        front = self.name + "."
        names = [name for name, _ in self._own] + [name for name, _, _ in self._names]
        return self.name if names and all(name.startswith(front) for name in names) else ""

    def _tensors(self, parameters: bool) -> List[Tuple[str, torch.Tensor]]:
        cut = len(self.prefix) + 1 if self.prefix else 0
        named: List[Tuple[str, torch.Tensor]] = []
        if parameters:
            named += [(name[cut:], tensor) for name, tensor in self._own]
        for name, path, is_parameter in self._names:
            if is_parameter == parameters:
                owner, _, last = path.rpartition(".")
                named.append((name[cut:], getattr(self.get_submodule(owner), last)))
        return named

    def unit_parameters(self) -> List[Tuple[str, torch.Tensor]]:
        """Names, without the prefix, and parameters, each once."""
        return self._tensors(parameters=True)

    def unit_buffers(self) -> List[Tuple[str, torch.Tensor]]:
        """Names, without the prefix, and buffers, each once."""
        return self._tensors(parameters=False)

    def run(self, value: Any) -> Any:
        """What the steps give, whatever it is."""
        if self.copies_input:
            value = value.clone()
        for index in range(self._count):
            step: Any = self._functions.get(index) or self._modules[str(index)]
            value = step(value)
        return value

    def forward(self, value: torch.Tensor) -> Any:
        return self.run(value)

    def keep_evaluation(self) -> None:
        """Lets modules that are in evaluation mode now stay so when the unit is trained."""
        self._kept_in_evaluation = [
            module for module in self.modules() if module is not self and not module.training
        ]

    def train(self, mode: bool = True) -> "Unit":
        super().train(mode)
        for module in self._kept_in_evaluation:
            module.training = False
        return self

    def copied(self) -> "Unit":
        """A deep copy, which shares nothing.

        Raises:
            UserError: where it cannot be copied, naming the methods that need no copies.
        """
        why = self.no_copy
        if not why:
            try:
                copied = copy.deepcopy(self)
                for parameter in copied.parameters():
                    parameter.grad = None
                return copied
            except Exception as error:  # whatever a module's own __deepcopy__ raises
                why = f"copy.deepcopy says: {error}"
        raise UserError(
            f"unit '{self.name}' cannot be copied, as leap layers and twins are: {why}. "
            f"Methods that need no copies: {METHODS_WITHOUT_COPIES}"
        )

    def narrow(self, factor: int) -> None:
        """Divides the channels of all its layers, in place; see :mod:`mlaan.narrowing`."""
        narrow_modules(self, factor)

    def fresh(self, in_channels: int, stride: int) -> "Unit":
        """One of the same form, freshly initialised, for other inputs; see :mod:`mlaan.fresh`."""
        return fresh_copy(self, in_channels, stride)

    def extra_repr(self) -> str:
        return self.name
