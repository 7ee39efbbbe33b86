"""Networks as people write them: trained as PyTorch does, or refused with the place named."""

import copy

import mlaan
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from written_networks import (
    IMAGES,
    LABELS,
    NETWORKS,
    SEQUENCES,
    WORDS,
    Block,
    Blocks,
    Last,
    Patches,
    Text,
    asserts,
    of_maps,
    one_after_another,
    sizes_cross,
)


def plain_steps(model, images, count):
    optimizer = torch.optim.SGD(model.parameters(), 0.05, 0.9, weight_decay=1e-4, nesterov=True)
    for _ in range(count):
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(model(images), LABELS).backward()
        optimizer.step()
    return model.state_dict()


def twins(make, images):
    """Two models with the same numbers; not by deepcopy, which some do not allow."""
    models = []
    for _ in range(2):
        torch.manual_seed(6)
        models.append(make())
        with torch.no_grad():
            models[-1].eval()(images)  # lets lazy layers be made
        models[-1].train()
    models[1].load_state_dict(models[0].state_dict())
    return models


@pytest.mark.parametrize("recompute", ["none", "unit", "module"])
@pytest.mark.parametrize("name", NETWORKS)
def test_end_to_end_steps_are_those_of_pytorch(name, recompute):
    make, images, units = NETWORKS[name]
    model, twin = twins(make, images)
    engine = mlaan.Engine(
        model, example=images[:2], method="e2e", recompute=recompute, optimizer=mlaan.SGD(lr=0.05)
    )
    assert len(engine.chain) == units, engine.chain.names()
    for _ in range(3):
        engine.step(images, LABELS)
    expected = plain_steps(twin, images, 3)
    assert list(model.state_dict()) == list(expected)
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, expected[key]), key


@pytest.mark.parametrize("method", ["dgl", "mlaan"])
@pytest.mark.parametrize("name", [name for name, (*_, units) in NETWORKS.items() if units > 1])
def test_local_methods_train_every_unit(name, method):
    make, images, _ = NETWORKS[name]
    torch.manual_seed(6)
    model = make()
    engine = mlaan.Engine(model, example=images[:2], method=method, modules=2)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    losses = [engine.step(images, LABELS).losses for _ in range(2)]
    assert torch.isfinite(torch.stack(losses)).all()
    still = [key for key, tensor in model.named_parameters() if torch.equal(tensor, before[key])]
    assert all("tokens" in key or "position" in key for key in still), still


def test_another_size_where_the_forward_pass_depends_on_it_is_refused():
    for run in (sizes_cross, asserts):
        engine = mlaan.Engine(Blocks(run), example=IMAGES, method="dgl", modules=2)
        with pytest.raises(
            mlaan.UserError,
            match=r"depends on a size.*written_networks.py, line \d+: .*size\(.*example's shape",
        ):
            engine.step(IMAGES[:, :, :8, :8], LABELS)
        engine.step(IMAGES[:5], LABELS[:5])


def decides(net, x):
    return one_after_another(net, x + 1 if x.mean() > 0 else x)


def counts_the_batch(net, x):
    for _ in range(x.shape[0]):
        x = x + 1
    return one_after_another(net, x)


@pytest.mark.parametrize(
    "run, message",
    [
        (decides, r"test_networks.py, line \d+: .*x.mean.*depends on the numbers in a tensor"),
        (counts_the_batch, r"range\(x.shape\[0\]\).*needs the batch's size"),
        (lambda net, x: sum(one_after_another(net, y[None]) for y in x), "over the samples"),
        (lambda net, x: one_after_another(net, x * int(x[0, 0, 0, 0])), "number out of a tensor"),
        (lambda net, x: {"logits": one_after_another(net, x)}, "Blocks returns a dict"),
        (lambda net, x: (one_after_another(net, x), x), "Blocks returns a tuple"),
        (lambda net, x: x.shape, "Blocks returns a tuple|Blocks returns a Size"),
    ],
)
def test_forward_passes_that_cannot_be_followed_are_refused_by_line(run, message):
    with pytest.raises(mlaan.UserError, match=message):
        mlaan.units(Blocks(run), IMAGES)


class Wrapped(nn.Module):
    """A backbone, and a classifier of one's own."""

    def __init__(self, backbone, classifies=True):
        super().__init__()
        self.backbone = backbone
        self.classifier = nn.Linear(10, 10) if classifies else nn.Identity()

    def forward(self, x):
        x = self.backbone(x)
        return self.classifier(x["logits"] if isinstance(x, dict) else x)


def test_what_a_model_wraps_is_cut():
    logits = Blocks(lambda net, x: {"logits": one_after_another(net, x)})
    for model in (Wrapped(Blocks(one_after_another)), Wrapped(logits, classifies=False)):
        chain = mlaan.units(model, IMAGES)
        assert chain.names()[:4] == ["backbone.stem"] + [f"backbone.blocks.{i}" for i in range(3)]
    model = Wrapped(Wrapped(Blocks(decides)))  # which torch.fx cannot look into
    assert mlaan.units(model, IMAGES).names() == ["backbone"]


class LikeTimm(nn.Module):
    """A forward pass that torch.fx cannot follow, in a model that lists its stages as timm does."""

    feature_info = [{"module": "stages.0"}, {"module": "stages.1"}]

    def __init__(self, doubles=False):
        super().__init__()
        self.doubles = doubles
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.stages = nn.Sequential(*[nn.Sequential(Block(), Block()) for _ in range(2)])
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 10)

    def forward_head(self, x):
        return self.fc(x.mean((2, 3)))

    def forward(self, x):
        if float(x.mean()) > 1e9:
            raise OverflowError
        return self.forward_head(self.norm(self.stages(self.stem(x))) * (1 + self.doubles))


@pytest.mark.parametrize("method", ["e2e", "dgl", "mlaan"])
def test_models_that_torch_fx_cannot_follow_are_cut_by_timms_list_of_stages(method):
    chain = mlaan.units(LikeTimm(), IMAGES)
    assert chain.names() == ["stem", "stages.0.0", "stages.0.1", "stages.1.0", "stages.1.1"]
    assert [name for name, _ in chain.head.unit_parameters()] == ["fc.weight", "fc.bias"]
    engine = mlaan.Engine(chain, method=method, modules=3)
    assert torch.isfinite(engine.step(IMAGES, LABELS).losses).all()
    with pytest.raises(mlaan.UserError, match=r"x.mean\(\).*number out of a tensor"):
        mlaan.units(LikeTimm(doubles=True), IMAGES)


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()

    def forward(self, x):
        return checkpoint(self.block, x, use_reentrant=True)


def test_reentrant_checkpoints_are_refused_with_what_works():
    with pytest.raises(mlaan.UserError, match="unit '1'.*use_reentrant=False"):
        mlaan.units(of_maps(Checkpointed), IMAGES)


@pytest.mark.parametrize("method", ["dgl", "mlaan", "mlaan-lean", "predsim", "infopro", "greedy"])
def test_tokens_of_several_kinds(method):
    chain = mlaan.units(Patches(others=1), IMAGES, tokens=(4, 4, 2))
    settings = {"method": method, "modules": 3, "normalisation": ([0] * 3, [1] * 3)}
    engine = mlaan.Engine(chain, **settings)
    assert torch.isfinite(engine.step(IMAGES, LABELS).losses).all()
    with pytest.raises(mlaan.UserError, match="18 tokens.*tokens=.rows, columns"):
        mlaan.Engine(Patches(others=1), example=IMAGES, **settings)


@pytest.mark.parametrize(
    "tokens, message",
    [
        ((4, 4, 3), r"19 in all; .* other numbers of tokens: 16, 18"),
        ((4, 4), "tokens has 2 numbers"),
        (18, "tokens is of the type int"),
        ((4, 4, -2), "before the patches is -2"),
        ((4, 4, 2, 1), "the last item of tokens is of the type int"),
    ],
)
def test_layouts_that_cannot_be(tokens, message):
    with pytest.raises(mlaan.UserError, match=message):
        mlaan.units(Patches(others=1), IMAGES, tokens=tokens)


def test_sequences_that_are_no_picture():
    images = SEQUENCES[:, :12]
    model = nn.Sequential(
        Last(nn.LSTM, 5), Last(nn.LSTM, 8), Last(nn.LSTM, 8), nn.Flatten(), nn.Linear(96, 10)
    )
    chain = mlaan.units(model, images, tokens=(1, 12, 0))
    engine = mlaan.Engine(chain, method="mlaan", modules=2)
    assert torch.isfinite(engine.step(images, LABELS).losses).all()


def test_whole_numbers_reach_the_model_as_they_are():
    model = Text()
    plain = copy.deepcopy(model)
    engine = mlaan.Engine(model, example=WORDS, method="dgl", modules=3)
    with torch.no_grad():
        assert torch.equal(engine.predict(WORDS), plain.eval()(WORDS))
    with pytest.raises(mlaan.UserError, match="type torch.float32.*type torch.int64"):
        engine.step(WORDS.float(), LABELS)
    with pytest.raises(mlaan.UserError, match="hold the number 16777.*below 16777216"):
        engine.step(WORDS + 2**24, LABELS)
    assert engine.trial().peak_bytes(64) > 0  # on indices that there are
