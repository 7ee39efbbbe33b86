"""Reads the folders that the program `mlaan` writes for runs and comparisons."""

from __future__ import annotations

import csv
import json
import math
import os
import pathlib
from dataclasses import dataclass, field
from typing import Any, Dict, List, Union

from ._engine import UserError
from .arguments import of_kind


@dataclass
class Run:
    """The contents of a run's folder.

    Attributes:
        folder: the run's folder.
        summary: ``summary.json``: errors, times, bytes; empty as long as the run is not finished.
        metrics: a row for each epoch, of ``metrics.csv``.
        steps: a row for each logged step, of ``steps.jsonl``; each supervision's loss is a column
            ``losses.NAME``.
    """

    folder: pathlib.Path
    summary: Dict[str, Any] = field(default_factory=dict)
    metrics: List[Dict[str, Any]] = field(default_factory=list)
    steps: List[Dict[str, Any]] = field(default_factory=list)


def _number(text: str) -> Any:
    if not text:
        return math.nan
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _flat(row: Dict[str, Any]) -> Dict[str, Any]:
    """A row with columns (``losses.NAME``) in the place of dicts, and NaN in the place of null."""
    flat: Dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat.update((f"{key}.{name}", item) for name, item in value.items())
        else:
            flat[key] = math.nan if value is None else value
    return flat


def _read_json(file: pathlib.Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file} is damaged: {error}") from error


def _read_steps(file: pathlib.Path) -> List[Dict[str, Any]]:
    """Complete lines of a file to which a training may be writing."""
    *lines, _ = file.read_text(encoding="utf-8").split("\n")
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(_flat(json.loads(line)))
        except ValueError as error:
            raise UserError(f"{file}, line {number} is damaged: {error}") from error
    return rows


def read_run(folder: Union[str, pathlib.Path]) -> Run:
    """Reads the folder of a run of ``mlaan train``. ``pandas.DataFrame`` reads its rows.

    Raises:
        UserError: for a folder that holds no run, and for a damaged file.
    """
    path = pathlib.Path(of_kind(folder, (str, os.PathLike), "folder", "a path"))
    if not (path / "metrics.csv").is_file() and not (path / "config.toml").is_file():
        raise UserError(f"{path} is no folder of a run: it has neither metrics.csv nor config.toml")
    run = Run(path)
    if (path / "summary.json").is_file():
        run.summary = _read_json(path / "summary.json")
    if (path / "metrics.csv").is_file():
        with open(path / "metrics.csv", newline="", encoding="utf-8") as file:
            run.metrics = [
                {key: _number(value) for key, value in row.items()} for row in csv.DictReader(file)
            ]
    if (path / "steps.jsonl").is_file():
        run.steps = _read_steps(path / "steps.jsonl")
    return run


def read_comparison(folder: Union[str, pathlib.Path]) -> List[Dict[str, Any]]:
    """Reads the folder of ``mlaan compare``: a row for each run.

    Raises:
        UserError: for a folder that has no ``comparison.json``, or a damaged one.
    """
    file = pathlib.Path(of_kind(folder, (str, os.PathLike), "folder", "a path")) / "comparison.json"
    if not file.is_file():
        raise UserError(f"{folder} has no comparison.json, which `mlaan compare` writes")
    return [_flat(row) for row in _read_json(file)["runs"]]
