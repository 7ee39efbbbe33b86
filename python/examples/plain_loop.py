"""A training loop as people write it, with the engine in the place of forward, backward and step.

    python plain_loop.py [--data FOLDER] [--model NAME] [--method NAME] [--epochs N]

FOLDER holds train/CLASS/*.JPEG and val/CLASS/*.JPEG; without it noise of 32×32 is learnt.
"""

import argparse

import mlaan
import torch
import torchvision
from torch.utils.data import DataLoader, TensorDataset
from torchvision import transforms


def pictures(folder, batch_size):
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    plain = [transforms.ToTensor(), transforms.Normalize(mean, deviation)]
    flipped = [transforms.RandomHorizontalFlip(), transforms.RandomCrop(64, 8), *plain]
    sets = [
        torchvision.datasets.ImageFolder(f"{folder}/{part}", transforms.Compose(steps))
        for part, steps in (("train", flipped), ("val", plain))
    ]
    train = DataLoader(sets[0], batch_size, shuffle=True, drop_last=True, num_workers=2)
    return train, DataLoader(sets[1], batch_size, num_workers=2), len(sets[0].classes)


def noise(batch_size):
    images, labels = torch.randn(4 * batch_size, 3, 32, 32), torch.randint(0, 10, (4 * batch_size,))
    loader = DataLoader(TensorDataset(images, labels), batch_size)
    return loader, loader, 10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--method", default="mlaan-lean")
    parser.add_argument("--modules", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.05)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    batch_size = arguments.batch_size
    train, test, classes = (
        pictures(arguments.data, batch_size) if arguments.data else noise(batch_size)
    )
    model = getattr(torchvision.models, arguments.model)(num_classes=classes)
    example = next(iter(train))[0][:2]
    engine = mlaan.Engine(
        model,
        example=example,
        method=arguments.method,
        modules=arguments.modules,
        optimizer=mlaan.SGD(lr=arguments.lr),
    )
    rate = mlaan.cosine(arguments.lr)
    for epoch in range(arguments.epochs):
        for index, (images, labels) in enumerate(train):
            progress = (epoch + index / len(train)) / arguments.epochs
            engine.set_progress(progress)
            engine.set_learning_rate(rate(progress))
            result = engine.step(images, labels)
        print(
            f"epoch {epoch + 1}: loss {result.loss:.3f}, "
            f"test error {mlaan.test_error(engine, test):.1f} %, "
            f"peak {engine.memory()['peak'] / 2**20:.0f} MiB"
        )


if __name__ == "__main__":
    main()
