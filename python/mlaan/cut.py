"""mlaan.units(): cuts a model into a chain of units and a head."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import torch
from torch import nn

from ._engine import UserError
from .arguments import of_kind, type_of
from .batches import needed_example
from .chain import Chain, check_equals_model, check_has_all_parameters, output_of
from .graph import cut_graph
from .layouts import check_layout, checked_layout, timm_layout, with_maps_between
from .model_checks import check_models
from .reach import check_reach
from .recipes import RECIPES, timm_stages
from .segments import Segment, group_segments, grouped, run_segments
from .tracing import is_container
from .unit import Unit, tensor_names

Piece = Union[nn.Module, Callable[..., Any]]


def units(
    model: Union[nn.Module, Sequence[Piece]],
    example: torch.Tensor,
    *,
    name: Optional[str] = None,
    head: Optional[Sequence[Piece]] = None,
    tokens: Optional[Sequence[int]] = None,
) -> Chain:
    """Cuts a model into units between which one tensor passes, and a head.

    ``nn.Sequential``s are cut between their children, nested ones too; other models between their
    blocks, where torch.fx finds that one tensor alone passes on; vision transformers by recipes.
    Each layer with weights begins a unit; normalisations and layers without weights join the unit
    before. The head is everything behind the last unit that returns maps or tokens. The parts share
    the model's tensors. On the example their logits are compared with the model's, bit for bit, in
    evaluation and in training mode.

    Args:
        model: the model; or its pieces by hand: modules and functions in the order in which they
            run. Each piece with weights is a unit; others join the piece before.
        example: a batch as the model takes it, of two samples or more.
        name: its name in logs; by default the class's name.
        head: for pieces by hand, those of the head; by default the last piece with weights and all
            behind it.
        tokens: for units that return tokens, (batch, tokens, width), how these lie on the image:
            (rows, columns, tokens before the patches); a fourth item False says that the first of
            those is no class token. By default timm's own layout, else a square of patches with or
            without a class token. (1, N, 0) for a sequence that is no image.

    Returns:
        The chain; printed, it lists the units' names, shapes and parameters.

    Raises:
        UserError: for a model that is no chain, naming where two tensors cross, and for a chain
            whose logits are not the model's.
    """
    if not isinstance(model, (nn.Module, list, tuple)):
        raise UserError(
            f"`model` is {type_of(model)} and cannot be cut; accepted: a torch.nn.Module, or a "
            "list of modules and functions"
        )
    if isinstance(model, (nn.ModuleList, nn.ModuleDict)):
        raise UserError(
            f"`model` is of the type {type(model).__name__}, which has no forward pass; accepted: "
            "nn.Sequential(*modules), or mlaan.units([*modules], example=...)"
        )
    if torch.is_inference_mode_enabled():
        raise UserError("a model cannot be cut within torch.inference_mode()")
    example = needed_example(example)
    layout = checked_layout(tokens)
    of_kind(head or [], (list, tuple), "head", "a list of modules and functions")
    pieces: List[Any] = [model] if isinstance(model, nn.Module) else [*model, *(head or ())]
    modules = [piece for piece in pieces if isinstance(piece, nn.Module)]
    check_models(modules)
    first = next((tensor for module in modules for tensor in module.parameters()), example)
    example = example.to(first.device)
    if isinstance(model, nn.Module):
        chain = _cut_model(model, example, name or type(model).__name__)
    else:
        chain = _by_hand(list(model), example, name or "chain", head)
    check_has_all_parameters(chain)
    check_reach(chain, example)
    chain.tokens = layout or timm_layout(model, [unit.output_shape for unit in chain.units])
    check_layout(chain)
    return chain


def _cut_model(model: nn.Module, example: torch.Tensor, name: str) -> Chain:
    if not model.training:
        model.train()  # in evaluation mode as a whole it was loaded so, not frozen
    names = tensor_names(model)
    segments = _segments(model, example)
    found, head, blocks = group_segments(segments, names)
    chain = Chain(name, found, head, model, blocks)
    chain.find_shapes(example)
    chain = with_maps_between(chain, names)
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
    try:
        return cut_graph(model, example)
    except UserError:
        stages = _by_stages(model, example)
        if stages is None:
            raise
        return stages


def _by_stages(model: nn.Module, example: torch.Tensor) -> Optional[List[Segment]]:
    """The stages that timm lists for a model, if they give what the model gives."""
    stages = timm_stages(model)
    if stages is None:
        return None
    segments: List[Segment] = stages

    def run(value: Any) -> Any:
        for segment in segments:
            value = segment.call(value)
        return value

    modules = list(model.modules())
    forwards: List[Callable[..., torch.Tensor]] = [model, run]
    try:
        run_segments(segments, example)
        outputs = [output_of(forward, modules, example, False) for forward in forwards]
    except Exception:  # the children do not run one after the other
        return None
    return segments if torch.equal(*outputs) else None


def _flat(sequence: nn.Module, prefix: str) -> List[Segment]:
    """The children in order, with the children of inner Sequentials in their place."""
    segments: List[Segment] = []
    children: Dict[str, Any] = sequence._modules  # named_children() leaves repeated layers out
    for name, child in children.items():
        path = prefix + name
        if is_container(child):
            segments += _flat(child, path + ".")
        else:
            segments.append(Segment(path, child))
    return segments


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
        # A stand-in for the head, so that all pieces before it become units.
        found, _, blocks = _grouped_by_hand([*segments, Segment("head", nn.Linear(1, 1), (1,))])
        last = Unit("head", [segment.call for segment in last_segments])
    chain = Chain(name, found, last, None, blocks)
    chain.find_shapes(example)
    return with_maps_between(chain, {})


def _pieces(pieces: List[Piece], prefix: str) -> List[Segment]:
    segments = []
    for index, piece in enumerate(pieces):
        if not callable(piece):
            raise UserError(f"piece {index} is {type_of(piece)}; accepted: modules and functions")
        segments.append(Segment(f"{prefix}{index}", piece))
    return segments


def _grouped_by_hand(segments: List[Segment]) -> Any:
    """Every piece with weights is a unit, the last of them the head."""
    weighted = [i for i, segment in enumerate(segments) if segment.has_parameters]
    if len(weighted) < 2:
        raise UserError(
            "pieces by hand need at least two with weights, a unit and a head; found "
            f"{len(weighted)}"
        )
    groups = grouped(segments[: weighted[-1]], lambda segment: segment.has_parameters)
    if groups[-1][-1].shape is None:
        raise UserError(
            f"'{groups[-1][-1].name}' must pass one tensor with the batch first on to the head"
        )
    made = []
    for group in groups:
        name = next((part.name for part in group if part.has_parameters), group[0].name)
        made.append(Unit(name, [part.call for part in group]))
    head = Unit("head", [segment.call for segment in segments[weighted[-1] :]])
    return made, head, len(made)
