"""Checks the options of the C++ engine."""

from __future__ import annotations

from typing import Any, Dict

import torch

from . import _engine
from .arguments import flag, number, of_kind, shown, whole


def engine_options(
    optimizer: "_engine.Optimizer",
    device: torch.device,
    seed: int,
    *,
    fused_update: bool,
    micro_batches: int,
    channels_last: bool,
    kernels: str,
    precision: str,
    boundaries: str,
    clip_grad: float,
    layer_decay: float,
) -> Dict[str, Any]:
    """The options as the extension takes them; :class:`mlaan.Engine` says what each means.

    Raises:
        UserError: for a value that is not accepted; the extension checks names of precisions.
    """
    if kernels not in ("own", "reference"):
        raise _engine.UserError(f"kernels is {shown(kernels)}; accepted: 'own', 'reference'")
    return {
        "optimizer": optimizer,
        "device": str(device),
        "seed": seed,
        "fused_update": flag(fused_update, "fused_update"),
        "micro_batches": whole(micro_batches, 1, "micro_batches"),
        "channels_last": flag(channels_last, "channels_last"),
        "reference_kernels": kernels == "reference",
        "precision": of_kind(precision, str, "precision", "a name"),
        "boundaries": of_kind(boundaries, str, "boundaries", "a name"),
        "clip_grad": number(clip_grad, "clip_grad"),
        "layer_decay": number(layer_decay, "layer_decay", 1e-6, 1.0),
    }
