"""Refuses models that cannot be trained, and says what to give instead."""

from __future__ import annotations

from typing import Iterable, Iterator, Tuple

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from ._engine import UserError

#: Wrappers by the names of their classes, and the expression for the model within.
_WRAPPERS = {
    "DataParallel": "model.module",
    "DistributedDataParallel": "model.module",
    "FullyShardedDataParallel": "model.module",
    "OptimizedModule": "model._orig_mod",  # what torch.compile() gives
}
_TYPES = (torch.float32, torch.float64)
_BLOCK_CHANNELS = 16  # of oneDNN on AVX-512


def check_models(models: Iterable[nn.Module]) -> None:
    """Raises:
    UserError: for wrapped, scripted and quantised models, for parameters without data or of a type
        that is not trained in, and where there is nothing to train.
    """
    models = list(models)
    for model in models:
        for path, module in model.named_modules():
            _check_kind(path, module)
    _check_parameters(models)


def _check_kind(path: str, module: nn.Module) -> None:
    kind = type(module).__name__
    what = f"layer '{path}'" if path else "the model"
    if kind in _WRAPPERS:
        raise UserError(
            f"{what} is a {kind}, which wraps another model; give that one: {_WRAPPERS[kind]}"
        )
    if isinstance(module, torch.jit.ScriptModule):
        raise UserError(
            f"{what} is TorchScript, a {kind}; give the Python module that it was made from"
        )
    if "quantized" in type(module).__module__.split("."):
        raise UserError(
            f"{what} is a quantised {kind}, which cannot be trained; train the model that it was "
            "made from, and quantise it afterwards"
        )


def check_dense(modules: Iterable[nn.Module]) -> None:
    """Raises:
    UserError: for embeddings whose gradients are sparse, which mlaan's optimizers do not read.
    """
    for module in modules:
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.sparse:
            raise UserError(
                f"a layer {module} has sparse gradients; accepted: sparse=False, or a function "
                "that makes a torch.optim optimizer which reads them, such as SGD"
            )


def check_channels_last(modules: Iterable[nn.Module]) -> None:
    """Refuses convolutions in which oneDNN writes past its memory (its issue 6035).

    They are strided, 1×1 and of fewer channels than one of its blocks, in channels-last float32
    on the CPU. The library's own blocks avoid them.

    Raises:
    UserError: for the first such layer.
    """
    if not torch.backends.mkldnn.is_available():
        return
    for layer in modules:
        if (
            isinstance(layer, nn.Conv2d)
            and layer.in_channels < _BLOCK_CHANNELS
            and layer.groups == 1
            and set(layer.kernel_size) == {1}
            and set(layer.stride) != {1}
            and layer.weight.dtype == torch.float32
        ):
            raise UserError(
                f"a layer {layer} is a strided 1×1 convolution of fewer than {_BLOCK_CHANNELS} "
                "channels, in which oneDNN corrupts memory in channels-last float32 maps on the "
                "CPU; accepted: channels_last=False, precision='bfloat16', or a convolution "
                "without a stride behind x[:, :, ::2, ::2]"
            )


def _tensors(models: Iterable[nn.Module]) -> Iterator[Tuple[str, torch.Tensor]]:
    for model in models:
        yield from model.named_parameters()
        yield from model.named_buffers()


def _check_parameters(models: Iterable[nn.Module]) -> None:
    first = None
    trained = False
    for name, tensor in _tensors(models):
        if is_lazy(tensor):
            continue  # of a lazy layer, which is made when the example is run
        if tensor.device.type == "meta":
            raise UserError(
                f"'{name}' is on the meta device and has no numbers; first make the model's "
                "memory, model.to_empty(device='cpu'), and load or initialise its weights"
            )
        if tensor.is_inference():
            raise UserError(
                f"'{name}' was made under torch.inference_mode() and cannot be trained; make the "
                "model outside of it"
            )
        trained = trained or tensor.requires_grad
        if not isinstance(tensor, nn.Parameter):
            continue
        first = first or (name, tensor)
        if tensor.dtype not in _TYPES or tensor.dtype != first[1].dtype:
            raise UserError(
                f"parameter '{name}' is of the type {tensor.dtype}; accepted: all parameters "
                "float32, or all float64. For fewer bits give a float32 model and "
                "precision='bfloat16', or 'float16' on CUDA"
            )
    if first is not None and not trained:
        raise UserError(
            "every parameter of the model is frozen (requires_grad=False), so there is nothing to "
            "train"
        )
