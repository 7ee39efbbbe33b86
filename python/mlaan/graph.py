"""Cuts a model whose forward pass torch.fx can follow."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set

import torch
from torch import fx, nn
from torch.nn import functional

from ._engine import UserError
from .segments import Segment
from .tracing import Recorded, same_as_example, trace, wrapped_models

#: Functions whose argument `training` a trace fixes, and the modules that replace them.
_DROPOUTS = {
    functional.dropout: nn.Dropout,
    functional.dropout2d: nn.Dropout2d,
    functional.dropout3d: nn.Dropout3d,
    functional.alpha_dropout: nn.AlphaDropout,
}


def _put_dropout_modules(recorded: Recorded) -> None:
    traced = recorded.module
    number = 0
    for node in list(traced.graph.nodes):
        if node.op != "call_function" or node.target not in _DROPOUTS:
            continue
        probability = node.args[1] if len(node.args) > 1 else node.kwargs.get("p", 0.5)
        while hasattr(traced, f"dropout_{number}"):
            number += 1
        name = f"dropout_{number}"
        traced.add_submodule(name, _DROPOUTS[node.target](probability))
        value = node.args[0] if node.args else node.kwargs["input"]
        with traced.graph.inserting_before(node):
            layer = traced.graph.call_module(name, (value,))
        recorded.shapes[layer] = recorded.shapes[node]
        node.replace_all_uses_with(layer)
        traced.graph.erase_node(node)


def _has_effect(traced: nn.Module, node: fx.Node) -> bool:
    """Whether it has to run although nothing reads what it gives."""
    if node.op in ("placeholder", "output"):
        return True
    if node.op == "call_module":
        return bool(getattr(traced.get_submodule(str(node.target)), "inplace", False))
    if node.op == "get_attr":
        return False
    name = node.target if isinstance(node.target, str) else node.target.__name__
    in_place = name.endswith("_") and not name.endswith("__")
    return in_place or "inplace" in node.kwargs or name in ("same_as_example", "_assert", "setitem")


def _drop_unread(recorded: Recorded) -> None:
    graph = recorded.module.graph
    for node in reversed(list(graph.nodes)):
        if not node.users and not _has_effect(recorded.module, node):
            graph.erase_node(node)


def _live_after(recorded: Recorded, nodes: List[fx.Node]) -> List[Set[fx.Node]]:
    """For each node the values computed up to it and read after it.

    Weights do not count, nor do sizes that a later unit can find out by itself.
    """
    place = {node: i for i, node in enumerate(nodes)}
    last_use = {
        node: max((place[user] for user in node.users if user in place), default=-1)
        for node in nodes
    }
    live: Set[fx.Node] = set()
    result = []
    for i, node in enumerate(nodes):
        live = {value for value in live if last_use[value] > i}
        if node.op != "get_attr" and not recorded.size_kind(node) and last_use[node] > i:
            live.add(node)
        result.append(live)
    return result


class _SegmentMaker:
    """Makes the module of a piece of a graph, which takes one tensor and gives one.

    Args:
        nodes: of the piece, in order.
        given: whose tensor it takes.
        result: whose tensor it gives.
    """

    def __init__(
        self, recorded: Recorded, nodes: List[fx.Node], given: fx.Node, result: fx.Node
    ) -> None:
        self._recorded = recorded
        self._given = given
        self._result = result
        inside = set(nodes)
        self._left = {node for node in nodes if any(user not in inside for user in node.users)}
        self._work = self._needed(nodes)

    def _needed(self, nodes: List[fx.Node]) -> List[fx.Node]:
        """The nodes that the result depends on, without sizes that later units find out."""
        needed: Set[fx.Node] = set()
        for node in reversed(nodes):
            is_read = node is self._result or any(user in needed for user in node.users)
            if is_read or self._is_to_check(node) or _has_effect(self._recorded.module, node):
                needed.add(node)
        return [node for node in nodes if node in needed and node.op != "get_attr"]

    def _is_to_check(self, node: fx.Node) -> bool:
        """Whether a later unit takes the node's size for the example's."""
        return node in self._left and self._recorded.size_kind(node) in ("fixed", "shape")

    def make(self) -> Segment:
        modules = [node for node in self._work if node.op == "call_module"]
        tensors = [node for node in self._work if node in self._recorded.shapes]
        name = str(modules[0].target) if modules else str(tensors[0].name)
        shape = self._recorded.sample_shape(self._result)
        only = self._work[0]
        is_module = len(self._work) == 1 and bool(modules)
        if is_module and only.args == (self._given,) and not only.kwargs:
            return Segment(name, self._recorded.module.get_submodule(str(only.target)), shape)
        return Segment(name, fx.GraphModule(self._recorded.module, self._graph()), shape)

    def _graph(self) -> fx.Graph:
        graph = fx.Graph()
        copies: Dict[fx.Node, Any] = {self._given: graph.placeholder("value")}

        def copy_of(node: fx.Node) -> Any:
            if node not in copies:
                copies[node] = self._from_elsewhere(graph, node, copies[self._given])
            return copies[node]

        for node in self._work:
            for argument in node.all_input_nodes:
                copy_of(argument)
            copies[node] = graph.node_copy(node, copy_of)
            if self._is_to_check(node):
                self._check(graph, node, copies[node])
        graph.output(copies[self._result])
        return graph

    def _from_elsewhere(self, graph: fx.Graph, node: fx.Node, value: fx.Node) -> Any:
        """A weight, or a size that was found out in an earlier unit."""
        if node.op == "get_attr":
            return graph.node_copy(node)
        kind = self._recorded.size_kind(node)
        if kind == "fixed":
            return self._recorded.numbers[node]
        batch = graph.call_method("size", (value, 0))
        if kind == "batch":
            return batch
        return graph.call_function(_shape_of, (batch, tuple(self._recorded.numbers[node][1:])))

    def _check(self, graph: fx.Graph, node: fx.Node, size: Any) -> None:
        expected = self._recorded.numbers[node]
        if self._recorded.size_kind(node) == "shape":
            size = graph.call_function(_of_sample, (size,))
            expected = expected[1:]
        expected = tuple(expected) if isinstance(expected, (tuple, list)) else expected
        place = self._recorded.places.get(node, f"'{node.name}'")
        graph.call_function(same_as_example, (size, expected, place))


def _shape_of(batch: int, sample: Any) -> torch.Size:
    return torch.Size((batch, *sample))


def _of_sample(shape: Any) -> Any:
    return tuple(shape[1:])


def _crossing(live: Set[fx.Node]) -> str:
    return " and ".join(
        sorted(f"'{node.target if node.op == 'call_module' else node.name}'" for node in live)
    )


def cut_graph(model: nn.Module, example: torch.Tensor) -> List[Segment]:
    """The pieces of a model's forward pass between which one tensor passes.

    Raises:
        UserError: where torch.fx cannot follow, and where no such place is found, naming what
            crosses.
    """
    opened = wrapped_models(model)
    first: Optional[UserError] = None
    for count in range(len(opened), -1, -1):  # without the innermost, if it cannot be followed
        try:
            return _cut_traced(model, example, opened[:count])
        except UserError as error:
            first = first or error
    assert first is not None
    raise first


def _cut_traced(model: nn.Module, example: torch.Tensor, opened: List[nn.Module]) -> List[Segment]:
    recorded = trace(model, example, opened)
    output = next(node for node in recorded.module.graph.nodes if node.op == "output")
    _check_output(type(model).__name__, output.args[0], recorded)
    _put_dropout_modules(recorded)
    _drop_unread(recorded)
    everything = list(recorded.module.graph.nodes)
    given = next(node for node in everything if node.op == "placeholder")
    nodes = [node for node in everything if node.op not in ("placeholder", "output")]
    return _cut(recorded, nodes, given, output)


def _check_output(name: str, given: Any, recorded: Recorded) -> None:
    if isinstance(given, fx.Node) and given in recorded.shapes:
        return
    kind = type(given).__name__.replace("immutable_", "")
    if isinstance(given, fx.Node):
        value = recorded.numbers.get(given)
        kind = value.__name__ if isinstance(value, type) else type(value).__name__
        if isinstance(given.target, type):  # a named tuple
            kind = given.target.__name__
    raise UserError(
        f"{name} returns a {kind}; accepted: a model that returns one tensor, the logits (switch "
        "auxiliary outputs off, or wrap the model in one that returns the logits alone)"
    )


def _cut(
    recorded: Recorded, nodes: List[fx.Node], given: fx.Node, output: fx.Node
) -> List[Segment]:
    live_after = _live_after(recorded, [given] + nodes + [output])[1:-1]
    segments: List[Segment] = []
    pending: List[fx.Node] = []
    crossings: List[str] = []
    for node, live in zip(nodes, live_after):
        pending.append(node)
        only = next(iter(live)) if len(live) == 1 else None
        if only is None or only is given or recorded.sample_shape(only) is None:
            if len(live) > 1 and node.op == "call_module":
                crossings.append(f"behind '{node.target}' {_crossing(live)} are both read later")
            continue
        segments.append(_SegmentMaker(recorded, pending, given, only).make())
        pending = []
        given = only
    if pending:
        crossings = crossings or ["the output is not a tensor with the batch first"]
    if sum(segment.has_parameters for segment in segments) < 2 or pending:
        raise UserError(
            "the model is no chain: there is no place in its forward pass where one tensor alone "
            f"passes on ({'; '.join(crossings[:3]) or 'it has fewer than two layers with weights'})"
        )
    return segments
