"""Calls the user's functions during a step."""

from __future__ import annotations

import weakref
from typing import Any, Callable, Dict, List, Tuple

import torch

Observer = Callable[[str, int], None]
BeforeUpdate = Callable[[str, Dict[str, torch.Tensor]], None]


class Hooks:
    """Calls the ``observer`` and ``before_update`` of a Python engine.

    The C++ engine holds this object, which holds the Python engine weakly: Python's garbage
    collector could not free a cycle through C++.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = weakref.ref(engine)

    def observe(self, operation: str, module: int) -> None:
        engine = self._engine()
        if engine is not None and engine.observer is not None:
            engine.observer(operation, module)

    def before_update(self, part: str, parameters: List[Tuple[str, torch.Tensor]]) -> None:
        engine = self._engine()
        if engine is not None and engine.before_update is not None:
            engine.before_update(part, dict(parameters))
