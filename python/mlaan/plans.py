"""Plans of training: the supervisions of methods, by name or made by the user's functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import torch
from torch import nn

from . import _engine
from ._engine import UserError
from .arguments import number, of_kind, type_of, whole
from .chain import Chain
from .unit import Unit, buffers_read, tensor_names

Loss = Union[str, Callable[..., torch.Tensor]]


@dataclass
class Net:
    """An auxiliary net of your own, which reads a module's output.

    Attributes:
        name: the prefix of its parameters' names: ``"aux.1"``.
        layers: a module; or layers as text, ``["conv 3x3 64", "linear 10"]``.
        learning_rate: factor on the training's learning rate.
    """

    name: str
    layers: Union[nn.Module, Sequence[str]]
    learning_rate: float = 1.0


@dataclass
class Supervision:
    """One objective: weight · loss(net(output of module ``last``)), for a window of modules.

    Modules are counted from 0. The gradient passes through all modules of the window and no
    further.

    Attributes:
        net: a :class:`Net`, which several supervisions may share; ``None`` for the model's own
            head, at the last module.
        loss: a name (``"cross_entropy"``, ``"cross_entropy 0.1"``, …), or a function of the net's
            output and the labels; an argument called ``images`` gets the images.
        probability: share of the steps, drawn at random, in which it is evaluated.
        course: how the weight changes during the training: ``"constant"``, or ``"linear"`` or
            ``"cosine"`` to ``final_weight``.
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

    ``partition[module]`` are the module's units.
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
        """Shape of a module's output, without the batch."""
        return self._modules[module][-1].output_shape


Method = Callable[[Sequence[Unit], Partition], Sequence[Supervision]]


def methods() -> Dict[str, str]:
    """The methods' names, each with a summary. Additions are joined to a method by ``+``:
    ``"dgl+mlm"``, ``"infopro+mlm+lam"``."""
    return dict(_engine.methods())


def settings(method: str) -> List[Dict[str, str]]:
    """The settings of a method: key, default, accepted values and meaning of each.

    Raises:
        UserError: for an unknown method, naming the nearest.
    """
    of_kind(method, str, "method", "a name of mlaan.methods()")
    keys = ("key", "default", "accepted", "help")
    return [dict(zip(keys, row)) for row in _engine.settings(method)]


def checked_loss(loss: Any) -> Any:
    """The loss, checked as far as can be without calling it.

    Raises:
        UserError: for a class, and for a module with parameters, which no optimizer would step.
    """
    if isinstance(loss, type):
        raise UserError(
            f"loss is the class {loss.__name__}; accepted: a function, or an object of that class, "
            f"{loss.__name__}()"
        )
    if isinstance(loss, nn.Module) and any(p.requires_grad for p in loss.parameters()):
        raise UserError(
            f"loss {type(loss).__name__} has parameters, which no optimizer would step; move them "
            "to a net, or freeze them (requires_grad_(False))"
        )
    return loss


def check_nets(plan: "_engine.Plan", backbone: "_engine.Backbone", hint: str) -> None:
    """Runs every auxiliary net on two samples of zeros.

    Args:
        hint: what to do if a net does not run.

    Raises:
        UserError: for a net that cannot read its module's output, or whose output the loss cannot
            read.
    """
    seen = {"head"}
    for index, supervision in enumerate(plan.supervisions(backbone)):
        name, module = supervision["net"], supervision["last"] + 1
        if name in seen:
            continue
        seen.add(name)
        try:
            given = plan.probe(backbone, index)
        except Exception as error:  # a net of the user's may raise anything
            said = str(error).rstrip(".")
            if said.startswith("it gives "):
                raise UserError(f"net '{name}' does not fit its loss: {said}") from None
            raise UserError(
                f"net '{name}' cannot take what module {module} gives: {said}{hint}"
            ) from error
        if not given or given[0] != 2:
            raise UserError(
                f"net '{name}' gives a tensor of shape {tuple(given)} for a batch of 2; it must "
                "return a row for each sample"
            )


def _own_net(net: Net, backbone: "_engine.Backbone", unit: int, seed: int) -> "_engine.Net":
    name = of_kind(net.name, str, "a net's name", "a text, such as 'aux.1'")
    if name == "head" or not all(name.split(".")):
        raise UserError(
            f"a net's name is '{name}'; accepted: any text but 'head', without empty parts between "
            "dots, such as 'aux.1'"
        )
    number(net.learning_rate, f"learning_rate of net '{name}'")
    layers: Any = net.layers
    if isinstance(layers, nn.Module):
        layers = Unit("net", [layers], tensor_names(layers))
        # Any buffer of it may be read and changed in a forward pass.
        layers.note_buffers([buffer for _, _, buffer in buffers_read(layers)], [])
    elif not isinstance(layers, (list, tuple)) or not all(isinstance(x, str) for x in layers):
        raise UserError(
            f"layers of net '{name}' is {type_of(layers)}; accepted: a module, or a list of "
            "layers as text"
        )
    else:
        layers = list(layers)
    return _engine.Net(name, layers, backbone, unit, seed)


def _checked(supervision: Any, method: str, modules: int) -> Supervision:
    """Raises:
    UserError: for anything but a supervision within the partition.
    """
    if not isinstance(supervision, Supervision):
        raise UserError(
            f"method {method} gave a {type(supervision).__name__} among its supervisions; "
            "accepted: mlaan.Supervision"
        )
    name = of_kind(supervision.name, str, "a supervision's name", "a text")
    first = whole(supervision.first, 0, f"first of supervision '{name}'")
    last = whole(supervision.last, 0, f"last of supervision '{name}'")
    if not first <= last < modules:
        raise UserError(
            f"supervision '{name}' is of modules {first} to {last}; a window must lie within "
            f"modules 0 to {modules - 1} and not end before it begins"
        )
    if supervision.net is not None:
        of_kind(
            supervision.net,
            Net,
            f"net of supervision '{name}'",
            "mlaan.Net(name, layers), or None for the model's own head",
        )
    for key in ("weight", "probability", "final_weight"):
        number(getattr(supervision, key), f"{key} of supervision '{name}'", -math.inf)
    of_kind(supervision.course, str, f"course of supervision '{name}'", "a name, such as 'linear'")
    return supervision


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
    accepted = "a list of mlaan.Supervision"
    listed = [
        _checked(item, name, len(pieces))
        for item in of_kind(given, (list, tuple), f"the result of method {name}", accepted)
    ]
    made: Dict[int, Any] = {}
    supervisions = []
    for supervision in listed:
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
    """Replaces a method's auxiliary nets by the user's modules.

    Args:
        make: called with a net's name, the shape of its input and the number of classes; returns a
            module, or ``None`` to keep the method's net.

    Raises:
        UserError: for anything else that it returns.
    """

    def own(name: str, unit: int) -> Optional["_engine.Net"]:
        shape = tuple(backbone.output_shape(unit))
        module = make(name, shape, backbone.classes)
        if module is None:
            return None
        of_kind(module, nn.Module, f"what nets returned for '{name}'", "a torch.nn.Module, or None")
        return _own_net(Net(name, module), backbone, unit, seed)

    plan.replace_nets(backbone, own)
