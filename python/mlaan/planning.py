"""mlaan.plan(): tries settings of methods and reports the bytes and time of a step."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Union

import torch
from torch import nn

from ._engine import UserError
from .arguments import byte_count, listed, type_of, whole
from .batches import needed_example
from .chain import Chain
from .cut import units
from .engine import Engine


def _module_counts(chain: Chain) -> List[int]:
    """A few numbers of modules, from one for the whole network to one for each block."""
    counts, count = [], 1
    while count < chain.block_count:
        counts.append(count)
        count *= 2
    return [*counts, chain.block_count]


def plan(
    model: Union[nn.Module, Chain],
    *,
    example: Optional[torch.Tensor] = None,
    batch_size: int,
    memory: Union[str, int, None] = None,
    methods: Sequence[Any] = ("mlaan-lean", "e2e"),
    modules: Optional[Sequence[int]] = None,
    recompute: Sequence[str] = ("none", "auto"),
    seconds: bool = True,
    **settings: Any,
) -> List[Dict[str, Any]]:
    """Tries methods, numbers of modules and recomputations on a few images, on copies of the model.

    Bytes are those allocated on the CPU in a step on ``batch_size`` images, without the batch
    itself; they are extrapolated from steps on two and on four images.

    Args:
        memory: bytes that a step may take, ``"2GiB"``; without it, the lowest peaks are sought.
        methods: names or functions, as :class:`mlaan.Engine` accepts them.
        modules: numbers of modules to try; by default 1, 2, 4, … up to one for each block.
        recompute: kinds to try; ``"auto"`` recomputes what has to be for a step to fit.
        seconds: whether to measure the time of a step too.
        settings: further arguments of :class:`mlaan.Engine`.

    Returns:
        A row for each setting, first those that fit, the fastest (or the smallest) first:
        ``method``, ``modules``, ``recompute``, ``peak_bytes``, ``largest_batch``, ``step_seconds``,
        ``fits``, and ``engine``, the arguments that make that engine. pandas.DataFrame reads it.

    Raises:
        UserError: for arguments that are not accepted, and if no setting could be tried.
    """
    if not isinstance(model, (nn.Module, Chain)):
        raise UserError(
            f"`model` is {type_of(model)}; accepted: a torch.nn.Module, or what mlaan.units() "
            "returned; for networks of mlaan.backbone() use the program, `mlaan plan`"
        )
    chain = model if isinstance(model, Chain) else units(model, needed_example(example))
    own = chain.copied()  # trials train these copies
    limit = byte_count(memory, "memory") or 0
    whole(batch_size, 1, "batch_size")
    listed(methods, "methods", "a list of names or functions")
    if modules is not None:
        listed(modules, "modules", "a list of numbers of modules, such as [2, 4, 8]")
    listed(recompute, "recompute", "a list of kinds, such as ['none', 'auto']")
    rows, refusals = [], []
    for method in methods:
        for count in modules or _module_counts(chain):
            if count == 1 and method != "e2e" and not modules:
                continue
            for kind in recompute:
                try:
                    row = _row(own, method, count, kind, batch_size, limit, seconds, settings)
                except UserError as error:  # not for this number of modules or these units
                    refusals.append(str(error))
                else:
                    rows.append(row)
            if method == "e2e" and not modules:
                break  # e2e costs the same for any number of modules
    if not rows:
        raise UserError(f"no setting could be tried; the first one was refused: {refusals[0]}")
    return sorted(rows, key=lambda row: (not row["fits"], row["step_seconds"] or row["peak_bytes"]))


def _row(
    chain: Chain,
    method: Any,
    count: int,
    kind: str,
    batch_size: int,
    limit: int,
    seconds: bool,
    settings: Dict[str, Any],
) -> Dict[str, Any]:
    own = {"method": method, "modules": count, **settings}
    trial = Engine(chain, recompute="none" if kind == "auto" else kind, **own).trial()
    if kind == "auto":
        trial.reduce_peak(batch_size, limit, 1)
    peak = trial.peak_bytes(batch_size)
    engine = {**own, "recompute": kind, "batch_size": batch_size}
    if limit and kind == "auto":
        engine["memory"] = limit
    return {
        "method": method if isinstance(method, str) else getattr(method, "__name__", "function"),
        "modules": count,
        "recompute": kind,
        "batch_size": batch_size,
        "peak_bytes": peak,
        "largest_batch": trial.largest_batch(limit) if limit else None,
        "step_seconds": trial.seconds(batch_size, max(limit, peak)) if seconds else None,
        "fits": not limit or peak <= limit,
        "engine": engine,
    }
