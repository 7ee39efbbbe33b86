"""Checks of arguments, with messages that name the argument, its value and what is accepted."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any, Dict, List, Optional, Tuple, Union

import torch

from . import _engine
from ._engine import UserError

_LARGEST = 2**63 - 1


def shown(value: Any) -> str:
    """A value as messages show it: in one line of at most 60 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def type_of(value: Any) -> str:
    """What a value is, for messages: "of the type int", "the class Linear"."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of the type {type(value).__name__}"


def in_python(message: str) -> str:
    """A message of the engine's, with what to do about it in Python."""
    said = message.replace(
        "Backbone::set_normalisation(), with means 0 and deviations 1 if they were not",
        "normalisation=(means, deviations), with zeros and ones if they were not",
    )
    if "Backbone::set_token_layout()" in said:
        said = said.split("; set it with", 1)[0] + (
            "; give mlaan.units() their layout, tokens=(rows, columns, tokens before the patches), "
            "such as tokens=(14, 14, 2), or (1, N, 0) for a sequence that is no picture. Methods "
            "that need no layout: e2e, checkpoint"
        )
    if said.startswith("a head reads maps"):
        said += ". Methods whose nets read no such output: e2e, checkpoint, or one of your own"
    return said


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
        raise UserError(f"device {shown(given)} cannot be used: {error}") from error
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


def whole(value: Any, lowest: int, name: str, highest: int = _LARGEST) -> int:
    """The value, if it is a whole number from ``lowest`` to ``highest``.

    Raises:
        UserError: for anything else.
    """
    try:
        number = lowest - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = lowest - 1
    if not lowest <= number <= highest:
        bounds = f"at least {lowest}" if number < lowest else f"at most {highest}"
        raise UserError(f"{name} is {shown(value)}; accepted: a whole number, {bounds}")
    return number


def number(value: Any, name: str, lowest: float = 0.0, highest: float = math.inf) -> float:
    """The value, if it is a finite number from ``lowest`` to ``highest``.

    Raises:
        UserError: for anything else.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not lowest <= float(value) <= highest or math.isinf(float(value)):
        bounds = f", {lowest:g} to {highest:g}"
        if highest == math.inf:
            bounds = f", at least {lowest:g}" if lowest > -math.inf else " that is finite"
        raise UserError(f"{name} is {shown(value)}; accepted: a number{bounds}")
    return float(value)


def of_kind(value: Any, kind: Union[type, Tuple[type, ...]], name: str, accepted: str) -> Any:
    """The value, if it is an instance of ``kind``.

    Raises:
        UserError: saying what is accepted.
    """
    if not isinstance(value, kind):
        raise UserError(f"{name} is {type_of(value)}; accepted: {accepted}")
    return value


def listed(value: Any, name: str, accepted: str) -> List[Any]:
    """The items of a list or tuple.

    Raises:
        UserError: for anything else, and for an empty one.
    """
    items = list(of_kind(value, (list, tuple), name, accepted))
    if not items:
        raise UserError(f"{name} is empty; accepted: {accepted}")
    return items


def flag(value: Any, name: str) -> bool:
    """The value, if it is True or False."""
    return bool(of_kind(value, bool, name, "True or False"))


def function_or_none(value: Any, name: str) -> Any:
    """The value, if it can be called, or None.

    Raises:
        UserError: for anything else.
    """
    if value is not None and not callable(value):
        raise UserError(f"{name} is {type_of(value)}; accepted: a function, or None")
    return value


def byte_count(value: Union[str, int, None], name: str) -> Optional[int]:
    """A number of bytes, which may be a text such as ``"2GiB"``.

    Raises:
        UserError: for anything else.
    """
    if value is None:
        return None
    return _engine.parse_bytes(value) if isinstance(value, str) else whole(value, 1, name)


def settings_of(options: Optional[Dict[str, Any]]) -> List[Tuple[str, Any]]:
    """A method's settings, as the extension takes them.

    Raises:
        UserError: for a key that is no text, and for values of types that no setting has.
    """
    given = of_kind({} if options is None else options, dict, "options", "a dict of settings")
    return [
        (of_kind(key, str, "a key of options", "a text"), _setting(key, given[key]))
        for key in given
    ]


def _setting(key: str, value: Any) -> Any:
    name = f"options['{key}']"
    if isinstance(value, (list, tuple)):
        return [of_kind(item, str, f"an item of {name}", "a text") for item in value]
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return whole(value, -_LARGEST, name)
    if isinstance(value, numbers.Real):
        return number(value, name, -math.inf)
    raise UserError(
        f"{name} is {shown(value)}; accepted: a number, a text, True or False, or a list of texts"
    )
