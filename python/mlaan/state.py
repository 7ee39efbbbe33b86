"""All of an engine that an exact resume needs."""

from __future__ import annotations

import copy
from typing import Any, Dict

import torch

from . import _engine
from ._engine import UserError


def _copies(named: "_engine.NamedTensors") -> Dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in named}


def optimizers_of(engine: "_engine.Engine") -> Dict[str, torch.optim.Optimizer]:
    """Those of Python's, by their part's name."""
    return {name: optimizer for name, _, optimizer in engine.parts if optimizer is not None}


def _key(of_python: bool) -> str:
    return "optimizers" if of_python else "optimizer"


def read_state(engine: "_engine.Engine", progress: float, of_python: bool) -> Dict[str, Any]:
    """Copies of tensors and optimizers' states, and how far the training is.

    Args:
        of_python: whether the optimizers are ``torch.optim``'s.
    """
    state: Dict[str, Any] = {
        "progress": progress,
        "steps_done": engine.steps_done,
        "tensors": _copies(engine.named_parameters() + engine.named_buffers()),
        "loss_scale": _copies(engine.loss_scale_state()),
    }
    if of_python:
        optimizers = optimizers_of(engine).items()
        state["optimizers"] = {name: copy.deepcopy(own.state_dict()) for name, own in optimizers}
    else:
        state["optimizer"] = _copies(engine.optimizer_state())
    return state


def check_state(state: Dict[str, Any], of_python: bool) -> None:
    """Raises:
    UserError: where a part is missing.
    """
    for key in ("progress", "steps_done", "tensors", _key(of_python)):
        if key not in state:
            raise UserError(
                f"the state has no '{key}'; accepted: what Engine.state_dict() of an engine with "
                "the same method and optimizer gave"
            )


def load_state(engine: "_engine.Engine", state: Dict[str, Any], of_python: bool) -> None:
    """Sets an engine to what :func:`read_state` gave.

    Raises:
        UserError: naming a tensor that is missing, or of another shape. No tensor is then changed.
    """
    own = dict(engine.named_parameters() + engine.named_buffers())
    for name, tensor in own.items():
        given = state["tensors"].get(name)
        if given is None:
            raise UserError(f"tensor '{name}' is missing in the state")
        if given.shape != tensor.shape:
            raise UserError(
                f"tensor '{name}' is of shape {tuple(given.shape)} in the state; it is of shape "
                f"{tuple(tensor.shape)} here"
            )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(state["tensors"][name])
    if of_python:
        for name, optimizer in optimizers_of(engine).items():
            optimizer.load_state_dict(state["optimizers"][name])
    else:
        engine.set_optimizer_state(state["optimizer"])
    engine.set_loss_scale_state(state.get("loss_scale", {}))
    engine.steps_done = state["steps_done"]
