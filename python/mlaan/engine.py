"""The engine: trains a model by a method, module by module."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import torch
from torch import nn

from . import _engine, plans
from ._engine import UserError
from .arguments import (
    at_least,
    check_batch,
    check_is_batch,
    find_device,
    in_python,
    needed_example,
    plain,
)
from .chain import Chain
from .cut import units
from .named_model import NamedModel
from .optimizers import OptimizerLike, as_optimizer
from .state import check_state, load_state, optimizers_of, read_state

Observer = Callable[[str, int], None]
BeforeUpdate = Callable[[str, Dict[str, torch.Tensor]], None]


@dataclass
class StepResult:
    """What a training step gives back.

    Attributes:
        losses: each supervision's loss, not weighted, in the order of ``names``; NaN where it was
            not evaluated. On the engine's device.
        logits: of the model's own head, before the update: (batch, classes).
        names: of the supervisions.
    """

    losses: torch.Tensor
    logits: torch.Tensor
    names: List[str]

    @property
    def loss(self) -> torch.Tensor:
        """The loss of the model's own head: that of the last supervision."""
        return self.losses[-1]

    def by_name(self) -> Dict[str, float]:
        """Each supervision's loss as a number; waits for the device."""
        return dict(zip(self.names, self.losses.tolist()))


class _Hooks:
    """What the engine calls. It does not hold the engine, which holds it."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = weakref.ref(engine)

    def observe(self, operation: str, module: int) -> None:
        engine = self.engine()
        if engine is not None and engine.observer is not None:
            engine.observer(operation, module)

    def before_update(self, part: str, parameters: List[Tuple[str, torch.Tensor]]) -> None:
        engine = self.engine()
        if engine is not None and engine.before_update is not None:
            engine.before_update(part, dict(parameters))


class Engine:
    """Trains a model by a method. The parameters are the model's own tensors.

    Args:
        model: a model, which :func:`mlaan.units` cuts; a chain that it has cut; or a network of
            :func:`mlaan.backbone`.
        example: a batch as the model takes it; needed for a model.
        method: a name (:func:`mlaan.methods` lists them), or a function from the units and the
            partition to a list of :class:`mlaan.Supervision`.
        modules: how many gradient-isolated modules to cut the model into; by default as many as the
            method finds best, or one for each block.
        partition: ``"default"``, ``"published"``, ``"uniform"``, ``"bytes"``, ``"multiply-adds"``,
            or a list of the names of the modules' last units.
        optimizer: :func:`mlaan.SGD` and the like, or a function from a list of parameters to a
            ``torch.optim`` optimizer.
        options: settings of the method, which :func:`mlaan.settings` lists: ``{"mlm.window": 3}``.
        loss: what to put in the place of cross-entropy: a name, or a function of output and labels.
        nets: a function of an auxiliary net's name, the shape of what it reads and the number of
            classes, which gives a module to put in its place, or ``None`` to keep it.
        recompute: ``"none"``, ``"activation"``, ``"module"``, ``"unit"``, ``"auto"``, or
            ``"default"``.
        memory: bytes that a step on ``batch_size`` images may take, ``"2GiB"``; what has to be is
            recomputed. On the CPU's allocations.
        batch_size: that ``memory`` and ``recompute="auto"`` are for; by default the example's.
        device: where to train; by default where the model's parameters are.
        precision: ``"float32"``, ``"bfloat16"`` or, on CUDA, ``"float16"``, by autocast.
        boundaries: of the tensors between modules: ``"float32"`` or ``"bfloat16"``.
        channels_last: memory format of weights and images.
        micro_batches: parts that a batch is cut into, one after the other.
        clip_grad: highest norm of each module's and each net's gradient; 0 for any.
        fused_update: update each module as soon as its gradient is complete.
        layer_decay: factor on the learning rate from each unit to the one before it.
        net_lr: factor on the learning rate of auxiliary nets.
        label_smoothing: of every cross-entropy.
        normalisation: means and deviations of each channel that the images were brought to their
            range with; losses that compare with pixels (``infopro``) need it.
        seed: what everything random in a step and the nets' weights follow from.
        observer: called after each operation of a step, with its text and its module's number.
        before_update: called with a part's name and its parameters, whose ``grad`` is complete,
            right before its optimizer steps.

    Raises:
        UserError: for a model that is no chain, and for anything that does not fit together.
    """

    def __init__(
        self,
        model: Union[nn.Module, Chain, NamedModel],
        *,
        example: Optional[torch.Tensor] = None,
        method: Union[str, plans.Method] = "mlaan-lean",
        modules: Optional[int] = None,
        partition: Union[str, Sequence[str]] = "default",
        optimizer: Optional[OptimizerLike] = None,
        options: Optional[Dict[str, Any]] = None,
        loss: Optional[plans.Loss] = None,
        nets: Optional[Callable[..., Optional[nn.Module]]] = None,
        recompute: str = "default",
        memory: Union[str, int, None] = None,
        batch_size: Optional[int] = None,
        device: Union[str, torch.device, None] = None,
        precision: str = "float32",
        boundaries: str = "float32",
        channels_last: bool = False,
        micro_batches: int = 1,
        clip_grad: float = 0.0,
        fused_update: bool = True,
        layer_decay: float = 1.0,
        net_lr: float = 1.0,
        label_smoothing: float = 0.0,
        normalisation: Optional[Tuple[Sequence[float], Sequence[float]]] = None,
        seed: int = 0,
        observer: Optional[Observer] = None,
        before_update: Optional[BeforeUpdate] = None,
    ) -> None:
        self.chain, self._backbone, example = _backbone_of(model, example)
        self._normalisation = [list(numbers) for numbers in normalisation or ()]
        self._normalise(self._backbone)
        self.method = method
        self._modules = modules or 0
        self._partition = partition if isinstance(partition, str) else list(partition)
        self._settings = [(key, plain(value)) for key, value in (options or {}).items()]
        self._loss, self._nets, self._recompute = loss, nets, recompute
        self._net_lr, self._label_smoothing, self._seed = net_lr, label_smoothing, seed
        self._memory = _engine.parse_bytes(memory) if isinstance(memory, str) else memory
        self._batch_size = batch_size or len(example)
        made, self._of_python = as_optimizer(optimizer)
        self.device = find_device(device, self._backbone)
        self._options: Dict[str, Any] = {
            "optimizer": made,
            "fused_update": fused_update,
            "micro_batches": at_least(micro_batches, 1, "micro_batches"),
            "device": str(self.device),
            "channels_last": channels_last,
            "seed": seed,
            "precision": precision,
            "boundaries": boundaries,
            "clip_grad": clip_grad,
            "layer_decay": layer_decay,
        }
        self._backbone.to("cpu")  # where plans are made; the engine moves it to its device
        self._phases = self._find_phases()
        self._phase = 0
        self.progress = 0.0
        self._observer: Optional[Observer] = None
        self._before_update: Optional[BeforeUpdate] = None
        self._hooks = _Hooks(self)
        self._plan = self._make_plan(0)
        recomputed = self._fit_memory()
        self._engine = _engine.Engine(self._backbone, self._plan, self._options, self._hooks)
        if recomputed is not None:
            self._engine.set_recompute(*recomputed)
        self.observer = observer
        self.before_update = before_update

    # Training

    def step(
        self, images: torch.Tensor, labels: torch.Tensor, net_labels: Optional[torch.Tensor] = None
    ) -> StepResult:
        """One training step: forward, backward and update.

        Args:
            images: a batch as the model takes it, on any device.
            labels: int64 (batch), one class a sample; or floating (batch, classes), probabilities.
            net_labels: what auxiliary nets are trained with instead.

        Raises:
            UserError: for labels of another shape or kind, and for classes that there are not.
        """
        check_batch(images, labels, self._backbone.classes)
        losses, logits = self._engine.step(images, labels, net_labels)
        return StepResult(losses, logits, self._plan.supervision_names)

    def accumulate(self, images: torch.Tensor, labels: torch.Tensor) -> StepResult:
        """Adds a batch's gradients to the parameters' ``grad``, without an update."""
        check_batch(images, labels, self._backbone.classes)
        losses, logits = self._engine.accumulate(images, labels)
        return StepResult(losses, logits, self._plan.supervision_names)

    def update(self) -> None:
        """Updates from what :meth:`accumulate` gathered, and drops the gradients."""
        self._engine.update()

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (batch, classes) in evaluation mode, without gradients."""
        check_is_batch("images", images)
        return self._engine.predict(images)

    def set_learning_rate(self, lr: float) -> None:
        """Of everything; nets have it times their own factor."""
        self._engine.set_learning_rate(lr)

    def set_progress(self, progress: float) -> None:
        """Says how much of the training is done, from 0 to 1: what phases and weights follow.

        A method with phases (``mlaan-relay``) goes on to its next plan here; parameters and the
        optimizers' state stay.
        """
        if not 0 <= progress <= 1:
            raise UserError(f"progress is {progress}; accepted: from 0 to 1")
        begin = 0.0
        for index, (_, share) in enumerate(self._phases):
            last = index + 1 == len(self._phases)
            if progress < begin + share - 1e-9 or last:
                self._enter(index)
                self._engine.set_progress(min(1.0, (progress - begin) / share))
                break
            begin += share
        self.progress = progress

    # What it is made of

    @property
    def supervisions(self) -> List[Dict[str, Any]]:
        """The plan: of each supervision its name, window (modules from 0), net, loss and weight."""
        return self._plan.supervisions(self._backbone)

    @property
    def partition(self) -> List[List[str]]:
        """The names of each module's units."""
        names = self._backbone.unit_names
        first = 0
        parts = []
        for last in self._plan.partition.last_units:
            parts.append(names[first : last + 1])
            first = last + 1
        return parts

    @property
    def parameters(self) -> Dict[str, torch.Tensor]:
        """Of the model and the auxiliary nets, by name."""
        return dict(self._engine.named_parameters())

    @property
    def optimizers(self) -> Dict[str, torch.optim.Optimizer]:
        """The optimizers that the function given has made, by their part's name."""
        return optimizers_of(self._engine)

    @property
    def operations(self) -> List[str]:
        """What a step does, in order."""
        return self._engine.operations

    @property
    def observer(self) -> Optional[Observer]:
        return self._observer

    @observer.setter
    def observer(self, observer: Optional[Observer]) -> None:
        self._observer = observer
        self._engine.set_observed(observer is not None)

    @property
    def before_update(self) -> Optional[BeforeUpdate]:
        return self._before_update

    @before_update.setter
    def before_update(self, hook: Optional[BeforeUpdate]) -> None:
        self._before_update = hook
        self._engine.set_updates_watched(hook is not None)

    def costs(self) -> List[Dict[str, Any]]:
        """Of each module and net its parameters; of an image multiply-adds and activation bytes."""
        return _engine.costs(self._backbone, self._plan)

    # Bytes

    def memory(self) -> Dict[str, Any]:
        """Bytes that are live now, and the highest since :meth:`reset_peak`.

        On the CPU those of all of the process's tensors and kernels, exact, by kind (``live``,
        ``peak``, ``live_by_kind``, ``peak_by_kind``); tensors from before ``import mlaan`` do not
        count. On CUDA those of ``torch.cuda``'s allocator.
        """
        if self.device.type == "cuda":
            return {
                "live": torch.cuda.memory_allocated(self.device),
                "peak": torch.cuda.max_memory_allocated(self.device),
            }
        return _engine.read_memory()

    def reset_peak(self) -> None:
        """Lets the peak begin anew from what is live now."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            _engine.reset_peak()

    # State

    def state_dict(self) -> Dict[str, Any]:
        """All that an exact resume needs, copied: tensors, optimizers, steps done, progress."""
        return read_state(self._engine, self.progress, self._of_python)

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Sets everything to what :meth:`state_dict` gave.

        Raises:
            UserError: naming what is missing, or of another shape. No tensor is then changed.
        """
        check_state(state, self._of_python)
        self.set_progress(state["progress"])
        load_state(self._engine, state, self._of_python)

    # How it is made

    def _normalise(self, backbone: "_engine.Backbone") -> None:
        if self._normalisation:
            backbone.set_normalisation(*self._normalisation)

    def _find_phases(self) -> List[Tuple[str, float]]:
        if not isinstance(self.method, str):
            return [("", 1.0)]
        phases = _engine.phases(self.method, self._settings)
        if len(phases) > 1 and self._of_python:
            raise UserError(
                f"{self.method} has phases, which hand the optimizers' state over; that works with "
                "mlaan's own optimizers (mlaan.SGD, …) alone"
            )
        return phases

    def _make_plan(
        self,
        phase: int,
        chain: Optional[Chain] = None,
        backbone: Optional["_engine.Backbone"] = None,
    ) -> "_engine.Plan":
        chain, network = chain or self.chain, backbone or self._backbone
        if isinstance(self.method, str):
            try:
                plan = _engine.method_plan(
                    network,
                    self.method,
                    self._settings,
                    self._partition,
                    self._modules,
                    self._seed,
                    phase,
                )
            except UserError as error:
                raise UserError(in_python(str(error))) from None
        else:
            if chain is None:
                raise UserError("a method that is a function needs a model of Python's modules")
            plan = plans.own_plan(
                self.method, chain, network, self._partition, self._modules, self._seed
            )
        if self._nets is not None:
            plans.replace_nets(plan, network, self._nets, self._seed)
        plan.smooth_labels(self._label_smoothing)
        if self._loss is not None:
            plan.replace_cross_entropy(network, self._loss)
        plan.scale_net_learning_rates(network, self._net_lr)
        plan.set_recompute("none" if self._recompute == "auto" else self._recompute)
        return plan

    def _enter(self, phase: int) -> None:
        if phase == self._phase:
            return
        self._backbone.to("cpu")
        plan = self._make_plan(phase)
        self._engine.hand_over(plan, self._options)
        self._plan, self._phase = plan, phase

    def trial(self) -> "_engine.Trial":
        """A trial of the plan on copies of the model: what steps of any batch take, on the CPU."""
        if self.chain is None:
            raise UserError(
                "trials are made of Python's models alone; `mlaan plan` does it for "
                "mlaan's own networks"
            )
        chain = self.chain.copied()
        network = chain.to_backbone()
        self._normalise(network)
        options = dict(self._options, device="cpu")
        return _engine.Trial(network, self._make_plan(self._phase, chain, network), options)

    def _fit_memory(self) -> Optional[Tuple[List[int], List[int]]]:
        if self._recompute != "auto" and self._memory is None:
            return None
        trial = self.trial()
        micro_batches = self._options["micro_batches"]
        limit = self._memory or 0
        if limit and trial.peak_bytes(self._batch_size, micro_batches) <= limit:
            return None
        peak = trial.reduce_peak(self._batch_size, limit, micro_batches)
        if limit and peak > limit:
            raise UserError(
                f"memory = {_engine.format_bytes(limit)} is not enough for a batch of "
                f"{self._batch_size}: with everything recomputed that pays, a step takes "
                f"{_engine.format_bytes(peak)}. A smaller batch, micro_batches, more modules or "
                "another method takes less (see mlaan.plan)"
            )
        return trial.recompute


def _backbone_of(
    model: Any, example: Optional[torch.Tensor]
) -> Tuple[Optional[Chain], "_engine.Backbone", torch.Tensor]:
    if isinstance(model, NamedModel):
        return None, model.backbone, model.example
    if isinstance(model, Chain):
        return model, model.to_backbone(), model.example
    if not isinstance(model, nn.Module):
        raise UserError(
            f"`model` is a {type(model).__name__}; accepted: a torch.nn.Module, what "
            "mlaan.units() gave, or mlaan.backbone(...)"
        )
    example = needed_example(example)
    chain = units(model, example)
    return chain, chain.to_backbone(), example
