"""What calling Python's units costs: steps from Python against plain PyTorch and the C++ network.

    python overhead.py [--rounds N] [--batch-size N] [--methods e2e,dgl] [--json FILE]

Contenders take their steps in turn, so that what else the machine does meets all of them alike.
Times are processor seconds of the process; ratios are medians over the rounds. Python's modules
are held against the library's network in LibTorch's kernels, which they run in, all others against
the library's network in its own. `call` is what a step costs more than that one, the least of the
rounds taken of both: with few images (--batch-size 2) it shows what the calls cost, whatever the
batch. Peak bytes are above what lives between steps.
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


def engine(network, method, example, recompute="none", kernels="own"):
    return mlaan.Engine(
        network,
        example=None if isinstance(network, mlaan.NamedModel) else example,
        method=method,
        modules=15 if method != "e2e" else 1,
        recompute=recompute,
        kernels=kernels,
        optimizer=mlaan.SGD(lr=0.1),
    )


def contenders(example, methods):
    """Names with what makes each; behind a comma the network."""
    yield "plain PyTorch", Plain
    yield "plain PyTorch, checkpoint in 4", lambda: Plain(4)
    networks = {
        "Python's modules": (resnet32, "own"),
        "the library's network in LibTorch's kernels": (
            lambda: mlaan.backbone("resnet32"),
            "reference",
        ),
        "blocks of mlaan.nn": (lambda: resnet32(mlaan.nn.BasicBlock), "own"),
        "the library's network": (lambda: mlaan.backbone("resnet32"), "own"),
    }
    for method in methods:
        for name, (make, kernels) in networks.items():
            yield (
                f"{method}, {name}",
                lambda m=method, make=make, k=kernels: engine(make(), m, example, kernels=k),
            )


def measure(made, images, labels, rounds):
    """Of each contender the seconds of its steps and its peak bytes."""
    seconds, peaks = {name: [] for name in made}, {}
    for number in range(rounds + 1):
        for name, trained in made.items():
            before = mlaan._engine.read_memory()["live"]
            mlaan._engine.reset_peak()
            start = time.process_time()
            trained.step(images, labels)
            seconds[name].append(time.process_time() - start)
            peaks[name] = mlaan._engine.read_memory()["peak"] - before
        print(f"round {number} of {rounds}", file=sys.stderr)
    # The first makes the optimizers' state.
    return {name: times[1:] for name, times in seconds.items()}, peaks


def row_of(name, seconds, peaks):
    """A contender against plain PyTorch, and against the library's network by the same method."""
    method = name.split(",")[0]
    library = f"{method}, the library's network"
    same_kernels = library + " in LibTorch's kernels"
    against = seconds.get(same_kernels if name.endswith("Python's modules") else library)
    against = against or seconds[name]

    def ratio(others):
        return statistics.median(one / two for one, two in zip(seconds[name], others))

    return {
        "name": name,
        "seconds": statistics.median(seconds[name]),
        "to_plain": ratio(seconds["plain PyTorch"]),
        "to_library": ratio(against),
        "call_ms": 1e3 * (min(seconds[name]) - min(against)),
        "peak_mib": peaks[name] / 2**20,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--methods", default="e2e,dgl,mlaan-lean")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    mlaan.prepare_process(1)
    images = torch.randn(arguments.batch_size, 3, 32, 32)
    labels = torch.randint(0, 10, (arguments.batch_size,))
    torch.manual_seed(0)
    listed = contenders(images[:2], arguments.methods.split(","))
    made = {name: make() for name, make in listed}
    seconds, peaks = measure(made, images, labels, arguments.rounds)
    rows = [row_of(name, seconds, peaks) for name in made]
    print("| | seconds | to plain PyTorch | to the library's | call, ms | peak, MiB |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(
            "| {name} | {seconds:.3f} | {to_plain:.3f} | {to_library:.3f} | {call_ms:.1f} | "
            "{peak_mib:.1f} |".format(**row)
        )
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
