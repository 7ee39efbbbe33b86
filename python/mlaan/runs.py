"""Folders of runs that the program `mlaan` leaves, as data."""

from __future__ import annotations

import csv
import json
import pathlib
from dataclasses import dataclass, field
from typing import Any, Dict, List, Union

from ._engine import UserError


@dataclass
class Run:
    """What a run's folder says.

    Attributes:
        folder: the run's folder.
        summary: ``summary.json``: errors, times, bytes; empty where the run is not at its end.
        metrics: a row for each epoch, of ``metrics.csv``.
        steps: a row for each logged step, of ``steps.jsonl``.
    """

    folder: pathlib.Path
    summary: Dict[str, Any] = field(default_factory=dict)
    metrics: List[Dict[str, Any]] = field(default_factory=list)
    steps: List[Dict[str, Any]] = field(default_factory=list)


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def read_run(folder: Union[str, pathlib.Path]) -> Run:
    """Reads the folder of a run of ``mlaan train``. Rows are fit for ``pandas.DataFrame``.

    Raises:
        UserError: for a folder that is no run's.
    """
    path = pathlib.Path(folder)
    if not (path / "metrics.csv").is_file() and not (path / "config.toml").is_file():
        raise UserError(f"{path} is no folder of a run: it has neither metrics.csv nor config.toml")
    run = Run(path)
    if (path / "summary.json").is_file():
        run.summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    if (path / "metrics.csv").is_file():
        with open(path / "metrics.csv", newline="", encoding="utf-8") as file:
            run.metrics = [
                {key: _number(value) for key, value in row.items()} for row in csv.DictReader(file)
            ]
    if (path / "steps.jsonl").is_file():
        lines = (path / "steps.jsonl").read_text(encoding="utf-8").splitlines()
        run.steps = [json.loads(line) for line in lines if line.strip()]
    return run


def read_comparison(folder: Union[str, pathlib.Path]) -> List[Dict[str, Any]]:
    """The runs of a comparison by ``mlaan compare``, a row each.

    Raises:
        UserError: for a folder that has no ``comparison.json``.
    """
    file = pathlib.Path(folder) / "comparison.json"
    if not file.is_file():
        raise UserError(f"{folder} has no comparison.json, which `mlaan compare` writes")
    return list(json.loads(file.read_text(encoding="utf-8"))["runs"])
