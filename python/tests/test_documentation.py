"""The snippets of docs/python.md run as they stand there."""

import contextlib
import io
import pathlib
import re
import sys
import types

import mlaan
import pytest
import torch
from networks import ResNetCifar, batch
from torch import nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from written_networks import Patches

FILE = pathlib.Path(__file__).parents[2] / "docs" / "python.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", FILE.read_text(encoding="utf-8"), re.DOTALL)


class Norm(nn.Module):
    """(batch, channels, height, width) → (batch, tokens, channels), normalised."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(16)

    def forward(self, x):
        return self.norm(x.flatten(2).transpose(1, 2))


class ByHand(nn.Module):
    """What the text calls model.stem, model.blocks, model.norm and model.fc."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 4, 4)
        self.blocks = nn.ModuleList([nn.Conv2d(16, 16, 3, padding=1) for _ in range(3)])
        self.norm = Norm()
        self.fc = nn.Linear(16, 10)


def focal_loss(logits, labels):
    loss = functional.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-loss)) ** 2 * loss).mean()


class MyHead(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        return self.fc(x.mean((2, 3)))


def made_model(*_, **__):
    return ResNetCifar(blocks=3)


def names():
    """What the text takes for granted."""
    images, labels = batch(8)
    loader = [(images, labels)]
    return {
        "torch": torch,
        "mlaan": mlaan,
        "clip_grad_norm_": clip_grad_norm_,
        "focal_loss": focal_loss,
        "MyHead": MyHead,
        "images": images,
        "labels": labels,
        "loader": loader,
        "train_loader": loader,
        "test_loader": loader,
        "make_model": made_model,
        "model": made_model(),
        "transformer": Patches(others=1),
    }


def write_run(folder):
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("epoch,train_loss\n1,2.5\n")


def needed(snippet):
    for name in ("pandas", "torchvision"):
        if name + "." in snippet:
            yield name, pytest.importorskip(name)


@pytest.mark.parametrize("index", range(len(SNIPPETS)))
def test_snippets_run(index, tmp_path, monkeypatch):
    snippet = SNIPPETS[index]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "timm", types.SimpleNamespace(create_model=made_model))
    write_run(tmp_path / "runs" / "cifar10-resnet32-mlaan")
    given = {**names(), **dict(needed(snippet))}
    if "model.stem" in snippet:
        given["model"] = ByHand()
        given["images"], given["labels"] = batch(8, side=16)
    if "transformer" in snippet:
        given["images"], given["labels"] = batch(8, side=16)
    if "engine." in snippet and "engine =" not in snippet:
        given["engine"] = mlaan.Engine(given["model"], example=given["images"], modules=3)
    if ">>>" in snippet:
        check_prompt(snippet, given)
        return
    exec(compile(snippet, f"docs/python.md, snippet {index}", "exec"), given)
    if "Engine(" in snippet:
        losses = given["engine"].step(given["images"], given["labels"]).losses
        assert torch.isfinite(losses).all()


def check_prompt(snippet, given):
    """Runs the line behind the prompt and compares what it prints; … stands for any lines."""
    given["images"] = torch.randn(2, 3, 64, 64)
    line, *expected = snippet.strip().splitlines()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(f"print({line[4:]})", given)
    pattern = r"\n".join(".*" if text.strip() == "…" else re.escape(text) for text in expected)
    assert re.fullmatch(pattern, printed.getvalue().strip(), re.DOTALL)


def test_there_are_snippets_of_every_part():
    text = "\n".join(SNIPPETS)
    for name in ("units(", "method=pairs", "loss=", "memory=", "plan(", "compare(", "read_run("):
        assert name in text
