"""The method and settings that an engine is made with, and the plans made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from torch import nn

from . import _engine, plans
from ._engine import UserError
from .arguments import (
    function_or_none,
    in_python,
    number,
    of_kind,
    settings_of,
    shown,
    type_of,
    whole,
)
from .chain import Chain
from .unit import METHODS_WITHOUT_COPIES

Normalisation = Tuple[Sequence[float], Sequence[float]]


@dataclass
class PlanRequest:
    """The arguments of :class:`mlaan.Engine` that determine its plans, checked."""

    method: Union[str, plans.Method]
    modules: Optional[int]
    partition: Union[str, Sequence[str]]
    options: Optional[Dict[str, Any]]
    loss: Optional[plans.Loss]
    nets: Optional[Callable[..., Optional[nn.Module]]]
    recompute: str
    net_lr: float
    label_smoothing: float
    normalisation: Optional[Normalisation]
    seed: int

    def __post_init__(self) -> None:
        if not isinstance(self.method, str) and not callable(self.method):
            raise UserError(
                f"method is {type_of(self.method)}; accepted: a name of mlaan.methods(), "
                "or a function of units and partition"
            )
        self.module_count = 0 if self.modules is None else whole(self.modules, 1, "modules")
        self.cuts: Any = self.partition
        if not isinstance(self.partition, str):
            accepted = "a name, or a list of units' names"
            of_kind(self.partition, (list, tuple), "partition", accepted)
            self.cuts = [
                of_kind(name, str, f"item {index} of partition", "a unit's name")
                for index, name in enumerate(self.partition)
            ]
        self.settings = settings_of(self.options)
        function_or_none(self.nets, "nets")
        of_kind(self.recompute, str, "recompute", "a name, such as 'unit' or 'auto'")
        self.net_lr = number(self.net_lr, "net_lr")
        self.label_smoothing = number(self.label_smoothing, "label_smoothing", highest=1.0)
        if self.label_smoothing and callable(self.loss):
            raise UserError(
                f"label_smoothing is {shown(self.label_smoothing)}, which the function given as "
                "loss= does not read; accepted: 0 with a loss of your own, which may smooth labels "
                "itself"
            )
        self.seed = whole(self.seed, 0, "seed", 2**64 - 1)

    @property
    def takes_probabilities(self) -> bool:
        """Whether all losses are built in: their labels are classes or probabilities."""
        return isinstance(self.method, str) and (self.loss is None or isinstance(self.loss, str))

    def normalise(self, backbone: "_engine.Backbone") -> None:
        """Tells a network how its images were normalised.

        Raises:
            UserError: for anything but a mean and a deviation for each channel.
        """
        if self.normalisation is None:
            return
        channels = backbone.input_shape(0)[0]
        try:
            mean, deviation = (
                [number(value, "a number of normalisation", lowest) for value in values]
                for values, lowest in zip(self.normalisation, (float("-inf"), 1e-12))
            )
            fits = len(mean) == len(deviation) == channels
        except (TypeError, ValueError) as error:
            raise UserError(f"normalisation is {shown(self.normalisation)}: {error}") from error
        if not fits:
            raise UserError(
                f"normalisation is {shown(self.normalisation)}; accepted: a pair of means and "
                f"deviations, {channels} numbers each, one a channel"
            )
        backbone.set_normalisation(mean, deviation)

    def phases(self, of_python: bool) -> List[Tuple[str, float]]:
        """Names and shares of the method's phases.

        Args:
            of_python: whether ``torch.optim`` optimizers are used.

        Raises:
            UserError: for a method of several phases with ``torch.optim`` optimizers.
        """
        if not isinstance(self.method, str):
            return [("", 1.0)]
        phases = _engine.phases(self.method, self.settings)
        if len(phases) > 1 and of_python:
            raise UserError(
                f"{self.method} has phases, each of which takes over the optimizers' state of the "
                "one before; accepted for that: mlaan.SGD, mlaan.Adam, mlaan.AdamW, mlaan.LAMB"
            )
        return phases

    def plan(
        self, phase: int, chain: Optional[Chain], backbone: "_engine.Backbone"
    ) -> "_engine.Plan":
        """The plan of a phase.

        Raises:
            UserError: for a method that cannot train the network.
        """
        plan = self._bare_plan(phase, chain, backbone)
        if self.nets is not None:
            plans.replace_nets(plan, backbone, self.nets, self.seed)
        plan.adopt_type(backbone)
        plan.smooth_labels(self.label_smoothing)
        if self.loss is not None:
            plan.replace_cross_entropy(backbone, plans.checked_loss(self.loss))
        plans.check_nets(plan, backbone, self._hint())
        plan.scale_net_learning_rates(backbone, self.net_lr)
        try:
            plan.set_recompute("none" if self.recompute == "auto" else self.recompute)
        except UserError as error:
            raise UserError(f"{error}, auto, default") from None
        return plan

    def _hint(self) -> str:
        """What to do if a net that the method makes does not run."""
        if self.nets is not None or not isinstance(self.method, str):
            return ""
        keys = {key for key, *_ in _engine.settings(self.method)}
        lean = " lean.pool = 1 leaves copies as many tokens." if "lean.pool" in keys else ""
        return f".{lean} Methods that copy no units: {METHODS_WITHOUT_COPIES}"

    def _bare_plan(
        self, phase: int, chain: Optional[Chain], backbone: "_engine.Backbone"
    ) -> "_engine.Plan":
        if isinstance(self.method, str):
            try:
                return _engine.method_plan(
                    backbone,
                    self.method,
                    self.settings,
                    self.cuts,
                    self.module_count,
                    self.seed,
                    phase,
                )
            except UserError as error:
                raise UserError(in_python(str(error))) from None
        if chain is None:
            raise UserError(
                "method is a function, which needs the units of a PyTorch model; networks of "
                "mlaan.backbone() are trained by methods of mlaan.methods()"
            )
        return plans.own_plan(self.method, chain, backbone, self.cuts, self.module_count, self.seed)
