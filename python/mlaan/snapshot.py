"""Notices changes of a model that was cut: replaced parts, converted or frozen parameters."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import torch

from ._engine import UserError
from .chain import Chain


class Snapshot:
    """The modules, parameters and buffers of a chain: the objects, not their numbers."""

    def __init__(self, chain: Optional[Chain]) -> None:
        self._trained: List[Tuple[torch.Tensor, bool, Tuple[Any, ...], str]] = []
        self._held: List[Tuple[Dict[str, Any], Dict[str, Any], str]] = []
        self._buffers: List[Tuple[Dict[str, Any], str, torch.Tensor, str]] = []
        if chain is None:
            return
        parts = [chain.model] if chain.model is not None else list(chain.parts())
        for part in parts:
            for path, module in part.named_modules():
                front = f"{path}." if path else ""
                self._held.append((module._modules, dict(module._modules), front))
                self._held.append((module._parameters, dict(module._parameters), front))
                # Buffers may be added by a forward pass, as caches are.
                self._buffers += [
                    (module._buffers, name, buffer, front)
                    for name, buffer in module._buffers.items()
                    if buffer is not None
                ]
                for name, parameter in module._parameters.items():
                    if parameter is not None:
                        trained = parameter.requires_grad
                        self._trained.append((parameter, trained, _form(parameter), front + name))

    def check(self) -> None:
        """Raises:
        UserError: if a module, parameter or buffer was added, removed or replaced, which the engine
            does not know, and if a parameter was converted, frozen or unfrozen.
        """
        for now, then, front in self._held:
            if len(now) == len(then) and all(now.get(name) is then[name] for name in then):
                continue
            name = next(
                name for name in (*then, *now) if now.get(name, then) is not then.get(name, now)
            )
            _refuse(front + name)
        for tensor, trained, form, place in self._trained:
            if _form(tensor) != form:
                raise UserError(
                    f"'{place}' of the model was of the type {form[0]} and shape {tuple(form[1])} "
                    f"when this engine was made, and is of the type {tensor.dtype} and shape "
                    f"{tuple(tensor.shape)} now; make a new engine after converting the model"
                )
            if tensor.requires_grad is not trained:
                done = "frozen" if trained else "unfrozen"
                raise UserError(
                    f"'{place}' of the model was {done} after this engine was made; make a new "
                    "engine after freezing or unfreezing"
                )
        for now, name, buffer, front in self._buffers:
            if now.get(name) is not buffer:
                _refuse(front + name)


def _refuse(place: str) -> None:
    raise UserError(
        f"'{place}' of the model was replaced, added or removed after this engine was made, which "
        "knows what was there before; make a new engine, or copy numbers into the tensors that are "
        "there (load_state_dict() without assign=True)"
    )


def _form(tensor: torch.Tensor) -> Tuple[Any, ...]:
    return tensor.dtype, tensor.shape
