"""A timm network with weights of a file is fine-tuned within a budget of bytes.

    python fine_tune.py --model resnet10t --weights FILE --data FOLDER --memory 170MiB

FOLDER holds train/CLASS/*.JPEG and val/CLASS/*.JPEG; without it noise is learnt. The network that
comes out is written to --output, read again by timm, and compared with what the engine gives.
"""

import argparse
import time

import mlaan
import timm
import torch
from plain_loop import noise, pictures
from safetensors.torch import load_file, save_file


def load_body(model, file):
    """Weights of a file, without those of a head for other classes."""
    own, weights = model.state_dict(), load_file(file)
    fitting = {
        name: tensor
        for name, tensor in weights.items()
        if name in own and own[name].shape == tensor.shape
    }
    model.load_state_dict(fitting, strict=False)
    print(f"{file}: {len(fitting)} of {len(own)} tensors loaded")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="resnet10t")
    parser.add_argument("--weights")
    parser.add_argument("--data")
    parser.add_argument("--memory", default="170MiB")
    parser.add_argument("--method", default="mlaan-relay")
    parser.add_argument("--modules", type=int)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.03)
    parser.add_argument("--output", default="fine-tuned.safetensors")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    train, test, classes = (
        pictures(arguments.data, arguments.batch_size)
        if arguments.data
        else noise(arguments.batch_size)
    )
    model = timm.create_model(arguments.model, num_classes=classes)
    if arguments.weights:
        load_body(model, arguments.weights)
    images = next(iter(train))[0]
    engine = mlaan.Engine(
        model,
        example=images[:2],
        method=arguments.method,
        modules=arguments.modules,
        memory=arguments.memory,
        batch_size=arguments.batch_size,
        optimizer=mlaan.SGD(lr=arguments.lr),
    )
    print(f"modules: {engine.partition}")
    rate = mlaan.cosine(arguments.lr)
    before = engine.memory()["live"]  # weights, and what is older than the engine
    engine.reset_peak()
    for epoch in range(arguments.epochs):
        start = time.perf_counter()
        for index, (images, labels) in enumerate(train):
            progress = (epoch + index / len(train)) / arguments.epochs
            engine.set_progress(progress)
            engine.set_learning_rate(rate(progress))
            result = engine.step(images, labels)
        print(
            f"epoch {epoch + 1}: loss {result.loss:.3f}, {time.perf_counter() - start:.0f} s, "
            f"peak above the start {(engine.memory()['peak'] - before) / 2**20:.1f} MiB"
        )
    print(f"test error {mlaan.test_error(engine, test):.2f} %")

    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()}, arguments.output
    )
    plain = timm.create_model(arguments.model, num_classes=classes)
    plain.load_state_dict(load_file(arguments.output))
    with torch.no_grad():
        same = torch.equal(plain.eval()(images), engine.predict(images))
    print(f"{arguments.output}: logits of plain PyTorch are {'the same' if same else 'others'}")


if __name__ == "__main__":
    main()
