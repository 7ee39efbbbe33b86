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
        self._held: List[Tuple[Dict[str, Any], Dict[str, Any], str]] = []
        if chain is None:
            return
        parts = [chain.model] if chain.model is not None else list(chain.parts())
        for part in parts:
            for path, module in part.named_modules():
                front = f"{path}." if path else ""
                self._held.append((module._modules, dict(module._modules), front))
                self._held.append((module._parameters, dict(module._parameters), front))
                for name, parameter in module._parameters.items():
                    if parameter is not None:
                        self._trained.append((parameter, parameter.requires_grad, front + name))

    def check(self) -> None:
        """Raises:
        UserError: where something was added or stands in another's place, which the engine would
            not train, and where a parameter is trained that was not, or the other way round.
        """
        for now, then, front in self._held:
            if len(now) == len(then) and all(now.get(name) is then[name] for name in then):
                continue
            name = next(
                name for name in (*then, *now) if now.get(name, then) is not then.get(name, now)
            )
            raise UserError(
                f"'{front}{name}' of the model was replaced, added or removed after this engine "
                "was made, which knows what was there before; make a new engine, or copy numbers "
                "into the parameters that are there (load_state_dict() without assign=True)"
            )
        for tensor, trained, place in self._trained:
            if tensor.requires_grad is not trained:
                done = "frozen" if trained else "unfrozen"
                raise UserError(
                    f"'{place}' of the model was {done} after this engine was made, which knows "
                    "what is trained from its beginning; make a new engine"
                )
