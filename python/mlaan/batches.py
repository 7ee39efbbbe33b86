"""Checks of the batches that a model, an engine and a loss are given."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Optional, Sequence, Tuple

import torch

from ._engine import UserError
from .arguments import type_of

#: From here on float32, in which the engine passes a batch on, skips whole numbers.
_LARGEST_WHOLE = 2**24


def check_tensor(name: str, given: Any) -> None:
    """Raises:
    UserError: for anything but a plain tensor with the batch in its first dimension.
    """
    if not isinstance(given, torch.Tensor):
        raise UserError(f"{name} are {type_of(given)}; accepted: a tensor, the batch first")
    if given.dim() == 0:
        raise UserError(f"{name} are a single number; accepted: a tensor, the batch first")
    for is_so, kind in (
        (given.device.type == "meta", "on the meta device"),
        (given.layout != torch.strided, f"a {given.layout} tensor"),
        (given.is_inference(), "made under torch.inference_mode()"),
    ):
        if is_so:
            raise UserError(f"{name} are {kind}; accepted: a plain tensor, the batch first")


def check_images(images: Any, sample: Sequence[int], dtype: torch.dtype) -> None:
    """Raises:
    UserError: for an empty batch, for one of another number of dimensions than the example's, and
        for whole numbers where the example had fractions, or the other way round.

    Args:
        sample: shape of one sample of the example.
        dtype: of the example.
    """
    check_tensor("images", images)
    if images.dim() != len(sample) + 1:
        raise UserError(
            f"images are of shape {tuple(images.shape)}; accepted: a batch as the example was, "
            f"(batch, {', '.join(str(size) for size in sample)}), maybe of another size"
        )
    if not len(images):
        raise UserError("images are a batch of 0; a step needs at least one image")
    if images.is_floating_point() != dtype.is_floating_point:
        hint = ", such as images.float() / 255" if images.dtype == torch.uint8 else ""
        raise UserError(
            f"images are of the type {images.dtype}, and the example was of the type {dtype}; "
            f"convert them to its type{hint}"
        )
    if not images.is_floating_point() and images.is_cpu and images.dtype != torch.bool:
        highest = int(images.max())
        if highest >= _LARGEST_WHOLE:
            raise UserError(
                f"images hold the number {highest}; accepted: whole numbers below {_LARGEST_WHOLE}"
            )


def check_labels(name: str, labels: Any, batch: int, classes: int, probabilities: bool) -> None:
    """Raises:
    UserError: for labels of another shape or type than the batch's and the network's, and, if
        ``probabilities``, for rows that are no probabilities.
    """
    check_tensor(name, labels)
    wanted = f"int64 of shape ({batch}), or probabilities of shape ({batch}, {classes})"
    is_classes = not labels.is_floating_point()
    fits = labels.dim() == 1 if is_classes else tuple(labels.shape[1:]) == (classes,)
    if not fits or len(labels) != batch:
        raise UserError(
            f"{name} are of shape {tuple(labels.shape)} and type {labels.dtype}; for this batch of "
            f"{batch} images accepted are {wanted}. With loss=, a function of yours, they may be "
            "any tensor with the batch first"
        )
    if is_classes or not probabilities or labels.is_cuda:  # a look there would wait for the device
        return
    sums = labels.detach().float().sum(1)
    if not bool((labels >= 0).all()) or not bool(((sums - 1).abs() < 0.01).all()):
        raise UserError(
            f"{name} hold rows that are no probabilities: they must be at least 0 and sum to 1 "
            "(a function as loss= may read other rows)"
        )


def check_any_labels(name: str, labels: Any, batch: int) -> None:
    """For losses of the user's own, which may read anything.

    Raises:
        UserError: for anything but a tensor with an entry for each image.
    """
    check_tensor(name, labels)
    if len(labels) != batch:
        raise UserError(
            f"{name} are of shape {tuple(labels.shape)}; accepted: a tensor whose first dimension "
            f"has the {batch} images of the batch"
        )


def needed_example(example: Optional[torch.Tensor]) -> torch.Tensor:
    """The example, where a model has to be cut.

    Raises:
        UserError: if there is none, and for anything that is no batch.
    """
    if example is None:
        raise UserError("`example` is missing: a batch as the model takes it, such as images[:2]")
    if not isinstance(example, torch.Tensor) or example.dim() < 2 or len(example) < 1:
        raise UserError(
            "`example` must be a batch as the model takes it: a tensor whose first "
            "dimension is the batch, such as images[:2]"
        )
    return example.detach()


def pairs(batches: Any, name: str) -> Iterator[Tuple[torch.Tensor, torch.Tensor]]:
    """Images and labels of each batch.

    Raises:
        UserError: for what cannot be iterated over, and for batches that are no pairs.
    """
    if not isinstance(batches, Iterable):
        raise UserError(
            f"{name} is {type_of(batches)}; accepted: a DataLoader, or a list of (images, labels)"
        )
    for batch in batches:
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            size = f" with {len(batch)} items" if isinstance(batch, (tuple, list)) else ""
            raise UserError(
                f"an item of {name} is {type_of(batch)}{size}; accepted: (images, labels)"
            )
        yield batch[0], batch[1]
