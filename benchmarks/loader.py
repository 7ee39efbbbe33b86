#!/usr/bin/env python3
"""Images a second of `mlaan bench loader` and of its rival in Python, on the same folder.

The rival: torchvision's ImageFolder (Pillow decodes) with RandomResizedCrop, RandomHorizontalFlip,
ToTensor and Normalize, in a DataLoader with as many workers. The two take turns, so that what else
the machine does strikes both. Needs torch and torchvision: Debian's python3-torchvision, or pip's.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch
from torchvision import datasets, transforms


def rival_epochs(arguments):
    """Images a second of each epoch but the first, which starts workers and warms caches."""
    torch.set_num_threads(1)
    images = datasets.ImageFolder(
        os.path.join(arguments.data, "train"),
        transforms.Compose([
            transforms.RandomResizedCrop(arguments.side),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]),
    )
    loader = torch.utils.data.DataLoader(
        images, arguments.batch_size, shuffle=True, drop_last=True,
        num_workers=arguments.workers, persistent_workers=arguments.workers > 0,
    )
    speeds = []
    for epoch in range(arguments.epochs + 1):
        start = time.perf_counter()
        count = sum(len(labels) for _, labels in loader)
        if epoch > 0:
            speeds.append(count / (time.perf_counter() - start))
    return statistics.median(speeds)


def our_epochs(arguments):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "loader.json")
        subprocess.run(
            [arguments.mlaan, "bench", "loader", "--data", arguments.data,
             "--workers", str(arguments.workers), "--batch-size", str(arguments.batch_size),
             "--epochs", str(arguments.epochs), "--set", f"folder.side={arguments.side}",
             "--json", file],
            check=True, stdout=subprocess.DEVNULL,
        )
        with open(file) as results:
            return json.load(results)["images_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with train/CLASS/…")
    parser.add_argument("--mlaan", default="build/mlaan", help="the program")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=3, help="that count, in each round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    ours, rivals, ratios = [], [], []
    for _ in range(arguments.rounds):
        ours.append(our_epochs(arguments))
        rivals.append(rival_epochs(arguments))
        ratios.append(ours[-1] / rivals[-1])
        print(f"  mlaan {ours[-1]:8.1f}   torchvision {rivals[-1]:8.1f} images/s   "
              f"ratio {ratios[-1]:.2f}", flush=True)
    print(f"  medians of {arguments.rounds} rounds, {arguments.workers} workers: "
          f"mlaan {statistics.median(ours):.1f}, torchvision {torch.__version__} "
          f"{statistics.median(rivals):.1f} images/s, ratio {statistics.median(ratios):.2f}")


main()
