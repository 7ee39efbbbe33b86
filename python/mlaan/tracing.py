"""Records a model's forward pass by torch.fx, with the sizes that it has on the example."""

from __future__ import annotations

import inspect
import pathlib
import traceback
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import torch
from torch import fx, nn

from ._engine import UserError
from .segments import in_evaluation, refuse_input

#: Samples of the batch that the model is run on while it is traced: a number that sizes of layers
#: rarely have, so that the batch's dimension is told from others.
_SAMPLES = 11
#: Share of a model's parameters from which on a module is no block, but a model itself.
_MOST = 0.75


def is_container(module: Optional[nn.Module]) -> bool:
    """Whether it only runs its children one after the other."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _has_blocks(modules: Any) -> bool:
    """Whether any of the modules is of a class that torch.nn does not define."""
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


def wrapped_models(model: nn.Module) -> List[nn.Module]:
    """Modules that hold most of a model's parameters: what it wraps, such as its backbone."""
    count = sum(parameter.numel() for parameter in model.parameters())
    return [
        module
        for module in model.modules()
        if module is not model
        and not type(module).__module__.startswith("torch.nn")
        and (_has_blocks(module.children()) or any(is_container(c) for c in module.children()))
        and sum(parameter.numel() for parameter in module.parameters()) > _MOST * count
    ]


def same_as_example(value: Any, expected: Any, place: str) -> None:
    """Stands in traced code where the forward pass depends on a size.

    Raises:
        UserError: for a batch whose size there differs from the example's.
    """
    if value != expected:
        raise UserError(
            f"the forward pass depends on a size of its input ({place}): it is {value} for this "
            f"batch and was {expected} for the example that the model was cut with; accepted: "
            "batches of samples of the example's shape"
        )


class _Knowing:
    """Lets Python read the sizes that a proxy has on the example."""

    tracer: Any
    node: Any

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "ndim"):  # recorded here, where the tensor is known
            return self.tracer.create_proxy("call_function", getattr, (self, name), {})
        proxy: Any = self
        return _KnowingAttribute(proxy, name)

    def __iter__(self) -> Iterator[Any]:
        proxies: Iterator[Any] = self.tracer.iter(self)
        return proxies

    def __len__(self) -> int:
        return int(self.tracer.number_of(self, len))

    def __index__(self) -> int:
        return int(self.tracer.number_of(self, int))

    __int__ = __index__

    def __float__(self) -> float:
        return float(self.tracer.number_of(self, float))


class _KnowingProxy(_Knowing, fx.Proxy):
    """A proxy with its value on the example, which is freed together with the proxy."""

    value: Any = None


class _KnowingAttribute(_Knowing, fx.proxy.Attribute):
    """An attribute of a proxy, such as ``x.shape``."""

    @property
    def node(self) -> Any:  # type: ignore[override]
        return self._proxy().node

    @property
    def value(self) -> Any:
        return self._proxy().value

    def _proxy(self) -> Any:
        known = self.__dict__
        if "made" not in known:
            known["made"] = self.tracer.create_proxy(
                "call_function", getattr, (self.root, self.attr), {}
            )
        return known["made"]


class _Tracer(fx.Tracer):
    """Looks into modules that list blocks, and runs everything on a few samples as it is recorded.

    Args:
        opened: further modules to look into.

    Attributes:
        shapes: of each node that gives a tensor, the tensor's shape.
        numbers: of each node that gives something else, its value.
        places: of those, the line of the model's code.
    """

    def __init__(self, example: torch.Tensor, opened: List[nn.Module]) -> None:
        super().__init__()
        self._opened = opened
        self.samples = torch.cat([example] * -(-_SAMPLES // len(example)))[:_SAMPLES]
        self.shapes: Dict[fx.Node, Tuple[int, ...]] = {}
        self.numbers: Dict[fx.Node, Any] = {}
        self.places: Dict[fx.Node, str] = {}
        self._running = False

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not (is_container(m) or _is_stage(m) or any(m is other for other in self._opened))

    # What is recorded

    def proxy(self, node: fx.Node) -> Any:
        return _KnowingProxy(node, self)

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> Any:
        """One input; the other arguments of forward() keep their defaults."""
        code = inspect.unwrap(root_fn).__code__
        names = code.co_varnames[1 : code.co_argcount]
        name = names[0] if names else "input"
        return root_fn, [self.root, self.create_proxy("placeholder", name, (), {})]

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        if self._running:
            return forward(*args, **kwargs)
        if isinstance(m, nn.TransformerEncoder) and len(args) == 1 and not kwargs:
            value = args[0]
            for layer in [*m.layers, *([m.norm] if m.norm is not None else [])]:
                value = layer(value)
            return value
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: Any) -> Any:
        if self._running:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def create_proxy(
        self, kind: str, target: Any, args: Any, kwargs: Any, *others: Any, **named: Any
    ) -> Any:
        proxy = super().create_proxy(kind, target, args, kwargs, *others, **named)
        if not isinstance(proxy, _KnowingProxy):
            return proxy
        value = self._run(kind, target, *(_values_of(given) for given in (args, kwargs)))
        proxy.value = value
        if isinstance(value, torch.Tensor):
            self.shapes[proxy.node] = tuple(value.shape)
        else:
            self.numbers[proxy.node] = value if _is_plain(value) else type(value)
            if kind != "placeholder":
                self.places[proxy.node] = _place_of(traceback.extract_stack())
        return proxy

    def _run(self, kind: str, target: Any, args: Any, kwargs: Any) -> Any:
        self._running = True
        try:
            if kind == "placeholder":
                return self.samples.clone()
            if kind == "get_attr":
                return _attribute(self.root, target)
            if kind == "call_function":
                return target(*args, **kwargs)
            if kind == "call_method":
                return getattr(args[0], target)(*args[1:], **kwargs)
            return _run_module(target, self.root.get_submodule(target), args, kwargs)
        finally:
            self._running = False

    # What Python asks for

    def to_bool(self, obj: Any) -> bool:
        if isinstance(obj.value, torch.Tensor):
            raise fx.proxy.TraceError("a branch depends on the numbers in a tensor")
        self._expect(self.create_proxy("call_function", bool, (obj,), {}))
        return bool(obj.value)

    def iter(self, obj: Any) -> Iterator[Any]:
        value = obj.value
        if isinstance(value, (tuple, list)):
            return iter([obj[index] for index in range(len(value))])
        if isinstance(value, torch.Tensor) and value.dim() and len(value) != _SAMPLES:
            return iter([obj[index] for index in range(len(obj))])
        raise fx.proxy.TraceError("it iterates over the samples of a batch, or over a dict")

    def number_of(self, obj: Any, kind: Callable[[Any], Any]) -> Any:
        """A size as a number, which later batches have to have too."""
        value = obj.value
        if isinstance(value, torch.Tensor) and kind is len and value.dim():
            size = self.create_proxy("call_method", "size", (obj, 0), {})
        elif isinstance(value, torch.Tensor):
            raise fx.proxy.TraceError("it reads a number out of a tensor")
        else:
            size = self.create_proxy("call_function", kind, (obj,), {})
        if size.value == _SAMPLES:
            raise fx.proxy.TraceError(
                "it needs the batch's size as a number of Python; x.shape[0] and x.size(0) can be "
                "followed"
            )
        self._expect(size)
        return size.value

    def _expect(self, obj: Any) -> None:
        place = _place_of(traceback.extract_stack())
        self.create_proxy("call_function", same_as_example, (obj, obj.value, place), {})


def _values_of(given: Any) -> Any:
    """Arguments with values in the place of proxies."""
    if isinstance(given, fx.Proxy):
        return given.value
    if isinstance(given, tuple) and hasattr(given, "_fields"):
        return type(given)(*(_values_of(item) for item in given))
    if isinstance(given, (tuple, list)):
        return type(given)(_values_of(item) for item in given)
    if isinstance(given, dict):
        return {key: _values_of(item) for key, item in given.items()}
    if isinstance(given, slice):
        return slice(*(_values_of(item) for item in (given.start, given.stop, given.step)))
    return given


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _attribute(root: Any, path: str) -> Any:
    for name in path.split("."):
        root = getattr(root, name)
    return root


def _run_module(name: str, module: nn.Module, args: Any, kwargs: Any) -> Any:
    """What a module gives in evaluation mode."""
    with in_evaluation([module]):
        try:
            return module(*args, **kwargs)
        except Exception as error:
            refuse_input(name, error)


def _place_of(frames: List[traceback.FrameSummary]) -> str:
    """The innermost line that is neither torch's nor this package's."""
    inner = [str(pathlib.Path(file).parent) for file in (torch.__file__, __file__)]
    for frame in reversed(frames):
        if not any(frame.filename.startswith(folder) for folder in inner) and frame.line:
            return f"{pathlib.Path(frame.filename).name}, line {frame.lineno}: {frame.line}"
    return "in its forward()"


class Recorded:
    """A traced forward pass.

    Attributes:
        module: the model with a forward pass that is the graph's.
        shapes: of each node that gives a tensor, the tensor's shape.
        numbers: of each node that gives something else, its value.
        places: of those, the line of the model's code.
    """

    def __init__(self, module: fx.GraphModule, tracer: _Tracer) -> None:
        self.module = module
        self.shapes = tracer.shapes
        self.numbers = tracer.numbers
        self.places = tracer.places
        self._sizes: Dict[fx.Node, str] = {}
        for node in module.graph.nodes:
            self._sizes[node] = self._kind_of(node)

    def sample_shape(self, node: fx.Node) -> Optional[Tuple[int, ...]]:
        """The shape of a node's tensor without the batch; None for what is no tensor of a batch."""
        shape = self.shapes.get(node, ())
        return shape[1:] if len(shape) > 1 and shape[0] == _SAMPLES else None

    def size_kind(self, node: fx.Node) -> str:
        """Where a node's value can be had from in another unit.

        "batch": it is the batch's size; "shape": a shape that begins with the batch's size;
        "fixed": a number that depends on the samples' shape alone; "": from this node alone.
        """
        return self._sizes.get(node, "")

    def _kind_of(self, node: fx.Node) -> str:
        if node not in self.numbers or not _is_plain(self.numbers[node]):
            return ""
        source = next(iter(node.all_input_nodes), None)
        if source is not None and self.sample_shape(source) is not None:
            return self._size_of_tensor(node)
        if node.target is not same_as_example and node.op == "call_function":
            kinds = [self._sizes.get(given, "") for given in node.all_input_nodes]
            if kinds == ["shape"] and getattr(node.target, "__name__", "") == "getitem":
                return _part_of_shape(node.args[1], len(self.numbers[node.all_input_nodes[0]]))
            if kinds and all(kind == "fixed" for kind in kinds):
                return "fixed"
        return ""

    def _size_of_tensor(self, node: fx.Node) -> str:
        arguments = node.args[1:]
        if node.op == "call_method" and node.target == "size" and not node.kwargs:
            if not arguments:
                return "shape"
            rank = len(self.shapes[node.all_input_nodes[0]])
            return _part_of_shape(arguments[0], rank)
        if node.op == "call_method" and node.target in ("dim", "ndimension"):
            return "fixed"
        if node.op == "call_function" and node.target is getattr:
            return {"shape": "shape", "ndim": "fixed"}.get(str(arguments[0]), "")
        return ""


def _part_of_shape(index: Any, rank: int) -> str:
    if isinstance(index, slice):
        try:
            return "" if 0 in range(rank)[index] else "fixed"
        except TypeError:  # an end that is computed
            return ""
    if not isinstance(index, int):
        return ""
    return "batch" if index in (0, -rank) else "fixed"


def trace(model: nn.Module, example: torch.Tensor, opened: List[nn.Module]) -> Recorded:
    """Args:
        opened: modules to look into, besides those that list blocks.

    Raises:
        UserError: where torch.fx cannot follow the model, naming the line.
    """
    tracer = _Tracer(example, opened)
    try:
        graph = tracer.trace(model)
    except UserError:
        raise
    except Exception as error:
        place = _place_of(list(traceback.extract_tb(error.__traceback__)))
        raise UserError(
            f"torch.fx cannot follow the forward pass of {type(model).__name__} ({place}): "
            f"{error}. Give the pieces by hand: mlaan.units([piece, piece, ...], example=...)"
        ) from error
    return Recorded(fx.GraphModule(model, graph), tracer)
