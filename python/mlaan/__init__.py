"""Supervised local learning: any PyTorch network, trained module by module.

import mlaan, timm
model = timm.create_model("resnet50", num_classes=10)
engine = mlaan.Engine(model, example=images[:2], method="mlaan-lean", modules=8,
                      optimizer=mlaan.SGD(lr=0.1))
for images, labels in loader:
    result = engine.step(images, labels)
"""

# Its libraries have to be loaded before the engine's.
import torch as _torch

from ._built_for import TORCH as _TORCH

if _torch.__version__.split(".")[:2] != _TORCH.split(".")[:2]:
    raise ImportError(
        f"mlaan was built for torch {_TORCH}, and this is torch {_torch.__version__}, whose "
        "libraries are others; build it anew in its checkout: pip install --force-reinstall ."
    )

from . import nn
from ._engine import Error, UserError, __version__
from .chain import Chain
from .comparing import compare, cosine, test_error
from .cut import units
from .engine import Engine
from .named_model import NamedModel, backbone
from .optimizers import LAMB, SGD, Adam, AdamW
from .planning import plan
from .plans import Net, Partition, Supervision, methods, settings
from .plotting import plot
from .process import prepare_process
from .runs import Run, read_comparison, read_run
from .step_result import StepResult
from .unit import Unit

__all__ = [
    "Adam",
    "AdamW",
    "Chain",
    "Engine",
    "Error",
    "LAMB",
    "NamedModel",
    "Net",
    "Partition",
    "Run",
    "SGD",
    "StepResult",
    "Supervision",
    "Unit",
    "UserError",
    "__version__",
    "backbone",
    "compare",
    "cosine",
    "methods",
    "nn",
    "plan",
    "plot",
    "prepare_process",
    "read_comparison",
    "read_run",
    "settings",
    "test_error",
    "units",
]
