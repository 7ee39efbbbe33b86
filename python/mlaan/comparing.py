"""mlaan.compare(): methods side by side on one model and one data set."""

from __future__ import annotations

import math
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Sized, Tuple, Union

import torch
from torch import nn

from ._engine import UserError
from .arguments import of_kind, whole
from .engine import Engine

Batches = Iterable[Tuple[torch.Tensor, torch.Tensor]]
MethodLike = Union[str, Callable[..., Any], Tuple[str, Dict[str, Any]]]


def cosine(lr: float) -> Callable[[float], float]:
    """A learning rate from ``lr`` to 0 over the training, as half a period of a cosine."""
    return lambda progress: 0.5 * lr * (1 + math.cos(math.pi * progress))


def test_error(engine: Engine, batches: Batches) -> float:
    """Share of wrong answers, in per cent."""
    wrong = count = 0
    for images, labels in batches:
        answers = engine.predict(images).argmax(1).to(labels.device)
        wrong += int((answers != labels).sum())
        count += len(labels)
    return 100.0 * wrong / count if count else math.nan


# So that pytest does not take it for a test where somebody imports it.
test_error.__test__ = False  # type: ignore[attr-defined]


def _named(method: MethodLike) -> Tuple[str, Dict[str, Any]]:
    if isinstance(method, tuple):
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
    """Trains a model by several methods, from the same weights, and says what came of each.

    Args:
        make_model: makes the model; called for each run, after ``torch.manual_seed(seed)``.
        methods: names or functions; or pairs of a name and arguments of :class:`mlaan.Engine`:
            ``("mlaan k=3", {"method": "mlaan", "options": {"mlm.window": 3}})``.
        train: batches, which each epoch goes through; or a function of the seed that gives them.
        test: batches to test on after each epoch.
        lr: at the beginning; it falls to 0 as a cosine does.
        progress: called with each row.
        settings: of every engine.

    Returns:
        A row for each method, seed and epoch, fit for ``pandas.DataFrame``: ``method``, ``seed``,
        ``epoch``, ``train_loss`` (of the model's head), ``test_error`` (per cent), ``step_seconds``
        (the median), ``peak_bytes``.
    """
    if isinstance(make_model, nn.Module) or not callable(make_model):
        raise UserError(
            f"make_model is a {type(make_model).__name__}; accepted: a function that makes a model"
        )
    of_kind(methods, (list, tuple), "methods", "a list of names, functions and pairs")
    whole(epochs, 1, "epochs")
    rows = []
    for seed in seeds:
        for method in methods:
            name, own = _named(method)
            torch.manual_seed(seed)
            engine = Engine(make_model(), example=example, seed=seed, **{**settings, **own})
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
        for index, (images, labels) in enumerate(train):
            done = (epoch + (index / length if length else 0)) / epochs
            engine.set_progress(done)
            engine.set_learning_rate(rate(done))
            start = time.perf_counter()
            losses.append(engine.step(images, labels).loss.item())
            seconds.append(time.perf_counter() - start)
        if not losses:
            raise UserError(
                f"`train` gave no batch in epoch {epoch + 1}; accepted: what can be gone through "
                "again, such as a list or a DataLoader, or a function of the seed that gives it"
            )
        yield {
            "epoch": epoch + 1,
            "train_loss": sum(losses) / len(losses),
            "test_error": test_error(engine, test) if test is not None else math.nan,
            "step_seconds": sorted(seconds)[len(seconds) // 2],
            "peak_bytes": engine.memory()["peak"],
        }
