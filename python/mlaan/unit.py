"""Units: the smallest pieces of a model, which are never cut."""

from __future__ import annotations

import copy
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import nn

from ._engine import UserError
from .arguments import type_of
from .fresh import fresh_copy
from .narrowing import narrow_modules

#: The methods that copy no units, for messages.
METHODS_WITHOUT_COPIES = "e2e, checkpoint, greedy, dgl, predsim, infopro, mlm"


def tensor_names(module: nn.Module) -> Dict[int, str]:
    """The name in the module of each parameter and buffer, by its ``id()``."""
    names = {id(tensor): name for name, tensor in module.named_buffers()}
    names.update((id(tensor), name) for name, tensor in module.named_parameters())
    return names


def buffers_read(module: nn.Module) -> Iterator[Tuple[nn.Module, str, torch.Tensor]]:
    """Module, name and tensor of each buffer that a forward pass in training mode may read.

    Batch normalisation does not read its running statistics when training.
    """
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._NormBase):
            continue
        for name, buffer in part._buffers.items():
            if buffer is not None:
                yield part, name, buffer


class Unit(nn.Module):
    """Modules and functions, run in order.

    The parameters are the model's own tensors. Steps may pass anything to each other; the unit
    itself takes one tensor and returns one tensor, whose first dimension is the batch.

    Args:
        name: its name in logs and partitions: ``"layer1.0"``.
        steps: modules or functions, run one after the other.
        names: names of parameters and buffers in the model, by their ``id()``. Others are named
            after the unit.
        own: parameters that functions among the steps read.
        no_copy: why the unit cannot be copied; empty if it can.

    Attributes:
        copies_input: whether it runs on a copy of its input, since it would change that in place.
        input_type: the type that whole numbers are converted to, which the engine passes on as
            floating point; ``None`` for no conversion.
        reads_zeros: whether it runs on zeros in the place of its input, as in trials, whose random
            numbers might be no valid indices.
        changing_buffers: buffers that a forward pass in training mode changes, other than running
            statistics.
        input_shape, output_shape: of one sample, once the chain was run.
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
        self.input_type: Optional[torch.dtype] = None
        self.reads_zeros = False
        self.changing_buffers: List[torch.Tensor] = []
        self._replaced: List[Tuple[nn.Module, str, torch.Tensor]] = []
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
                f"a step of unit '{self.name}' is {type_of(step)}; accepted: modules and functions"
            )
        self._count += 1

    def _find_names(self, known: Dict[int, str]) -> List[Tuple[str, str, bool]]:
        """Each tensor's name in the model, its path in the unit, and whether it is a parameter."""
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
                _, _, rest = path.partition(".")
                default = self.name + "." + (rest if self._count == 1 else path)
                found.append((known.get(id(tensor), default), path, is_parameter))
        return found

    @property
    def own(self) -> List[Tuple[str, nn.Parameter]]:
        """Names and parameters that functions among the steps read."""
        return self._own

    def steps(self) -> List[Callable[..., Any]]:
        """The modules and functions, in order."""
        return [self._functions.get(i) or self._step(i) for i in range(self._count)]

    def _step(self, index: int) -> Any:
        return self._modules[str(index)]

    @property
    def prefix(self) -> str:
        """What all tensors' names begin with; "" if there is nothing common."""
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
        """The result of all steps, whatever its type."""
        if self.reads_zeros:
            value = torch.zeros_like(value)
        if self.input_type is not None:
            value = value.to(self.input_type)
        if self.copies_input:
            value = value.clone()
        for index in range(self._count):
            step: Any = self._functions.get(index) or self._modules[str(index)]
            value = step(value)
        if self._replaced:
            self._put_buffers_back()
        return value

    def forward(self, value: torch.Tensor) -> Any:
        return self.run(value)

    def note_buffers(self, changing: List[torch.Tensor], replaced: List[Any]) -> None:
        """Says what a forward pass in training mode does to buffers.

        Args:
            changing: buffers whose numbers it changes.
            replaced: modules, names and tensors of buffers in whose place it puts new tensors; the
                new numbers are then copied into the old tensors, which the engine knows.
        """
        self.changing_buffers = changing
        self._replaced = replaced

    def _put_buffers_back(self) -> None:
        for module, name, tensor in self._replaced:
            now = module._buffers[name]
            if now is tensor or now is None:
                continue
            if now.shape != tensor.shape:
                raise UserError(
                    f"unit '{self.name}' replaces its buffer '{name}' of shape "
                    f"{tuple(tensor.shape)} by one of shape {tuple(now.shape)}; accepted: one of "
                    "the same shape"
                )
            with torch.no_grad():
                tensor.copy_(now)
            module._buffers[name] = tensor

    def keep_evaluation(self) -> None:
        """Makes modules that are in evaluation mode now stay in it when the unit is trained."""
        self._kept_in_evaluation = [
            module for module in self.modules() if module is not self and not module.training
        ]

    def train(self, mode: bool = True) -> "Unit":
        super().train(mode)
        for module in self._kept_in_evaluation:
            module.training = False
        return self

    def copied(self) -> "Unit":
        """A deep copy, which shares no tensor.

        Raises:
            UserError: if it cannot be copied, naming the methods that need no copies.
        """
        why = self.no_copy
        if not why:
            try:
                copied = copy.deepcopy(self)
                for parameter in copied.parameters():
                    parameter.grad = None
                return copied
            except Exception as error:  # a module's own __deepcopy__ may raise anything
                why = f"copy.deepcopy() fails: {error}"
        raise UserError(
            f"unit '{self.name}' cannot be copied, which leap layers and twins need: {why}. "
            f"Methods that need no copies: {METHODS_WITHOUT_COPIES}"
        )

    def narrow(self, factor: int) -> None:
        """Divides the channels of all its layers by ``factor``, in place; see mlaan.narrowing."""
        narrow_modules(self, factor)

    def fresh(self, in_channels: int, stride: int) -> "Unit":
        """A newly initialised unit of the same form, for other inputs; see :mod:`mlaan.fresh`."""
        return fresh_copy(self, in_channels, stride)

    def extra_repr(self) -> str:
        return self.name
