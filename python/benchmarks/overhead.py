"""What calling Python's units costs: steps from Python against plain PyTorch and the C++ network.

    python overhead.py [--rounds N] [--batch-size N] [--json FILE]

Times are processor seconds of the process, which other programs disturb little, as medians of
ratios within a round. Peak bytes are above what lives between steps.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import mlaan
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint_sequential


sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests"))
from networks import BasicBlock, ResNetCifar  # noqa: E402


def resnet32(block=BasicBlock):
    return ResNetCifar(blocks=5, block=block)


class Plain:
    """PyTorch's own loop, with or without checkpointing in segments."""

    def __init__(self, segments=0):
        self.model = resnet32()
        self.segments = segments
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), 0.1, 0.9, weight_decay=1e-4, nesterov=True
        )

    def forward(self, images):
        if not self.segments:
            return self.model(images)
        model = self.model
        blocks = nn.Sequential(*model.layer1, *model.layer2, *model.layer3)
        stem = functional.relu(model.bn1(model.conv1(images)))
        return model.fc(checkpoint_sequential(blocks, self.segments, stem).mean((2, 3)))

    def step(self, images, labels):
        self.optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(self.forward(images), labels).backward()
        self.optimizer.step()


def engine(network, method, example, recompute="none"):
    return mlaan.Engine(
        network,
        example=None if isinstance(network, mlaan.NamedModel) else example,
        method=method,
        modules=15 if method != "e2e" else 1,
        recompute=recompute,
        optimizer=mlaan.SGD(lr=0.1),
    )


def contenders(example):
    def own():
        return mlaan.backbone("resnet32")

    def python():
        return resnet32()

    def fused():
        return resnet32(mlaan.nn.BasicBlock)

    yield "plain PyTorch", lambda: Plain()
    yield "plain PyTorch, checkpoint in 4", lambda: Plain(4)
    for method in ("e2e", "dgl", "mlaan-lean"):
        yield f"{method}, Python units", lambda m=method: engine(python(), m, example)
        yield f"{method}, Python units of mlaan.nn", lambda m=method: engine(fused(), m, example)
        yield f"{method}, the library's network", lambda m=method: engine(own(), m, example)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    mlaan.prepare_process(1)
    images = torch.randn(arguments.batch_size, 3, 32, 32)
    labels = torch.randint(0, 10, (arguments.batch_size,))
    seconds, peaks = {}, {}
    for number in range(arguments.rounds + 1):
        for name, make in contenders(images[:2]):
            torch.manual_seed(0)
            trained = make()
            trained.step(images, labels)
            before = mlaan._engine.read_memory()["live"]
            mlaan._engine.reset_peak()
            start = time.process_time()
            trained.step(images, labels)
            spent = time.process_time() - start
            peaks[name] = mlaan._engine.read_memory()["peak"] - before
            if number:
                seconds.setdefault(name, []).append(spent)
            del trained
            print(f"round {number}: {name}: {spent:.3f} s", file=sys.stderr)
    rows = []
    for name in seconds:
        against = name.split(",")[0] + ", the library's network" if "units" in name else name
        rows.append(
            {
                "name": name,
                "seconds": statistics.median(seconds[name]),
                "to_plain": statistics.median(
                    a / b for a, b in zip(seconds[name], seconds["plain PyTorch"])
                ),
                "to_library": statistics.median(
                    a / b for a, b in zip(seconds[name], seconds[against])
                ),
                "peak_mib": peaks[name] / 2**20,
            }
        )
        form = "| {name} | {seconds:.3f} | {to_plain:.3f} | {to_library:.3f} | {peak_mib:.1f} |"
        print(form.format(**rows[-1]))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
