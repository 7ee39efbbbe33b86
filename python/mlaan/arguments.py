"""Checks of what the engine is given."""

from __future__ import annotations

from typing import Any, Optional, Union

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
        "; say so by Backbone::set_token_layout()",
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


def check_batch(images: Any, labels: Any, classes: int) -> None:
    """Raises:
    UserError: for labels of another shape or type than the batch's and the network's.
    """
    check_is_batch("images", images)
    check_is_batch("labels", labels)
    wanted = f"int64 of shape ({len(images)}), or probabilities of shape ({len(images)}, {classes})"
    is_classes = not labels.is_floating_point()
    fits = labels.dim() == 1 if is_classes else tuple(labels.shape[1:]) == (classes,)
    if not fits or len(labels) != len(images):
        raise UserError(
            f"labels are of shape {tuple(labels.shape)} and type {labels.dtype}; for this batch of "
            f"{len(images)} images accepted are {wanted}"
        )


def check_is_batch(name: str, given: Any) -> None:
    """Raises:
    UserError: for what is no tensor with the batch first.
    """
    if not isinstance(given, torch.Tensor):
        raise UserError(
            f"{name} are a {type(given).__name__}; accepted: a tensor, the batch first"
        )
    if given.dim() == 0:
        raise UserError(f"{name} are a single number; accepted: a tensor, the batch first")


def needed_example(example: Optional[torch.Tensor]) -> torch.Tensor:
    """The example, where a model has to be cut.

    Raises:
        UserError: where there is none.
    """
    if example is None:
        raise UserError("`example` is missing: a batch as the model takes it, such as images[:2]")
    return example


def at_least(value: int, lowest: int, name: str) -> int:
    """The value, if it is as high as that."""
    if value < lowest:
        raise UserError(f"{name} is {value}; accepted: at least {lowest}")
    return value


def plain(value: Any) -> Any:
    """A setting's value as the extension takes it."""
    return list(value) if isinstance(value, tuple) else value
