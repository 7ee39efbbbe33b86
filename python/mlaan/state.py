"""Reads and sets the state of an engine, for an exact resume."""

from __future__ import annotations

import copy
from typing import Any, Dict, Iterable

import torch

from . import _engine
from ._engine import UserError
from .arguments import of_kind, type_of, whole


def _copies(named: "_engine.NamedTensors") -> Dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in named}


def optimizers_of(engine: "_engine.Engine") -> Dict[str, torch.optim.Optimizer]:
    """The ``torch.optim`` optimizers, by the name of the module or net that each steps."""
    return {name: optimizer for name, _, optimizer in engine.parts if optimizer is not None}


def _key(kind: str) -> str:
    return "optimizers" if kind == "function" else "optimizer"


def read_state(engine: "_engine.Engine", progress: float, kind: str) -> Dict[str, Any]:
    """Copies of tensors and optimizers' states, and how far the training is.

    Args:
        kind: of the optimizers: "sgd", "adam", "adamw", "lamb", or "function" for ``torch.optim``.
    """
    state: Dict[str, Any] = {
        "progress": progress,
        "steps_done": engine.steps_done,
        "tensors": _copies(engine.named_parameters() + engine.named_buffers()),
        "loss_scale": _copies(engine.loss_scale_state()),
        "kind": kind,
    }
    if kind == "function":
        optimizers = optimizers_of(engine).items()
        state["optimizers"] = {name: copy.deepcopy(own.state_dict()) for name, own in optimizers}
    else:
        state["optimizer"] = _copies(engine.optimizer_state())
    return state


def check_state(state: Any, kind: str) -> None:
    """Raises:
    UserError: if an entry is missing or of another type, and for another kind of optimizer.
    """
    expected = "accepted: the state_dict() of an engine with the same model, method and optimizer"
    if not isinstance(state, dict):
        raise UserError(f"the state is {type_of(state)}; {expected}")
    for key in ("progress", "steps_done", "tensors", _key(kind)):
        if key not in state:
            raise UserError(f"the state has no '{key}'; {expected}")
    if state.get("kind", kind) != kind:
        raise UserError(
            f"the state is of optimizers of the kind {state['kind']}, and this engine's are of "
            f"the kind {kind}; {expected}"
        )
    whole(state["steps_done"], 0, "the state's steps_done")
    for key in ("tensors", _key(kind)):
        of_kind(state[key], dict, f"the state's {key}", "a dict")
    of_kind(state.get("loss_scale", {}), dict, "the state's loss_scale", "a dict")
    for key in ("tensors", "optimizer", "loss_scale"):
        for name, tensor in state.get(key, {}).items():
            of_kind(tensor, torch.Tensor, f"'{name}' of the state", "a tensor")
    for name, own in state.get("optimizers", {}).items():
        of_kind(own, dict, f"the optimizer of '{name}' in the state", "a dict")


def _check_names(given: Iterable[str], own: Iterable[str], what: str) -> None:
    missing, unknown = sorted(set(own) - set(given)), sorted(set(given) - set(own))
    if missing:
        raise UserError(f"{what} '{missing[0]}' is missing in the state")
    if unknown:
        raise UserError(f"the state has the {what} '{unknown[0]}', which this engine does not have")


def load_state(engine: "_engine.Engine", state: Dict[str, Any]) -> None:
    """Sets an engine to what :func:`read_state` gave.

    Raises:
        UserError: naming what is missing, unknown or of another shape or type. Nothing is then
            changed.
    """
    _check_tensors(engine, state)
    kind = "function" if "optimizers" in state else "own"
    before = read_state(engine, 0.0, kind)
    try:
        _set_state(engine, state)
    except Exception as error:  # torch.optim's optimizers may raise anything
        _set_state(engine, before)
        if isinstance(error, UserError):
            raise
        raise UserError(f"the state cannot be loaded: {error!r}") from error


def _check_tensors(engine: "_engine.Engine", state: Dict[str, Any]) -> None:
    own = dict(engine.named_parameters() + engine.named_buffers())
    _check_names(state["tensors"], own, "tensor")
    _check_names(state.get("optimizers", {}), optimizers_of(engine), "optimizer of")
    for name in state.get("optimizer", {}):
        if not any(name.startswith(f"optimizer.{parameter}.") for parameter in own):
            raise UserError(f"the state has the moment '{name}', of no parameter of this engine")
    for name, tensor in own.items():
        given = state["tensors"][name]
        if given.shape != tensor.shape or given.dtype != tensor.dtype:
            raise UserError(
                f"tensor '{name}' of the state is of shape {tuple(given.shape)} and type "
                f"{given.dtype}; this engine's is of shape {tuple(tensor.shape)} and type "
                f"{tensor.dtype}"
            )


def _set_state(engine: "_engine.Engine", state: Dict[str, Any]) -> None:
    with torch.no_grad():
        for name, tensor in engine.named_parameters() + engine.named_buffers():
            tensor.copy_(state["tensors"][name])
    for name, optimizer in optimizers_of(engine).items():
        optimizer.load_state_dict(state["optimizers"][name])
    if "optimizer" in state:
        engine.set_optimizer_state(state["optimizer"])
    engine.set_loss_scale_state(state.get("loss_scale", {}))
    engine.steps_done = state["steps_done"]
