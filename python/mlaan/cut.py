"""mlaan.units(): cuts a model into a chain of units and a head."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import torch
from torch import nn

from ._engine import UserError
from .batches import needed_example
from .chain import Chain, check_equals_model, check_has_all_parameters
from .graph import cut_graph, is_container
from .model_checks import check_models
from .reach import check_reach
from .recipes import RECIPES, ToChannelsFirst, ToChannelsLast, gives_channels_last
from .segments import Segment, group_segments, grouped, run_segments
from .unit import Unit, tensor_names

Piece = Union[nn.Module, Callable[..., Any]]


def units(
    model: Union[nn.Module, Sequence[Piece]],
    example: torch.Tensor,
    *,
    name: Optional[str] = None,
    head: Optional[Sequence[Piece]] = None,
) -> Chain:
    """Cuts a model into units between which one tensor passes, and a head.

    ``nn.Sequential``s are cut between their children, nested ones too; other models where torch.fx
    finds that one tensor alone passes on, between their blocks; timm's vision transformers by a
    recipe. Each layer with weights begins a unit, what has none and normalisations join the one
    before. The head is what follows the last unit that gives maps or tokens. The parts share the
    model's tensors, and what they give on the example is compared with what the model gives, to the
    last bit, in evaluation and in training mode.

    Args:
        model: the model; or its pieces by hand, modules and functions in the order in which they
            run, each of which is a unit, but that functions and layers without weights join the
            piece before.
        example: a batch as the model takes it, of two samples or more.
        name: what logs call it; by default the class's name.
        head: for pieces by hand those of the head; by default the last piece with weights and what
            follows it.

    Returns:
        The chain; printed, it says the units' names, shapes and parameters.

    Raises:
        UserError: for a model that is no chain, naming where two tensors cross, and for a chain
            that does not give what the model gives.
    """
    if not isinstance(model, (nn.Module, list, tuple)):
        raise UserError(
            f"a {type(model).__name__} cannot be cut; accepted: a torch.nn.Module, or a list of "
            "modules and functions"
        )
    if torch.is_inference_mode_enabled():
        raise UserError("a model cannot be cut within torch.inference_mode()")
    needed_example(example)
    pieces: List[Any] = [model] if isinstance(model, nn.Module) else [*model, *(head or ())]
    check_models(piece for piece in pieces if isinstance(piece, nn.Module))
    if isinstance(model, nn.Module):
        chain = _cut_model(model, example, name or type(model).__name__)
    else:
        chain = _by_hand(list(model), example, name or "chain", head)
    check_has_all_parameters(chain)
    check_reach(chain, example)
    return chain


def _cut_model(model: nn.Module, example: torch.Tensor, name: str) -> Chain:
    if not model.training:
        model.train()  # loaded for evaluation, not frozen
    names = tensor_names(model)
    segments = _segments(model, example)
    found, head, blocks = group_segments(segments, names)
    if gives_channels_last(model):
        found, head = _with_channels_first(found, head, names)
    chain = Chain(name, found, head, model, blocks)
    chain.find_shapes(example)
    check_equals_model(chain, example)
    return chain


def _segments(model: nn.Module, example: torch.Tensor) -> List[Segment]:
    if is_container(model):
        segments = _flat(model, "")
        run_segments(segments, example)
        return segments
    for recipe in RECIPES:
        known = recipe(model)
        if known is not None:
            run_segments(known, example)
            return known
    return cut_graph(model, example)


def _flat(sequence: nn.Module, prefix: str) -> List[Segment]:
    """The children in order, those of Sequentials in their place."""
    segments: List[Segment] = []
    children: Dict[str, Any] = sequence._modules  # a layer that stands twice runs twice
    for name, child in children.items():
        path = prefix + name
        if is_container(child):
            segments += _flat(child, path + ".")
        else:
            segments.append(Segment(path, child))
    return segments


def _with_channels_first(found: List[Unit], head: Unit, names: Dict[int, str]) -> Any:
    """The same units, between which maps pass as everything else here takes them."""
    made: List[Unit] = []
    parts = [*found, head]
    for index, part in enumerate(parts):
        steps: List[Any] = [] if index == 0 else [ToChannelsLast()]
        steps += [part._functions.get(i) or part._modules[str(i)] for i in range(part._count)]
        if part is not head:
            steps.append(ToChannelsFirst())
        made.append(Unit(part.name, steps, names, part._own, part.no_copy))
    return made[:-1], made[-1]


def _by_hand(
    pieces: List[Piece], example: torch.Tensor, name: str, head: Optional[Sequence[Piece]]
) -> Chain:
    segments = _pieces(pieces, "")
    if head is None:
        run_segments(segments, example)
        found, last, blocks = _grouped_by_hand(segments)
    else:
        last_segments = _pieces(list(head), "head.")
        run_segments([*segments, *last_segments], example)
        # The given head is the head, whatever is in it.
        found, _, blocks = _grouped_by_hand([*segments, Segment("head", nn.Linear(1, 1), (1,))])
        last = Unit("head", [segment.call for segment in last_segments])
    chain = Chain(name, found, last, None, blocks)
    chain.find_shapes(example)
    return chain


def _pieces(pieces: List[Piece], prefix: str) -> List[Segment]:
    segments = []
    for index, piece in enumerate(pieces):
        if not callable(piece):
            raise UserError(
                f"piece {index} is a {type(piece).__name__}; accepted: modules and functions"
            )
        segments.append(Segment(f"{prefix}{index}", piece))
    return segments


def _grouped_by_hand(segments: List[Segment]) -> Any:
    """Every piece with weights is a unit, the last of them the head."""
    weighted = [i for i, segment in enumerate(segments) if segment.has_parameters]
    if len(weighted) < 2:
        raise UserError(
            "pieces by hand need two with weights at least, a unit and a head; found "
            f"{len(weighted)}"
        )
    groups = grouped(segments[: weighted[-1]], lambda segment: segment.has_parameters)
    if groups[-1][-1].shape is None:
        raise UserError(
            f"what '{groups[-1][-1].name}' gives to the head is no single tensor of the batch"
        )
    made = []
    for group in groups:
        name = next((part.name for part in group if part.has_parameters), group[0].name)
        made.append(Unit(name, [part.call for part in group]))
    head = Unit("head", [segment.call for segment in segments[weighted[-1] :]])
    return made, head, len(made)
