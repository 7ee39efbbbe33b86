"""A network, a loss and a method of one's own.

python own_method.py
"""

import mlaan
import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, x):
        return functional.relu(x + self.body(x))


class Network(nn.Module):
    def __init__(self, width=16, depth=4, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*[Residual(width) for _ in range(depth)])
        self.classifier = nn.Linear(width, classes)

    def forward(self, x):
        return self.classifier(self.blocks(functional.relu(self.stem(x))).mean((2, 3)))


def focal_loss(logits, labels):
    """Cross-entropy that looks away from what is known already (Lin et al. 2017)."""
    loss = functional.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-loss)) ** 2 * loss).mean()


def pairs(units, partition):
    """Every two modules share a window, which a small net at its end supervises."""
    last = len(partition) - 1
    supervisions = []
    for module in range(1, last, 2):
        channels = partition.output_shape(module)[0]
        net = mlaan.Net(
            f"aux.{module + 1}",
            nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 10)),
        )
        supervisions.append(mlaan.Supervision(module - 1, module, net, loss=focal_loss))
    first = supervisions[-1].last + 1 if supervisions else 0
    return [*supervisions, mlaan.Supervision(first, last, name="output", loss=focal_loss)]


def main():
    torch.manual_seed(0)
    labels = torch.arange(10).repeat(8)
    images = torch.randn(10, 3, 16, 16)[labels] + 0.5 * torch.randn(80, 3, 16, 16)
    chain = mlaan.units(Network(), images[:2])
    print(chain)
    engine = mlaan.Engine(chain, method=pairs, optimizer=mlaan.AdamW(lr=2e-3))
    for _ in range(20):
        result = engine.step(images, labels)
    print({name: round(loss, 3) for name, loss in result.by_name().items()})
    print(f"error on what was learnt: {mlaan.test_error(engine, [(images, labels)]):.0f} %")


if __name__ == "__main__":
    main()
