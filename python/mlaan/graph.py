"""Cuts a model whose forward pass torch.fx can follow."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set, Tuple

import torch
from torch import fx, nn
from torch.nn import functional

from ._engine import UserError
from .segments import Segment

#: Functions whose `training` a trace would hold for good, and the modules that stand for them.
_DROPOUTS = {
    functional.dropout: nn.Dropout,
    functional.dropout2d: nn.Dropout2d,
    functional.dropout3d: nn.Dropout3d,
    functional.alpha_dropout: nn.AlphaDropout,
}


def is_container(module: Optional[nn.Module]) -> bool:
    """Whether it only runs its children one after the other."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _has_blocks(modules: Any) -> bool:
    """Whether any is of somebody's own making, not one of torch's layers."""
    return any(
        _has_blocks(module)
        if isinstance(module, (nn.Sequential, nn.ModuleList))
        else not type(module).__module__.startswith("torch.nn")
        for module in modules
    )


def _is_stage(module: nn.Module) -> bool:
    """Whether it is mostly a list of blocks, each of which may be a unit."""
    children = [child for child in module.children() if next(child.parameters(), None) is not None]
    for name, child in module.named_children():
        is_list = isinstance(child, (nn.Sequential, nn.ModuleList))
        if name in ("blocks", "layers", "stages") and is_list and _has_blocks(child):
            return True
    kinds = {type(child) for child in children}
    is_leaf_kind = any(kind.__module__.startswith("torch.nn") for kind in kinds)
    return len(children) > 1 and len(kinds) == 1 and not is_leaf_kind


class _Tracer(fx.Tracer):
    """Looks into what lists blocks, and nowhere else."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not (is_container(m) or _is_stage(m))


class _Values(fx.Interpreter):
    """Notes which nodes give a tensor of the batch."""

    def __init__(self, module: fx.GraphModule, batch: int) -> None:
        super().__init__(module)
        self.batch = batch
        self.tensors: Dict[str, Optional[Tuple[int, ...]]] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        is_batch = isinstance(value, torch.Tensor) and value.dim() > 1
        if is_batch and value.shape[0] == self.batch:
            self.tensors[n.name] = tuple(value.shape[1:])
        return value


def trace(model: nn.Module) -> fx.GraphModule:
    """Raises:
    UserError: where torch.fx cannot follow the model.
    """
    try:
        tracer = _Tracer()
        graph = tracer.trace(model)
    except Exception as error:
        raise UserError(
            f"torch.fx cannot follow the forward pass of {type(model).__name__}: {error}. Give the "
            "pieces by hand: mlaan.units([piece, piece, ...], example=...)"
        ) from error
    traced = fx.GraphModule(model, graph)
    _put_dropout_modules(traced)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


def _put_dropout_modules(traced: fx.GraphModule) -> None:
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
        node.replace_all_uses_with(layer)
        traced.graph.erase_node(node)


def _live_after(nodes: List[fx.Node]) -> List[Set[fx.Node]]:
    """For each node what is computed up to it and read behind it; weights do not count."""
    place = {node: i for i, node in enumerate(nodes)}
    last_use = {
        node: max((place[user] for user in node.users if user in place), default=-1)
        for node in nodes
    }
    live: Set[fx.Node] = set()
    result = []
    for i, node in enumerate(nodes):
        live = {value for value in live if last_use[value] > i}
        if node.op != "get_attr" and last_use[node] > i:
            live.add(node)
        result.append(live)
    return result


def _make_segment(
    traced: fx.GraphModule,
    nodes: List[fx.Node],
    given: fx.Node,
    result: fx.Node,
    shape: Optional[Tuple[int, ...]],
) -> Segment:
    modules = [node for node in nodes if node.op == "call_module"]
    work = [node for node in nodes if node.op != "get_attr"]
    name = str(modules[0].target) if modules else str(work[0].name)
    if len(work) == 1 and modules and work[0].args == (given,) and not work[0].kwargs:
        return Segment(name, traced.get_submodule(str(work[0].target)), shape)
    graph = fx.Graph()
    copies: Dict[fx.Node, fx.Node] = {given: graph.placeholder("value")}
    weights = {
        argument for node in nodes for argument in node.all_input_nodes if argument.op == "get_attr"
    }
    for node in list(weights) + work:
        copies[node] = graph.node_copy(node, lambda argument: copies[argument])
    graph.output(copies[result])
    return Segment(name, fx.GraphModule(traced, graph), shape)


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
    traced = trace(model)
    values = _Values(traced, len(example))
    was_training = model.training
    traced.eval()
    try:
        with torch.no_grad():
            values.run(example.clone())
    finally:
        traced.train(was_training)
    everything = list(traced.graph.nodes)
    inputs = [node for node in everything if node.op == "placeholder"]
    used = [node for node in inputs if node.users]
    if len(used) != 1:
        raise UserError(f"{type(model).__name__} reads {len(used)} inputs; it must read one tensor")
    output = everything[-1]
    nodes = [node for node in everything if node.op not in ("placeholder", "output")]
    return _cut(traced, nodes, used[0], output, values)


def _cut(
    traced: fx.GraphModule, nodes: List[fx.Node], given: fx.Node, output: fx.Node, values: _Values
) -> List[Segment]:
    live_after = _live_after([given] + nodes + [output])[1:-1]
    segments: List[Segment] = []
    pending: List[fx.Node] = []
    crossings: List[str] = []
    for node, live in zip(nodes, live_after):
        pending.append(node)
        only = next(iter(live)) if len(live) == 1 else None
        if only is None or only.name not in values.tensors or only is given:
            if len(live) > 1 and node.op == "call_module":
                crossings.append(f"behind '{node.target}' {_crossing(live)} are both read later")
            continue
        segments.append(_make_segment(traced, pending, given, only, values.tensors[only.name]))
        pending = []
        given = only
    if pending:
        crossings = crossings or ["the output is no tensor of the batch"]
    if sum(segment.has_parameters for segment in segments) < 2 or pending:
        raise UserError(
            "the model is no chain: there is no place in its forward pass where one tensor alone "
            f"passes on ({'; '.join(crossings[:3]) or 'it has fewer than two layers with weights'})"
        )
    return segments
