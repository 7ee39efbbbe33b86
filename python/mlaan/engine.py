"""The engine: trains a model by a method, module by module."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import torch
from torch import nn

from . import _engine, plans
from ._engine import UserError
from .arguments import byte_count, find_device, function_or_none, number, whole
from .batches import check_images, check_labels, needed_example
from .chain import Chain
from .cut import units
from .engine_options import engine_options
from .fitting import Recomputed, make_trial, recompute_to_fit
from .hooks import BeforeUpdate, Hooks, Observer
from .named_model import NamedModel
from .optimizers import OptimizerLike, as_optimizer
from .plan_request import Normalisation, PlanRequest
from .snapshot import Snapshot
from .state import check_state, load_state, optimizers_of, read_state
from .step_result import StepResult


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
        kernels: ``"own"``, or ``"reference"``: built-in layers and losses and blocks of
            :mod:`mlaan.nn` then compute by PyTorch's own operators alone.
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
        kernels: str = "own",
        channels_last: bool = False,
        micro_batches: int = 1,
        clip_grad: float = 0.0,
        fused_update: bool = True,
        layer_decay: float = 1.0,
        net_lr: float = 1.0,
        label_smoothing: float = 0.0,
        normalisation: Optional[Normalisation] = None,
        seed: int = 0,
        observer: Optional[Observer] = None,
        before_update: Optional[BeforeUpdate] = None,
    ) -> None:
        self.chain, self._backbone, example = _backbone_of(model, example)
        self._request = PlanRequest(
            method,
            modules,
            partition,
            options,
            loss,
            nets,
            recompute,
            net_lr,
            label_smoothing,
            normalisation,
            seed,
        )
        self._request.normalise(self._backbone)
        self.method = method
        made = as_optimizer(optimizer)
        self._optimizer_kind = made.kind
        self.device = find_device(device, self._backbone)
        self._options = engine_options(
            made,
            self.device,
            self._request.seed,
            fused_update=fused_update,
            micro_batches=micro_batches,
            channels_last=channels_last,
            kernels=kernels,
            precision=precision,
            boundaries=boundaries,
            clip_grad=clip_grad,
            layer_decay=layer_decay,
        )
        self._snapshot = Snapshot(self.chain)
        self._backbone.to("cpu")  # where plans are made; the engine moves it to its device
        self._phases = self._request.phases(made.kind == "function")
        self._phase = 0
        self.progress = 0.0
        self._hooks = Hooks(self)
        self._plan = self._request.plan(0, self.chain, self._backbone)
        batch = len(example) if batch_size is None else whole(batch_size, 1, "batch_size")
        recomputed = self._recomputed(byte_count(memory, "memory"), batch)
        self._engine = _engine.Engine(self._backbone, self._plan, self._options, self._hooks)
        if recomputed is not None:
            self._engine.set_recompute(*recomputed)
        self.observer = observer
        self.before_update = before_update

    def __reduce__(self) -> str:
        raise TypeError("an Engine can be neither copied nor pickled; state_dict() has all of it")

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
        self._check_batch(images, labels)
        if net_labels is not None:
            self._check_batch(images, net_labels, "net_labels")
        losses, logits = self._engine.step(images, labels, net_labels)
        return StepResult(losses, logits, self._plan.supervision_names)

    def accumulate(self, images: torch.Tensor, labels: torch.Tensor) -> StepResult:
        """Adds a batch's gradients to the parameters' ``grad``, without an update."""
        self._check_batch(images, labels)
        losses, logits = self._engine.accumulate(images, labels)
        return StepResult(losses, logits, self._plan.supervision_names)

    def update(self) -> None:
        """Updates from what :meth:`accumulate` gathered, and drops the gradients."""
        self._engine.update()

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (batch, classes) in evaluation mode, without gradients."""
        check_images(images, self._backbone.input_shape(0))
        self._snapshot.check()
        return self._engine.predict(images)

    def set_learning_rate(self, lr: float) -> None:
        """Of everything; nets have it times their own factor."""
        self._engine.set_learning_rate(number(lr, "lr"))

    def set_progress(self, progress: float) -> None:
        """Says how much of the training is done, from 0 to 1: what phases and weights follow.

        A method with phases (``mlaan-relay``) goes on to its next plan here; parameters and the
        optimizers' state stay.
        """
        progress = number(progress, "progress", highest=1.0)
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
        """Called after each operation of a step, with its text and its module's number."""
        return self._observer

    @observer.setter
    def observer(self, observer: Optional[Observer]) -> None:
        self._observer: Optional[Observer] = function_or_none(observer, "observer")
        self._engine.set_observed(observer is not None)

    @property
    def before_update(self) -> Optional[BeforeUpdate]:
        """Called with a part's name and its parameters, right before its optimizer steps."""
        return self._before_update

    @before_update.setter
    def before_update(self, hook: Optional[BeforeUpdate]) -> None:
        self._before_update: Optional[BeforeUpdate] = function_or_none(hook, "before_update")
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
        return read_state(self._engine, self.progress, self._optimizer_kind)

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Sets everything to what :meth:`state_dict` gave.

        Raises:
            UserError: naming what is missing, or of another shape. No tensor is then changed.
        """
        check_state(state, self._optimizer_kind)
        self.set_progress(state["progress"])
        load_state(self._engine, state)

    # How it is made

    def trial(self) -> "_engine.Trial":
        """A trial of the plan on copies of the model: what steps of any batch take, on the CPU."""
        return make_trial(self._request, self.chain, self._phase, self._options)

    def _recomputed(self, memory: Optional[int], batch_size: int) -> Optional[Recomputed]:
        if memory is None and self._request.recompute != "auto":
            return None
        return recompute_to_fit(self.trial(), batch_size, memory, self._options["micro_batches"])

    def _enter(self, phase: int) -> None:
        if phase == self._phase:
            return
        self._backbone.to("cpu")
        plan = self._request.plan(phase, self.chain, self._backbone)
        self._engine.hand_over(plan, self._options)
        self._plan, self._phase = plan, phase

    def _check_batch(self, images: Any, labels: Any, name: str = "labels") -> None:
        check_images(images, self._backbone.input_shape(0))
        check_labels(
            name,
            labels,
            len(images),
            self._backbone.classes,
            self._request.takes_probabilities,
        )
        self._snapshot.check()


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
