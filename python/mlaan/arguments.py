"""Checks of the settings that the engine is given."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any, Optional, Tuple, Union

import torch

from . import _engine
from ._engine import UserError


def in_python(message: str) -> str:
    """What a message says to do, as it is done here."""
    said = message.replace(
        "Backbone::set_normalisation(), with means 0 and deviations 1 if they were not",
        "normalisation=(means, deviations), with zeros and ones if they were not",
    )
    return said.replace(
        "; set it with Backbone::set_token_layout()",
        ". Methods whose nets read no map: e2e, checkpoint, or one of your own",
    )


def find_device(
    given: Union[str, torch.device, None], backbone: "_engine.Backbone"
) -> torch.device:
    """The device that is asked for, or the one that the network is on.

    Raises:
        UserError: for one that is not there, naming those that are.
    """
    if given is None:
        named = backbone.named_parameters()
        return named[0][1].device if named else torch.device("cpu")
    try:
        device = torch.device(given)
    except (RuntimeError, TypeError) as error:
        raise UserError(f"device {given!r} cannot be used: {error}") from error
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"device '{given}' cannot be used; accepted: cpu, cuda, cuda:N")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise UserError(
                f"device '{given}' cannot be used: this torch finds {count} CUDA devices here; "
                "accepted: cpu" + "".join(f", cuda:{index}" for index in range(count))
            )
    return device


def whole(value: Any, lowest: int, name: str) -> int:
    """The value, if it is a whole number that is high enough.

    Raises:
        UserError: for anything else.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = lowest - 1
    if number < lowest:
        raise UserError(f"{name} is {value!r}; accepted: a whole number, at least {lowest}")
    return number


def number(value: Any, name: str, lowest: float = 0.0, highest: float = math.inf) -> float:
    """The value, if it is a finite number from ``lowest`` to ``highest``.

    Raises:
        UserError: for anything else.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not lowest <= float(value) <= highest or float(value) == math.inf:
        bounds = f"at least {lowest:g}" if highest == math.inf else f"{lowest:g} to {highest:g}"
        raise UserError(f"{name} is {value!r}; accepted: a number, {bounds}")
    return float(value)


def of_kind(value: Any, kind: Union[type, Tuple[type, ...]], name: str, accepted: str) -> Any:
    """The value, if it is of that kind.

    Raises:
        UserError: saying what is accepted.
    """
    if not isinstance(value, kind):
        raise UserError(f"{name} is a {type(value).__name__}; accepted: {accepted}")
    return value


def flag(value: Any, name: str) -> bool:
    """The value, if it is True or False."""
    return bool(of_kind(value, bool, name, "True or False"))


def function_or_none(value: Any, name: str) -> Any:
    """The value, if it can be called, or None.

    Raises:
        UserError: for anything else.
    """
    if value is not None and not callable(value):
        raise UserError(f"{name} is a {type(value).__name__}; accepted: a function, or None")
    return value


def byte_count(value: Union[str, int, None], name: str) -> Optional[int]:
    """A number of bytes, from ``"2GiB"`` too.

    Raises:
        UserError: for what is none.
    """
    if value is None:
        return None
    return _engine.parse_bytes(value) if isinstance(value, str) else whole(value, 1, name)


def plain(value: Any) -> Any:
    """A setting's value as the extension takes it."""
    return list(value) if isinstance(value, tuple) else value
