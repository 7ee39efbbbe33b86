"""Notices that a part of a model was replaced after the model was cut."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import torch

from ._engine import UserError
from .chain import Chain


class Snapshot:
    """The modules and parameters that a chain is made of: the objects, not their numbers."""

    def __init__(self, chain: Optional[Chain]) -> None:
        self._trained: List[Tuple[torch.Tensor, bool, str]] = []
        self._found: List[Tuple[Dict[str, Any], str, Any, str]] = []
        if chain is None:
            return
        parts = [chain.model] if chain.model is not None else list(chain.parts())
        for part in parts:
            for path, module in part.named_modules():
                for held in (module._parameters, module._modules):
                    for name, value in held.items():
                        place = f"{path}.{name}" if path else name
                        self._found.append((held, name, value, place))
                        if isinstance(value, torch.Tensor):
                            self._trained.append((value, value.requires_grad, place))

    def check(self) -> None:
        """Raises:
        UserError: where something stands in another's place, which the engine would not train, and
        where a parameter is trained that was not, or the other way round.
        """
        for held, name, value, place in self._found:
            if held.get(name) is not value:
                raise UserError(
                    f"'{place}' of the model was replaced after this engine was made, which would "
                    "go on training what was there before; make a new engine, or copy numbers into "
                    "the parameters that are there (load_state_dict() without assign=True)"
                )
        for tensor, trained, place in self._trained:
            if tensor.requires_grad is not trained:
                done = "frozen" if trained else "unfrozen"
                raise UserError(
                    f"'{place}' of the model was {done} after this engine was made, which knows "
                    "what is trained from its beginning; make a new engine"
                )
