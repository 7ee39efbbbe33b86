"""A vision transformer of Hugging Face's in a loop of one's own, without their Trainer.

    python huggingface_loop.py [--method NAME] [--epochs N]

Their models give objects, not tensors, so the pieces are given by hand. What is trained are the
model's own tensors: save_pretrained() writes them.
"""

import argparse
import tempfile

import mlaan
import torch
from torch.utils.data import DataLoader, TensorDataset
from transformers import ViTConfig, ViTForImageClassification


def first(output):
    """Older releases' layers give a tuple."""
    return output[0] if isinstance(output, tuple) else output


def chain_of(model, example):
    vit = model.vit
    layers = vit.layers if hasattr(vit, "layers") else vit.encoder.layer
    pieces = [vit.embeddings]
    for layer in layers:
        pieces += [layer, first]
    head = [vit.layernorm, lambda tokens: tokens[:, 0], model.classifier]
    return mlaan.units(pieces, example, name="vit", head=head)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--method", default="mlaan")
    parser.add_argument("--modules", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    images, labels = torch.randn(64, 3, 32, 32), torch.randint(0, 10, (64,))
    loader = DataLoader(TensorDataset(images, labels), 16, shuffle=True)
    config = ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=10,
    )
    model = ViTForImageClassification(config)
    engine = mlaan.Engine(
        chain_of(model, images[:2]),
        method=arguments.method,
        modules=arguments.modules,
        optimizer=mlaan.AdamW(lr=1e-3),
    )
    for epoch in range(arguments.epochs):
        for index, (images, labels) in enumerate(loader):
            engine.set_progress((epoch + index / len(loader)) / arguments.epochs)
            result = engine.step(images, labels)
        print(f"epoch {epoch + 1}: loss {result.loss:.3f}")
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        saved = ViTForImageClassification.from_pretrained(folder)
    with torch.no_grad():
        same = torch.equal(saved(images).logits, engine.predict(images))
    print(f"logits of what was saved are {'the same' if same else 'others'}")


if __name__ == "__main__":
    main()
