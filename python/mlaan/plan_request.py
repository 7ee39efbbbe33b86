"""What an engine is asked to train by, and the plans that are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from torch import nn

from . import _engine, plans
from ._engine import UserError
from .arguments import function_or_none, in_python, number, of_kind, plain, whole
from .chain import Chain
from .unit import METHODS_WITHOUT_COPIES

Normalisation = Tuple[Sequence[float], Sequence[float]]


@dataclass
class PlanRequest:
    """The arguments of :class:`mlaan.Engine` that its plans follow from, checked."""

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
                f"method is a {type(self.method).__name__}; accepted: a name of mlaan.methods(), "
                "or a function of units and partition"
            )
        self.module_count = 0 if self.modules is None else whole(self.modules, 1, "modules")
        self.cuts: Any = self.partition
        if not isinstance(self.partition, str):
            of_kind(self.partition, (list, tuple), "partition", "a name, or a list of units' names")
            self.cuts = list(self.partition)
        given = of_kind(self.options or {}, dict, "options", "a dict of settings")
        self.settings = [(key, plain(value)) for key, value in given.items()]
        function_or_none(self.nets, "nets")
        of_kind(self.recompute, str, "recompute", "a name, such as 'unit' or 'auto'")
        self.net_lr = number(self.net_lr, "net_lr")
        self.label_smoothing = number(self.label_smoothing, "label_smoothing", highest=1.0)
        self.seed = whole(self.seed, 0, "seed")

    @property
    def takes_probabilities(self) -> bool:
        """Whether all losses are the library's, whose labels are classes or probabilities."""
        return isinstance(self.method, str) and (self.loss is None or isinstance(self.loss, str))

    def normalise(self, backbone: "_engine.Backbone") -> None:
        """Tells a network what its images were brought to their range with.

        Raises:
            UserError: for other than a mean and a deviation for each channel.
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
            raise UserError(f"normalisation is {self.normalisation!r}: {error}") from error
        if not fits:
            raise UserError(
                f"normalisation is {self.normalisation!r}; accepted: a pair of means and "
                f"deviations, {channels} numbers each, one a channel"
            )
        backbone.set_normalisation(mean, deviation)

    def phases(self, of_python: bool) -> List[Tuple[str, float]]:
        """Names and shares of the method's phases.

        Args:
            of_python: whether the optimizers are ``torch.optim``'s.
        """
        if not isinstance(self.method, str):
            return [("", 1.0)]
        phases = _engine.phases(self.method, self.settings)
        if len(phases) > 1 and of_python:
            raise UserError(
                f"{self.method} has phases, which hand the optimizers' state over; that works with "
                "mlaan's own optimizers (mlaan.SGD, …) alone"
            )
        return phases

    def plan(
        self, phase: int, chain: Optional[Chain], backbone: "_engine.Backbone"
    ) -> "_engine.Plan":
        """The plan of a phase.

        Raises:
            UserError: for a method that the network cannot be trained by.
        """
        plan = self._bare_plan(phase, chain, backbone)
        if self.nets is not None:
            plans.replace_nets(plan, backbone, self.nets, self.seed)
        plan.adopt_type(backbone)
        plans.check_nets(plan, backbone, self._hint())
        plan.smooth_labels(self.label_smoothing)
        if self.loss is not None:
            plan.replace_cross_entropy(backbone, plans.checked_loss(self.loss))
        plan.scale_net_learning_rates(backbone, self.net_lr)
        try:
            plan.set_recompute("none" if self.recompute == "auto" else self.recompute)
        except UserError as error:
            raise UserError(f"{error}, auto, default") from None
        return plan

    def _hint(self) -> str:
        """What to do about a net of the method's own that does not run."""
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
            raise UserError("a method that is a function needs a model of Python's modules")
        return plans.own_plan(self.method, chain, backbone, self.cuts, self.module_count, self.seed)
