"""The engine, which trains a model by a method, module by module."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import torch
from torch import nn

from . import _engine, plans
from ._engine import UserError
from .arguments import byte_count, find_device, function_or_none, number, type_of, whole
from .batches import check_any_labels, check_images, check_labels, needed_example
from .chain import Chain
from .cut import units
from .engine_options import engine_options
from .fitting import Recomputed, costs_on_copies, make_trial, recompute_to_fit
from .hooks import BeforeUpdate, Hooks, Observer
from .model_checks import check_channels_last, check_dense
from .named_model import NamedModel
from .optimizers import OptimizerLike, as_optimizer
from .plan_request import Normalisation, PlanRequest
from .snapshot import Snapshot
from .state import check_state, load_state, optimizers_of, read_state
from .step_result import StepResult


class Engine:
    """Trains a model by a method. The parameters are the model's own tensors.

    Args:
        model: a ``torch.nn.Module``, which :func:`mlaan.units` cuts; a chain that it returned; or a
            network of :func:`mlaan.backbone`.
        example: a batch as the model takes it; required for a ``torch.nn.Module``.
        method: a name (:func:`mlaan.methods` lists them), or a function from the units and the
            partition to a list of :class:`mlaan.Supervision`.
        modules: number of gradient-isolated modules; by default the method's own choice, else one
            for each block.
        partition: ``"default"``, ``"published"``, ``"uniform"``, ``"bytes"``, ``"multiply-adds"``,
            or a list of the names of the modules' last units.
        optimizer: :func:`mlaan.SGD`, :func:`mlaan.Adam`, :func:`mlaan.AdamW` or :func:`mlaan.LAMB`,
            called; or a function from a list of parameters to a ``torch.optim`` optimizer.
        options: settings of the method, which :func:`mlaan.settings` lists: ``{"mlm.window": 3}``.
        loss: replaces every cross-entropy: a name, or a function of output and labels, and of the
            images if it has an argument ``images``.
        nets: a function of an auxiliary net's name, the shape of its input and the number of
            classes; it returns a module that replaces the net, or ``None`` to keep it.
        recompute: ``"none"``, ``"activation"``, ``"module"``, ``"unit"``, ``"auto"``, or
            ``"default"``.
        memory: bytes that a step on ``batch_size`` images may take, ``"2GiB"``, as allocated on the
            CPU; the engine recomputes what it has to.
        batch_size: the batch that ``memory`` and ``recompute="auto"`` count with; by default the
            example's.
        device: where to train; by default where the model's parameters are.
        precision: of autocast: ``"float32"``, ``"bfloat16"`` or, on CUDA, ``"float16"``.
        boundaries: type of the tensors between modules: ``"float32"`` or ``"bfloat16"``.
        kernels: ``"own"``, or ``"reference"``: built-in layers, losses and blocks of
            :mod:`mlaan.nn` then use PyTorch's operators alone.
        channels_last: whether weights and images are in channels-last memory format.
        micro_batches: number of parts of a batch that are run one after the other.
        clip_grad: highest norm of each module's and each net's gradient; 0 for no limit.
        fused_update: whether each module is updated as soon as its gradient is complete.
        layer_decay: factor on the learning rate from each unit to the one before it.
        net_lr: factor on the learning rate of auxiliary nets.
        label_smoothing: of every cross-entropy, from 0 to 1.
        normalisation: means and deviations of each channel by which the images were normalised;
            losses that compare with pixels (``infopro``) need them.
        seed: of the nets' initial weights and of all random numbers in steps.
        observer: called after each operation of a step, with its text and its module's number.
        before_update: called with the name and the parameters of a module or net right before its
            optimizer steps; their ``grad`` is then complete.

    Raises:
        UserError: for a model that is no chain, and for arguments that are not accepted.
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
        if made.kind != "function":
            check_dense(self._layers())
        self.device = find_device(device, self._backbone)
        if channels_last is True and precision == "float32" and self.device.type == "cpu":
            check_channels_last(self._layers())
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
        self._input_type = example.dtype
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

    def _layers(self) -> Iterator[nn.Module]:
        """The Python modules that are trained."""
        for part in self.chain.parts() if self.chain is not None else ():
            yield from part.modules()

    # Training

    def step(
        self, images: torch.Tensor, labels: torch.Tensor, net_labels: Optional[torch.Tensor] = None
    ) -> StepResult:
        """One training step: forward, backward and update.

        Args:
            images: a batch as the model takes it, on any device.
            labels: int64 (batch), classes; or floating point (batch, classes), probabilities. If
                all losses are functions of yours, any tensor with the batch first.
            net_labels: other labels for the auxiliary nets.

        Raises:
            UserError: for images and labels of other shapes or types, for unknown classes, and for
                a model that was changed since the engine was made.
        """
        self._check_batch(images, labels)
        if net_labels is not None:
            self._check_batch(images, net_labels, "net_labels")
        losses, logits = self._engine.step(images, labels, net_labels)
        return StepResult(losses, logits, self._plan.supervision_names)

    def accumulate(self, images: torch.Tensor, labels: torch.Tensor) -> StepResult:
        """Adds a batch's gradients to the parameters' ``grad``, without an update.

        Arguments and errors are those of :meth:`step`.
        """
        self._check_batch(images, labels)
        losses, logits = self._engine.accumulate(images, labels)
        return StepResult(losses, logits, self._plan.supervision_names)

    def update(self) -> None:
        """Updates all modules and nets by the gradients of :meth:`accumulate`, and drops these."""
        self._engine.update()

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (batch, classes) in evaluation mode, without gradients."""
        self._check_images(images)
        return self._engine.predict(images)

    def set_learning_rate(self, lr: float) -> None:
        """Sets the learning rate of all modules; nets have it times their own factor."""
        self._engine.set_learning_rate(number(lr, "lr"))

    def set_progress(self, progress: float) -> None:
        """Sets the share of the training that is done, from 0 to 1.

        Weights that change during the training depend on it. A method with phases
        (``mlaan-relay``) changes to its next plan here; parameters and the optimizers' state stay.
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

    # Its parts

    @property
    def supervisions(self) -> List[Dict[str, Any]]:
        """Name, window (modules counted from 0), net, loss and weight of each supervision."""
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
        """Parameters of the model and the auxiliary nets, by name."""
        return dict(self._engine.named_parameters())

    @property
    def optimizers(self) -> Dict[str, torch.optim.Optimizer]:
        """The ``torch.optim`` optimizers, by the name of the module or net that each steps."""
        return optimizers_of(self._engine)

    @property
    def operations(self) -> List[str]:
        """The operations of a step, in order."""
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
        """Called with a module's or net's name and parameters right before its optimizer steps."""
        return self._before_update

    @before_update.setter
    def before_update(self, hook: Optional[BeforeUpdate]) -> None:
        self._before_update: Optional[BeforeUpdate] = function_or_none(hook, "before_update")
        self._engine.set_updates_watched(hook is not None)

    def costs(self) -> List[Dict[str, Any]]:
        """Parameters of each module and net; multiply-adds and activation bytes for one image."""
        if self.device.type != "cpu" and self.chain is not None:
            return costs_on_copies(self._request, self.chain, self._phase)
        return _engine.costs(self._backbone, self._plan)

    # Bytes

    def memory(self) -> Dict[str, Any]:
        """Bytes allocated now (``live``), and the most since :meth:`reset_peak` (``peak``).

        On the CPU these are exact for all tensors of the process that were made after
        ``import mlaan``, and also given by kind (``live_by_kind``, ``peak_by_kind``). On CUDA they
        are the statistics of ``torch.cuda``.
        """
        if self.device.type == "cuda":
            return {
                "live": torch.cuda.memory_allocated(self.device),
                "peak": torch.cuda.max_memory_allocated(self.device),
            }
        return _engine.read_memory()

    def reset_peak(self) -> None:
        """Begins a new peak at the bytes that are allocated now."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            _engine.reset_peak()

    # State

    def state_dict(self) -> Dict[str, Any]:
        """Copies of all that an exact resume needs: tensors, optimizers, steps done, progress."""
        return read_state(self._engine, self.progress, self._optimizer_kind)

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Sets everything to a state that :meth:`state_dict` returned.

        Raises:
            UserError: naming what is missing or of another shape or type. Nothing is then
                changed.
        """
        check_state(state, self._optimizer_kind)
        before = self.progress
        self.set_progress(state["progress"])
        try:
            load_state(self._engine, state)
        except UserError:
            self.set_progress(before)
            raise

    # Making plans

    def trial(self) -> "_engine.Trial":
        """Measures bytes and times of steps of any batch on the CPU, on copies of the model."""
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

    def _check_images(self, images: Any) -> None:
        check_images(images, self._backbone.input_shape(0), self._input_type)
        self._snapshot.check()
        if _is_autocast_on():
            raise UserError(
                "the engine is called within torch.autocast; make it with precision='bfloat16' or "
                "'float16' instead, by which it opens autocast around each forward pass itself"
            )

    def _check_batch(self, images: Any, labels: Any, name: str = "labels") -> None:
        self._check_images(images)
        if self._plan.takes_any_labels:
            check_any_labels(name, labels, len(images))
            return
        check_labels(
            name,
            labels,
            len(images),
            self._backbone.classes,
            self._request.takes_probabilities,
        )


def _is_autocast_on() -> bool:
    if torch.is_autocast_enabled():
        return True
    try:
        return bool(torch.is_autocast_enabled("cpu"))  # type: ignore[call-arg]
    except TypeError:  # torch before 2.4
        return bool(torch.is_autocast_cpu_enabled())


def _backbone_of(
    model: Any, example: Optional[torch.Tensor]
) -> Tuple[Optional[Chain], "_engine.Backbone", torch.Tensor]:
    if isinstance(model, NamedModel):
        return None, model.backbone, model.example
    if isinstance(model, Chain):
        return model, model.to_backbone(), model.example
    if not isinstance(model, nn.Module):
        raise UserError(
            f"`model` is {type_of(model)}; accepted: a torch.nn.Module, what mlaan.units() "
            "returned, or mlaan.backbone(...)"
        )
    example = needed_example(example)
    chain = units(model, example)
    return chain, chain.to_backbone(), example
