"""Which parameters a part's output depends on, by the graph that autograd keeps."""

from __future__ import annotations

from typing import Dict, Iterator

import torch

from ._engine import UserError
from .chain import Chain, parameter_name, untouched
from .unit import Unit


def _leaves(output: torch.Tensor) -> Iterator[torch.Tensor]:
    """The leaves that a gradient of the output would reach."""
    waiting, seen = [output.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            yield variable
        waiting += [following for following, _ in node.next_functions]


def check_reach(chain: Chain, example: torch.Tensor) -> None:
    """Runs each part on the example in training mode and looks where its gradient would go.

    Raises:
        UserError: for a part that reads a parameter of another, or one that no module has, and for
            one whose output is cut off from its own parameters.
    """
    modules = [module for part in chain.parts() for module in part.modules()]
    own = {id(parameter): part for part in chain.parts() for parameter in part.parameters()}
    for part in chain.parts():
        own.update((id(parameter), part) for _, parameter in part.unit_parameters())
    with untouched(modules, example.device), torch.enable_grad():
        # Of one sample batch normalisation may have no statistics.
        value = example.detach() if len(example) > 1 else torch.cat([example, example]).detach()
        for part in chain.parts():
            given = value.detach()
            if given.is_floating_point():
                given.requires_grad_()
            passed = given.clone()  # in place, a leaf could not be changed
            value = part.run(passed)
            _check_input(part, passed, given)
            own[id(given)] = part
            _check_part(chain, part, value, own)


def _check_input(part: Unit, passed: torch.Tensor, given: torch.Tensor) -> None:
    if passed._version == 0 and not torch.equal(passed.nan_to_num(), given.nan_to_num()):
        raise UserError(
            f"unit '{part.name}' changes its input in place where autograd cannot see it (.data, "
            "numpy()), but the unit before still needs it; let it change a copy"
        )


def _check_part(chain: Chain, part: Unit, output: torch.Tensor, own: Dict[int, Unit]) -> None:
    trained = any(parameter.requires_grad for _, parameter in part.unit_parameters())
    if not output.requires_grad and (trained or part is not chain.units[0]):
        raise UserError(
            f"what unit '{part.name}' gives has no gradient, so it and the units before it would "
            "never be trained: it detaches its output, or runs under torch.no_grad()"
        )
    for leaf in _leaves(output):
        owner = own.get(id(leaf))
        if owner is part:
            continue
        if owner is None:
            raise UserError(
                f"unit '{part.name}' reads a tensor of shape {tuple(leaf.shape)} that wants a "
                "gradient and is no parameter of its modules, so nothing would train it: register "
                "it as a parameter, or detach it"
            )
        raise UserError(
            f"unit '{part.name}' reads the parameter '{parameter_name(chain, leaf)}' of unit "
            f"'{owner.name}'; a parameter can be trained in one module only: join what lies "
            "between them by hand"
        )
