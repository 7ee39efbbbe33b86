"""Finds by autograd's graph which parameters each unit's output depends on."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

import torch
from torch import nn

from ._engine import UserError
from .chain import Chain, parameter_name, untouched
from .unit import Unit, buffers_read


def _leaves(part: Unit, output: torch.Tensor) -> Iterator[torch.Tensor]:
    """The leaves of the output's graph, which a gradient would reach.

    Raises:
        UserError: for a node that works in loss.backward() alone.
    """
    waiting, seen = [output.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if type(node).__name__ == "CheckpointFunctionBackward":
            raise UserError(
                f"unit '{part.name}' calls torch.utils.checkpoint with use_reentrant=True, which "
                "works in loss.backward() alone; accepted: use_reentrant=False, or no checkpoint "
                "and recompute='unit' of the engine"
            )
        variable = getattr(node, "variable", None)
        if variable is not None:
            yield variable
        waiting += [following for following, _ in node.next_functions]


def check_reach(chain: Chain, example: torch.Tensor) -> None:
    """Runs each part on the example in training mode and follows its graph to the parameters.

    Notes in each unit which buffers the forward pass changes.

    Raises:
        UserError: for a part that reads a parameter of another part or of no module, and for one
            whose output has no gradient.
    """
    modules = [module for part in chain.parts() for module in part.modules()]
    own = {id(parameter): part for part in chain.parts() for parameter in part.parameters()}
    for part in chain.parts():
        own.update((id(parameter), part) for _, parameter in part.unit_parameters())
    with untouched(modules, example.device), torch.enable_grad():
        # Batch normalisation may have no statistics of a single sample.
        value = example.detach() if len(example) > 1 else torch.cat([example, example]).detach()
        for part in chain.parts():
            given = value.detach()
            if given.is_floating_point():
                given.requires_grad_()
            passed = given.clone()  # a leaf could not be changed in place
            before = _Buffers(part)
            value = part.run(passed)
            before.note_changes()
            _check_input(part, passed, given)
            own[id(given)] = part
            _check_part(chain, part, value, own)


class _Buffers:
    """A unit's buffers before a forward pass in training mode, to find those that it changes."""

    def __init__(self, part: Unit) -> None:
        self._part = part
        self._held: List[Tuple[nn.Module, str, torch.Tensor, torch.Tensor]] = [
            (module, name, buffer, buffer.clone()) for module, name, buffer in buffers_read(part)
        ]

    def note_changes(self) -> None:
        changing: List[torch.Tensor] = []
        replaced: List[Any] = []
        for module, name, buffer, value in self._held:
            now = module._buffers[name]
            if now is not buffer:
                replaced.append((module, name, buffer))
            if now is not buffer or not torch.equal(buffer, value):
                changing.append(buffer)
        self._part.note_buffers(changing, replaced)


def _check_input(part: Unit, passed: torch.Tensor, given: torch.Tensor) -> None:
    if passed._version == 0 and not torch.equal(passed.nan_to_num(), given.nan_to_num()):
        raise UserError(
            f"unit '{part.name}' changes its input in place where autograd cannot see it (.data, "
            "numpy()), but the unit before still needs it; change a copy instead"
        )


def _check_part(chain: Chain, part: Unit, output: torch.Tensor, own: Dict[int, Unit]) -> None:
    trained = any(parameter.requires_grad for _, parameter in part.unit_parameters())
    if not output.requires_grad and (trained or part is not chain.units[0]):
        raise UserError(
            f"the output of unit '{part.name}' has no gradient, so it and the units before it "
            "would never be trained; remove its detach() or torch.no_grad()"
        )
    for leaf in _leaves(part, output):
        owner = own.get(id(leaf))
        if owner is part:
            continue
        if owner is None:
            raise UserError(
                f"unit '{part.name}' reads a tensor of shape {tuple(leaf.shape)} that requires a "
                "gradient but is no parameter of its modules, so nothing would train it; register "
                "it as a parameter, or detach it"
            )
        raise UserError(
            f"unit '{part.name}' reads the parameter '{parameter_name(chain, leaf)}' of unit "
            f"'{owner.name}'; a parameter can be trained in one module only, so put both units and "
            "those between them into one piece: mlaan.units([piece, piece, ...], example=...)"
        )
