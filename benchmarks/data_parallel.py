#!/usr/bin/env python3
"""Images a second of `mlaan train` in two processes of one thread each, against one process.

Of end-to-end training also those of a rival in Python: DistributedDataParallel over Gloo, in two
processes and in one, on the same network, batch and LibTorch. All take turns, so that what else the
machine does strikes all; the medians are compared. Needs a torch of the same LibTorch, as
end_to_end.py.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def our_speed(arguments, method, processes):
    with tempfile.TemporaryDirectory() as folder:
        command = [
            arguments.mlaan, "train", "-q", "--model", f"resnet{arguments.depth}",
            "--method", method, "-b", str(arguments.batch_size), "--threads", "1",
            "--workers", "0", "--processes", str(processes), "--output", folder,
            "--limit-val-batches", "1", "--limit-test-batches", "1", "--epochs", "1",
            "--set", f"limit.train_batches={arguments.steps}", "--set", "augment.enabled=false",
            "--set", "engine.memory_format=channels_last", "--set", "log.steps=1",
            "--set", f"procedural.train_size={arguments.batch_size * arguments.steps * 3}",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        steps = pathlib.Path(folder, "steps.jsonl").read_text(encoding="utf-8").splitlines()
        # The first steps warm up: images a second are those since the beginning.
        speeds = [json.loads(step)["images_per_second"] for step in steps]
        first, last = arguments.warmup, len(speeds)
        seconds = last / speeds[-1] - first / speeds[first - 1]
        return (last - first) / seconds


def rival_rank(arguments):
    """One process of the rival: prints its images a second."""
    import torch
    import torch.nn.functional as F
    from end_to_end import resnet

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = resnet(arguments.depth).to(memory_format=torch.channels_last)
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    trained = net
    if ranks > 1:
        torch.distributed.init_process_group("gloo")
        trained = torch.nn.parallel.DistributedDataParallel(net, gradient_as_bucket_view=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True,
                                weight_decay=1e-4)
    images = torch.randn(arguments.batch_size, 3, 32, 32)
    images = images.to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (arguments.batch_size,))
    for step in range(arguments.steps):
        if step == arguments.warmup:
            begun = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(trained(images), labels).backward()
        optimizer.step()
    steps = arguments.steps - arguments.warmup
    print(ranks * arguments.batch_size * steps / (time.perf_counter() - begun))


def rival_speed(arguments, processes):
    command = [sys.executable, __file__, "--as-rank", "--depth", str(arguments.depth),
               "--batch-size", str(arguments.batch_size), "--steps", str(arguments.steps),
               "--warmup", str(arguments.warmup)]
    port = 20000 + os.getpid() % 10000
    started = []
    for rank in range(processes):
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        if processes > 1:
            environment.update(RANK=str(rank), WORLD_SIZE=str(processes),
                               MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
    return min(float(process.communicate()[0]) for process in started)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlaan", default="build/mlaan")
    parser.add_argument("--depth", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=64, help="of each process")
    parser.add_argument("--methods", default="e2e,dgl,mlm,mlaan,mlaan-lean")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as-rank", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_rank:
        rival_rank(arguments)
        return
    methods = arguments.methods.split(",")
    rivals = {
        (method, processes): (lambda m=method, p=processes: our_speed(arguments, m, p))
        for method in methods for processes in (1, 2)
    }
    if "e2e" in methods:
        for processes in (1, 2):
            rivals["DistributedDataParallel", processes] = (
                lambda p=processes: rival_speed(arguments, p))
    speeds = {rival: [] for rival in rivals}
    for _ in range(arguments.rounds):
        for rival, measure in rivals.items():
            speeds[rival].append(measure())
    print(f"ResNet-{arguments.depth}, {arguments.batch_size} images a process and step")
    for name in dict.fromkeys(name for name, _ in rivals):
        one, two = (statistics.median(speeds[name, processes]) for processes in (1, 2))
        ratios = [b / a for a, b in zip(speeds[name, 1], speeds[name, 2])]
        print(f"{name}: {one:.1f} images/s in one process, {two:.1f} in two, "
              f"{statistics.median(ratios):.2f} times")


if __name__ == "__main__":
    main()
