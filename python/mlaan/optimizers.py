"""Optimizers, of which each module and each auxiliary net gets its own."""

from __future__ import annotations

from typing import Any, Callable, List, Tuple, Union

import torch
from torch import nn

from . import _engine
from ._engine import UserError
from .arguments import flag, number, shown, type_of

OptimizerFunction = Callable[[List[nn.Parameter]], "torch.optim.Optimizer"]
OptimizerLike = Union["_engine.Optimizer", OptimizerFunction]


def SGD(
    lr: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 1e-4,
    nesterov: bool = True,
    decay_norms: bool = True,
    eight_bit: bool = False,
) -> "_engine.Optimizer":
    """Stochastic gradient descent, with the numbers of ``torch.optim.SGD``.

    Args:
        decay_norms: whether weight decay also applies to biases and normalisations.
        eight_bit: whether the momentum of large weights takes one byte for each element.
    """
    return _engine.Optimizer.sgd(
        number(lr, "lr"),
        number(momentum, "momentum", highest=1.0),
        number(weight_decay, "weight_decay"),
        flag(nesterov, "nesterov"),
        flag(decay_norms, "decay_norms"),
        flag(eight_bit, "eight_bit"),
    )


def _adam(
    kind: str,
    lr: float,
    betas: Tuple[float, float],
    eps: float,
    weight_decay: float,
    decay_norms: bool,
    eight_bit: bool,
) -> "_engine.Optimizer":
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise UserError(f"betas is {shown(betas)}; accepted: a pair of numbers below 1")
    first, second = (number(beta, "a number of betas", highest=1 - 1e-9) for beta in betas)
    return _engine.Optimizer.adam(
        kind,
        number(lr, "lr"),
        first,
        second,
        number(eps, "eps"),
        number(weight_decay, "weight_decay"),
        flag(decay_norms, "decay_norms"),
        flag(eight_bit, "eight_bit"),
    )


def Adam(
    lr: float = 1e-3,
    betas: Tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decay_norms: bool = True,
    eight_bit: bool = False,
) -> "_engine.Optimizer":
    """Adam as ``torch.optim.Adam``: weight decay is added to the gradient."""
    return _adam("adam", lr, betas, eps, weight_decay, decay_norms, eight_bit)


def AdamW(
    lr: float = 1e-3,
    betas: Tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.05,
    decay_norms: bool = True,
    eight_bit: bool = False,
) -> "_engine.Optimizer":
    """AdamW as ``torch.optim.AdamW``: weight decay is applied to the weights."""
    return _adam("adamw", lr, betas, eps, weight_decay, decay_norms, eight_bit)


def LAMB(
    lr: float = 1e-3,
    betas: Tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    decay_norms: bool = True,
) -> "_engine.Optimizer":
    """LAMB, layer-wise adaptive moments for large batches (You et al. 2020)."""
    return _adam("lamb", lr, betas, eps, weight_decay, decay_norms, False)


def as_optimizer(given: Any) -> "_engine.Optimizer":
    """The factory of the parts' optimizers. Its kind is "function" for ``torch.optim`` optimizers.

    Raises:
        UserError: for an optimizer that is already made, and for anything else.
    """
    if given in (SGD, Adam, AdamW, LAMB):
        name = given.__name__
        raise UserError(f"`optimizer` is the function mlaan.{name}; call it: mlaan.{name}(lr=...)")
    if given is None:
        return SGD()
    if isinstance(given, _engine.Optimizer):
        return given
    if isinstance(given, torch.optim.Optimizer):
        raise UserError(
            "`optimizer` is an optimizer that is already made; each module and net needs its own, "
            "so give a function that makes one: "
            "optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1)"
        )
    if callable(given):
        return _engine.Optimizer.of_function(given)
    raise UserError(
        f"`optimizer` is {type_of(given)}; accepted: mlaan.SGD(...), mlaan.Adam(...), "
        "mlaan.AdamW(...), mlaan.LAMB(...), or a function from parameters to a "
        "torch.optim.Optimizer"
    )
