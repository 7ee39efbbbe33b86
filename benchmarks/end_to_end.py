#!/usr/bin/env python3
"""Step time of the CIFAR ResNet-(6n+2) end-to-end in Python: the rival of `mlaan bench`'s e2e.

Needs a torch of the same LibTorch: Debian's python3-torch beside libtorch-dev, or the
pip-installed torch that mlaan was built with. Prints the median step of both memory formats, and
the peak bytes of one, with parameters and momentum in them and the batch not.
"""
import argparse
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


def resnet(depth):
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    channels = 16
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        for block in range((depth - 2) // 6):
            layers.append(Block(channels, width, stride if block == 0 else 1))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def held_bytes(net):
    """Parameters, their momentum, and buffers."""
    tensors = 2 * list(net.parameters()) + list(net.buffers())
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def peak_bytes(step, net, device):
    """The highest of what is allocated during a step, by the allocator's own events."""
    if device != "cpu":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step()
        return torch.cuda.max_memory_allocated() - before + held_bytes(net)
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        step()
    events = [
        (event.start_ns() if hasattr(event, "start_ns") else event.start_us(), event.nbytes())
        for event in profile.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
    live = highest = 0
    for _, change in sorted(events, key=lambda event: event[0]):
        live += change
        highest = max(highest, live)
    return highest + held_bytes(net)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    images = torch.randn(arguments.batch_size, 3, 32, 32, device=arguments.device)
    labels = torch.randint(0, 10, (arguments.batch_size,), device=arguments.device)
    rivals = {}
    for name in ("contiguous", "channels_last"):
        memory_format = getattr(torch, name + "_format" if name == "contiguous" else name)
        net = resnet(arguments.depth).to(arguments.device).to(memory_format=memory_format)
        optimizer = torch.optim.SGD(
            net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4
        )
        rivals[name] = (net, images.to(memory_format=memory_format), optimizer, [])

    def take_step(net, batch, optimizer):
        F.cross_entropy(net(batch), labels).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if arguments.device != "cpu":
            torch.cuda.synchronize()

    for step in range(arguments.warmup + arguments.repeats):
        for net, batch, optimizer, seconds in rivals.values():
            begun = time.perf_counter()
            take_step(net, batch, optimizer)
            if step >= arguments.warmup:
                seconds.append(time.perf_counter() - begun)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name, (net, batch, optimizer, seconds) in rivals.items():
        peak = peak_bytes(lambda: take_step(net, batch, optimizer), net, arguments.device)
        print(f"{name}: {statistics.median(seconds):.4f} s, {peak / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
