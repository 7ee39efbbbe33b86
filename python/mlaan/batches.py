"""Checks of the batches that a model, an engine and a loss are given."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import torch

from ._engine import UserError


def check_tensor(name: str, given: Any) -> None:
    """Raises:
    UserError: for what is no tensor with numbers in it and the batch first.
    """
    if not isinstance(given, torch.Tensor):
        raise UserError(f"{name} are a {type(given).__name__}; accepted: a tensor, the batch first")
    if given.dim() == 0:
        raise UserError(f"{name} are a single number; accepted: a tensor, the batch first")
    for is_so, kind in (
        (given.device.type == "meta", "on the meta device"),
        (given.layout != torch.strided, f"a {given.layout} tensor"),
        (given.is_inference(), "of torch.inference_mode()"),
    ):
        if is_so:
            raise UserError(f"{name} are {kind}; accepted: a plain tensor, the batch first")


def check_images(images: Any, sample: Sequence[int]) -> None:
    """Raises:
    UserError: for an empty batch, and for one of other dimensions than the example's.
    """
    check_tensor("images", images)
    if images.dim() != len(sample) + 1:
        raise UserError(
            f"images are of shape {tuple(images.shape)}; accepted: a batch as the example was, "
            f"(batch, {', '.join(str(size) for size in sample)}), maybe of another size"
        )
    if not len(images):
        raise UserError("images are a batch of 0; a step needs one image at least")


def check_labels(name: str, labels: Any, batch: int, classes: int, probabilities: bool) -> None:
    """Raises:
    UserError: for labels of another shape or type than the batch's and the network's, and for
        rows that are no probabilities, where they have to be.
    """
    check_tensor(name, labels)
    wanted = f"int64 of shape ({batch}), or probabilities of shape ({batch}, {classes})"
    is_classes = not labels.is_floating_point()
    fits = labels.dim() == 1 if is_classes else tuple(labels.shape[1:]) == (classes,)
    if not fits or len(labels) != batch:
        raise UserError(
            f"{name} are of shape {tuple(labels.shape)} and type {labels.dtype}; for this batch of "
            f"{batch} images accepted are {wanted}"
        )
    if is_classes or not probabilities or labels.is_cuda:  # a look there would wait for the device
        return
    sums = labels.detach().float().sum(1)
    if not bool((labels >= 0).all()) or not bool(((sums - 1).abs() < 0.01).all()):
        raise UserError(
            f"{name} hold rows that are no probabilities: they must be at least 0 and sum to 1 "
            "(another loss may take other rows: loss=...)"
        )


def needed_example(example: Optional[torch.Tensor]) -> torch.Tensor:
    """The example, where a model has to be cut.

    Raises:
        UserError: where there is none, and for what is no batch.
    """
    if example is None:
        raise UserError("`example` is missing: a batch as the model takes it, such as images[:2]")
    if not isinstance(example, torch.Tensor) or example.dim() < 2 or len(example) < 1:
        raise UserError(
            "`example` must be a batch as the model takes it: a tensor whose first "
            "dimension is the batch, such as images[:2]"
        )
    return example
