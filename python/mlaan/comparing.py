"""mlaan.compare(): trains one model by several methods on the same data."""

from __future__ import annotations

import math
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Sized, Tuple, Union

import torch
from torch import nn

from ._engine import UserError
from .arguments import function_or_none, listed, number, of_kind, shown, type_of, whole
from .batches import pairs
from .engine import Engine

Batches = Iterable[Tuple[torch.Tensor, torch.Tensor]]
MethodLike = Union[str, Callable[..., Any], Tuple[str, Dict[str, Any]]]


def cosine(lr: float) -> Callable[[float], float]:
    """A function of the progress, 0 to 1: half a period of a cosine, from ``lr`` to 0."""
    number(lr, "lr")
    return lambda progress: 0.5 * lr * (1 + math.cos(math.pi * progress))


def test_error(engine: Engine, batches: Batches) -> float:
    """Share of wrong answers, in per cent; NaN without a batch.

    Args:
        batches: pairs of images and labels, int64 (batch).
    """
    of_kind(engine, Engine, "engine", "an Engine")
    wrong = count = 0
    for images, labels in pairs(batches, "batches"):
        if labels.shape != (len(images),) or labels.is_floating_point():
            raise UserError(
                f"labels are of shape {tuple(labels.shape)} and type {labels.dtype}; accepted for "
                f"a test error: classes, whole numbers of shape ({len(images)})"
            )
        answers = engine.predict(images).argmax(1).to(labels.device)
        wrong += int((answers != labels).sum())
        count += len(labels)
    return 100.0 * wrong / count if count else math.nan


# pytest takes imported functions of such names for tests.
test_error.__test__ = False  # type: ignore[attr-defined]


def _named(method: MethodLike) -> Tuple[str, Dict[str, Any]]:
    if isinstance(method, tuple):
        if len(method) != 2 or not isinstance(method[0], str) or not isinstance(method[1], dict):
            raise UserError(
                f"an item of methods is {shown(method)}; accepted: a name, a function, or a pair "
                "of a name and a dict of Engine's arguments"
            )
        return method[0], dict(method[1])
    if isinstance(method, str):
        return method, {"method": method}
    return getattr(method, "__name__", "function"), {"method": method}


def compare(
    make_model: Callable[[], nn.Module],
    methods: Sequence[MethodLike],
    train: Union[Batches, Callable[[int], Batches]],
    test: Optional[Batches] = None,
    *,
    example: torch.Tensor,
    epochs: int = 1,
    seeds: Sequence[int] = (0,),
    lr: float = 0.1,
    progress: Optional[Callable[[Dict[str, Any]], None]] = None,
    **settings: Any,
) -> List[Dict[str, Any]]:
    """Trains a model by several methods from the same weights, and compares the results.

    Args:
        make_model: makes the model; called for each run, after ``torch.manual_seed(seed)``.
        methods: names or functions; or pairs of a name and arguments of :class:`mlaan.Engine`:
            ``("mlaan k=3", {"method": "mlaan", "options": {"mlm.window": 3}})``.
        train: pairs of images and labels, iterated over in each epoch; or a function that returns
            them for a seed.
        test: pairs of images and labels for the test error after each epoch.
        lr: the first step's learning rate, which falls to 0 by :func:`mlaan.cosine`.
        progress: called with each row.
        settings: further arguments of every engine.

    Returns:
        A row for each method, seed and epoch, as ``pandas.DataFrame`` reads it: ``method``,
        ``seed``, ``epoch``, ``train_loss`` (of the model's head), ``test_error`` (per cent),
        ``step_seconds`` (the median), ``peak_bytes``.

    Raises:
        UserError: for arguments that are not accepted.
    """
    if isinstance(make_model, nn.Module) or not callable(make_model):
        raise UserError(
            f"make_model is {type_of(make_model)}; accepted: a function that makes a model"
        )
    listed(methods, "methods", "a list of names, functions and pairs")
    whole(epochs, 1, "epochs")
    if not isinstance(seeds, range):
        listed(seeds, "seeds", "a list of whole numbers")
    number(lr, "lr")
    function_or_none(progress, "progress")
    rows = []
    for seed in seeds:
        for method in methods:
            name, own = _named(method)
            torch.manual_seed(seed)
            model = of_kind(
                make_model(), nn.Module, "what make_model returned", "a torch.nn.Module"
            )
            engine = Engine(model, example=example, seed=seed, **{**settings, **own})
            batches = train(seed) if callable(train) else train
            for row in _epochs(engine, batches, test, epochs, cosine(lr)):
                rows.append({"method": name, "seed": seed, **row})
                if progress is not None:
                    progress(rows[-1])
            del engine
    return rows


def _epochs(
    engine: Engine,
    train: Batches,
    test: Optional[Batches],
    epochs: int,
    rate: Callable[[float], float],
) -> Iterable[Dict[str, Any]]:
    length = len(train) if isinstance(train, Sized) else None
    engine.reset_peak()
    for epoch in range(epochs):
        losses, seconds = [], []
        for index, (images, labels) in enumerate(pairs(train, "train")):
            done = (epoch + (index / length if length else 0)) / epochs
            engine.set_progress(done)
            engine.set_learning_rate(rate(done))
            start = time.perf_counter()
            losses.append(engine.step(images, labels).loss.item())
            seconds.append(time.perf_counter() - start)
        if not losses:
            raise UserError(
                f"`train` gave no batch in epoch {epoch + 1}; accepted: a list, a DataLoader or "
                "another object that can be iterated over in every epoch, or a function of the "
                "seed that returns one"
            )
        yield {
            "epoch": epoch + 1,
            "train_loss": sum(losses) / len(losses),
            "test_error": test_error(engine, test) if test is not None else math.nan,
            "step_seconds": sorted(seconds)[len(seconds) // 2],
            "peak_bytes": engine.memory()["peak"],
        }
