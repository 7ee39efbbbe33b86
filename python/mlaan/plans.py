"""Plans: methods by name, or functions that say which windows are supervised by which nets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import torch
from torch import nn

from . import _engine
from ._engine import UserError
from .arguments import of_kind
from .chain import Chain
from .unit import Unit, tensor_names

Loss = Union[str, Callable[..., torch.Tensor]]


@dataclass
class Net:
    """An auxiliary net of your own: it reads a module's output.

    Attributes:
        name: what its parameters' names begin with: ``"aux.1"``.
        layers: a module; or layers as text, ``["conv 3x3 64", "linear 10"]``.
        learning_rate: factor on that of the training.
    """

    name: str
    layers: Union[nn.Module, Sequence[str]]
    learning_rate: float = 1.0


@dataclass
class Supervision:
    """One objective: weight · loss(net(output of module ``last``)), for a window of modules.

    Modules are counted from 0. Where a window has several modules, the gradient travels through all
    of them, and no further.

    Attributes:
        net: a :class:`Net`, which several supervisions may share; ``None`` for the model's own
            head, at the last module.
        loss: a name (``"cross_entropy"``, ``"cross_entropy 0.1"``, …), or a function of the net's
            output and the labels, and of the images where it has an argument ``images``.
        probability: share of the steps, drawn at random, in which it is evaluated.
        course: ``"constant"``, or ``"linear"`` or ``"cosine"`` to ``final_weight``.
    """

    first: int
    last: int
    net: Optional[Net] = None
    loss: Loss = "cross_entropy"
    weight: float = 1.0
    name: str = "local"
    probability: float = 1.0
    course: str = "constant"
    final_weight: float = 1.0


class Partition:
    """How units are grouped into modules, for methods of your own.

    Indexed by a module's number it gives that module's units.
    """

    def __init__(self, units: Sequence[Unit], last_units: Sequence[int]) -> None:
        self.last_units = list(last_units)
        starts = [0] + [last + 1 for last in self.last_units[:-1]]
        self._modules = [
            list(units[first : last + 1]) for first, last in zip(starts, self.last_units)
        ]

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, module: int) -> List[Unit]:
        return self._modules[module]

    def output_shape(self, module: int) -> Tuple[int, ...]:
        """Shape of what a module gives, without the batch."""
        return self._modules[module][-1].output_shape


Method = Callable[[Sequence[Unit], Partition], Sequence[Supervision]]


def methods() -> Dict[str, str]:
    """The methods that can be asked for by name, and what each is. Hosts take additions:
    ``"dgl+mlm"``, ``"infopro+mlm+lam"``."""
    return dict(_engine.methods())


def settings(method: str) -> List[Dict[str, str]]:
    """The settings that a method reads: key, default, what is accepted, what it means."""
    keys = ("key", "default", "accepted", "help")
    return [dict(zip(keys, row)) for row in _engine.settings(method)]


def checked_loss(loss: Any) -> Any:
    """The loss, where it can be one: the extension checks the rest.

    Raises:
        UserError: for a class, and for a module whose parameters nothing would train.
    """
    if isinstance(loss, type):
        raise UserError(
            f"loss is the class {loss.__name__}; accepted: a function, such as an object of that "
            f"class, {loss.__name__}()"
        )
    if isinstance(loss, nn.Module) and any(p.requires_grad for p in loss.parameters()):
        raise UserError(
            f"loss {type(loss).__name__} has parameters, which no optimizer would step; let a net "
            "have them, or freeze them (requires_grad_(False))"
        )
    return loss


def check_nets(plan: "_engine.Plan", backbone: "_engine.Backbone", hint: str) -> None:
    """Runs every auxiliary net on two samples of zeros.

    Args:
        hint: what to do about a net that does not run.

    Raises:
        UserError: for a net that cannot take what its module gives, or that gives something else
            than a row for each sample.
    """
    seen = {"head"}
    for index, supervision in enumerate(plan.supervisions(backbone)):
        name, module = supervision["net"], supervision["last"] + 1
        if name in seen:
            continue
        seen.add(name)
        try:
            given = plan.probe(backbone, index)
        except Exception as error:  # of whatever the net is made of
            said = str(error).rstrip(".")
            raise UserError(
                f"net '{name}' cannot take what module {module} gives: {said}{hint}"
            ) from error
        if not given or given[0] != 2:
            raise UserError(
                f"net '{name}' gives a tensor of shape {tuple(given)} for a batch of 2; it must "
                "give a row for each sample"
            )


def _own_net(net: Net, backbone: "_engine.Backbone", unit: int, seed: int) -> "_engine.Net":
    layers: Any = net.layers
    if isinstance(layers, nn.Module):
        layers = Unit("net", [layers], tensor_names(layers))
    elif not isinstance(layers, (list, tuple)) or not all(isinstance(x, str) for x in layers):
        raise UserError(f"net '{net.name}': `layers` must be a module or a list of layers' texts")
    else:
        layers = list(layers)
    return _engine.Net(net.name, layers, backbone, unit, seed)


def own_plan(
    method: Method,
    chain: Chain,
    backbone: "_engine.Backbone",
    partition: Any,
    modules: int,
    seed: int,
) -> "_engine.Plan":
    """The plan of a method that is a function.

    Raises:
        UserError: for supervisions that do not fit the partition, or leave a module untrained.
    """
    cut = _engine.partition(backbone, partition, modules)
    pieces = Partition(chain.units, cut.last_units)
    given = method(chain.units, pieces)
    name = getattr(method, "__name__", "function")
    listed = list(of_kind(given, (list, tuple), f"what method {name} gave", "a list"))
    made: Dict[int, Any] = {}
    supervisions = []
    for supervision in listed:
        if not isinstance(supervision, Supervision):
            raise UserError(
                f"method {name} gave a {type(supervision).__name__} among its supervisions; "
                "accepted: mlaan.Supervision"
            )
        if not 0 <= supervision.first <= supervision.last < len(pieces):
            raise UserError(
                f"supervision '{supervision.name}' is of modules {supervision.first} to "
                f"{supervision.last}; a window must lie within modules 0 to {len(pieces) - 1} and "
                "not end before it begins"
            )
        net = supervision.net
        if net is not None and id(net) not in made:
            unit = cut.last_units[supervision.last]
            made[id(net)] = _own_net(net, backbone, unit, seed)
        supervisions.append(
            _engine.Supervision(
                supervision.name,
                supervision.first,
                supervision.last,
                None if net is None else made[id(net)],
                checked_loss(supervision.loss),
                supervision.weight,
                supervision.probability,
                supervision.course,
                supervision.final_weight,
                backbone,
            )
        )
    plan = _engine.Plan(
        backbone, cut, supervisions, [item.loss for item in listed], list(made.values())
    )
    plan.set_net_learning_rates(
        {item.net.name: item.net.learning_rate for item in listed if item.net is not None}
    )
    return plan


def replace_nets(
    plan: "_engine.Plan",
    backbone: "_engine.Backbone",
    make: Callable[..., Optional[nn.Module]],
    seed: int,
) -> None:
    """Puts modules of the user's in the place of a method's auxiliary nets.

    Args:
        make: called with a net's name, the shape of what it reads and the number of classes; gives
            a module, or ``None`` to keep the method's net.
    """

    def own(name: str, unit: int) -> Optional["_engine.Net"]:
        shape = tuple(backbone.output_shape(unit))
        module = make(name, shape, backbone.classes)
        return None if module is None else _own_net(Net(name, module), backbone, unit, seed)

    plan.replace_nets(backbone, own)
