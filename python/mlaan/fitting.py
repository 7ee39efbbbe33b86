"""Finds what has to be recomputed for a step to fit into a number of bytes."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from . import _engine
from ._engine import UserError
from .chain import Chain
from .plan_request import PlanRequest

Recomputed = Tuple[List[int], List[int]]


def make_trial(
    request: PlanRequest, chain: Optional[Chain], phase: int, options: Dict[str, Any]
) -> "_engine.Trial":
    """A trial of a plan on copies of the model, on the CPU.

    Raises:
        UserError: for a network of the library's own.
    """
    if chain is None:
        raise UserError(
            "trials and memory= need a PyTorch model; for networks of mlaan.backbone() use the "
            "program, `mlaan plan`"
        )
    return _engine.Trial(*_copies(request, chain, phase), dict(options, device="cpu"))


def _copies(
    request: PlanRequest, chain: Chain, phase: int
) -> "Tuple[_engine.Backbone, _engine.Plan]":
    """Copies of the units, and a plan for them, on the CPU."""
    copied = chain.copied()
    copied.units[0].reads_zeros = copied.units[0].input_type is not None
    network = copied.to_backbone()
    network.to("cpu")  # where plans are made
    request.normalise(network)
    return network, request.plan(phase, copied, network)


def costs_on_copies(request: PlanRequest, chain: Chain, phase: int) -> List[Dict[str, Any]]:
    """The costs of a plan whose network is not on the CPU."""
    return _engine.costs(*_copies(request, chain, phase))


def recompute_to_fit(
    trial: "_engine.Trial", batch_size: int, memory: Optional[int], micro_batches: int
) -> Optional[Recomputed]:
    """What modules and nets have to recompute; ``None`` if the plan as it is fits.

    Args:
        memory: bytes that a step may take; ``None`` for the fewest possible.

    Raises:
        UserError: if the step does not fit, whatever is recomputed.
    """
    limit = memory or 0
    if limit and trial.peak_bytes(batch_size, micro_batches) <= limit:
        return None
    peak = trial.reduce_peak(batch_size, limit, micro_batches)
    if limit and peak > limit:
        raise UserError(
            f"memory = {_engine.format_bytes(limit)} is not enough for a batch of "
            f"{batch_size}: with all recomputation that saves memory, a step takes "
            f"{_engine.format_bytes(peak)}. A smaller batch, micro_batches, more modules or "
            "another method takes less (see mlaan.plan)"
        )
    return trial.recompute
