"""mlaan.plot(): draws rows of comparisons and plans."""

from __future__ import annotations

import math
import pathlib
import statistics
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from . import _engine
from ._engine import UserError
from .arguments import number, of_kind

_TITLES = {
    "peak_bytes": ("peak, MiB", 2.0**20),
    "step_seconds": ("seconds a step", 1.0),
    "test_error": ("test error, %", 1.0),
    "train_loss": ("training loss", 1.0),
    "modules": ("modules", 1.0),
}


def _last_rows(rows: Sequence[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The last epoch's row of each method and seed."""
    last: Dict[Tuple[Any, Any], Dict[str, Any]] = {}
    for row in rows:
        key = (row.get("method"), row.get("seed")) if "epoch" in row else (id(row), None)
        last[key] = row
    return list(last.values())


def plot(
    rows: Sequence[Dict[str, Any]],
    file: Union[str, pathlib.Path, None] = None,
    *,
    x: str = "peak_bytes",
    y: str = "test_error",
    title: str = "",
) -> str:
    """Draws a point for each method: the mean over its seeds, with a bar of one standard error.

    Args:
        rows: of :func:`mlaan.compare`, of which the last epochs are drawn, or of
            :func:`mlaan.plan`; a list of dicts, or a ``pandas.DataFrame``.
        file: the file to write the picture to.
        x, y: names of columns.

    Returns:
        The picture as the text of an SVG file.

    Raises:
        UserError: for rows without these columns, or with anything but numbers in them.
    """
    points: Dict[Any, List[Tuple[float, float]]] = {}
    for row in _last_rows(_rows(rows)):
        if x not in row or y not in row:
            raise UserError(
                f"the rows have no column '{x if x not in row else y}'; they have "
                + ", ".join(str(key) for key in row)
            )
        point = (number(row[column], f"column '{column}'", -math.inf) for column in (x, y))
        points.setdefault(_label(row), []).append((next(point), next(point)))
    (x_title, x_unit), (y_title, y_unit) = _TITLES.get(x, (x, 1.0)), _TITLES.get(y, (y, 1.0))
    series = [
        [
            (
                statistics.fmean(a for a, _ in found) / x_unit,
                statistics.fmean(b for _, b in found) / y_unit,
                str(label),
                _bar(found) / y_unit,
            )
        ]
        for label, found in points.items()
    ]
    picture = _engine.scatter_plot(
        title or f"{y_title} against {x_title}", "", x_title, y_title, False, series
    )
    if file is not None:
        pathlib.Path(file).write_text(picture, encoding="utf-8")
    return picture


def _rows(given: Any) -> List[Dict[str, Any]]:
    if hasattr(given, "to_dict"):  # a table of pandas
        given = given.to_dict("records")
    of_kind(given, (list, tuple), "rows", "a list of dicts, or a pandas.DataFrame")
    return [of_kind(row, dict, "a row", "a dict of columns") for row in given]


def _label(row: Dict[str, Any]) -> Any:
    parts: List[Optional[Any]] = [row.get("method", "")]
    if "epoch" not in row and "modules" in row:
        parts += [f"K={row['modules']}", row.get("recompute")]
    return " ".join(str(part) for part in parts if part)


def _bar(found: Sequence[Tuple[float, float]]) -> float:
    if len(found) < 2:
        return 0.0
    return statistics.stdev(value for _, value in found) / math.sqrt(len(found))
