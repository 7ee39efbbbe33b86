"""How models are cut."""

import mlaan
import pytest
import torch
from networks import ResNetCifar, batch, mlp, small_chain
from torch import nn
from torch.nn import functional

IMAGES, _ = batch(4)


def equal_to_model(model, chain, images):
    model.eval()
    chain.train(False)
    with torch.no_grad():
        return torch.equal(model(images), chain(images))


def test_nested_sequentials_are_cut_between_their_layers():
    model = small_chain()
    chain = mlaan.units(model, IMAGES)
    assert chain.names() == ["0.0", "1.0", "2"]
    assert [name for name, _ in chain.units[0].unit_parameters()] == [
        "0.0.weight",
        "0.0.bias",
        "0.1.weight",
        "0.1.bias",
    ]
    assert equal_to_model(model, chain, IMAGES)


def test_parameters_are_the_models_own():
    model = ResNetCifar()
    chain = mlaan.units(model, IMAGES)
    own = {id(parameter) for parameter in model.parameters()}
    assert {id(parameter) for parameter in chain.parameters()} == own


def test_a_model_with_functions_is_cut_between_its_blocks():
    model = ResNetCifar(blocks=2)
    chain = mlaan.units(model, IMAGES)
    assert chain.names() == [
        "conv1",
        "layer1.0",
        "layer1.1",
        "layer2.0",
        "layer2.1",
        "layer3.0",
        "layer3.1",
    ]
    assert chain.block_count == 6  # the stem is none
    assert chain.units[3].output_shape == (32, 4, 4)
    assert equal_to_model(model, chain, IMAGES)


def test_a_network_without_maps_has_its_last_layer_for_a_head():
    images = torch.randn(4, 3, 4, 4)
    chain = mlaan.units(mlp(), images)
    assert chain.names() == ["1", "3"]
    assert [name for name, _ in chain.head.unit_parameters()] == ["5.weight", "5.bias"]


class Skips(nn.Module):
    """A U of two levels: what it gives crosses all places."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, padding=1)
        self.middle = nn.Conv2d(4, 4, 3, padding=1)
        self.up = nn.Conv2d(7, 4, 3, padding=1)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        middle = self.middle(self.down(x))
        return self.fc(self.up(torch.cat([middle, x], 1)).mean((2, 3))) + x.mean()


def test_no_chain_is_refused_where_two_tensors_cross():
    with pytest.raises(mlaan.UserError, match=r"no chain.*behind 'down' 'down' and 'x'"):
        mlaan.units(Skips(), IMAGES)


class SkipInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.one = nn.Conv2d(4, 4, 3, padding=1)
        self.two = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = self.stem(x)
        x = self.two(self.one(x)) + x
        return self.fc(x.mean((2, 3)))


def test_a_skip_stays_within_a_unit():
    model = SkipInside()
    chain = mlaan.units(model, IMAGES)
    assert chain.names() == ["stem", "one"]
    assert equal_to_model(model, chain, IMAGES)


class Inverted(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.Conv2d(2 * width, width, 1))

    def forward(self, x):
        return self.layers(x)


class Narrowing(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), Inverted(4), Inverted(4))
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))


def test_a_block_without_a_skip_is_one_unit_too():
    assert mlaan.units(Narrowing(), IMAGES).names() == ["body.0", "body.1", "body.2"]


class Dropped(nn.Module):
    def __init__(self, branch=False):
        super().__init__()
        self.branch = branch
        self.one = nn.Conv2d(3, 4, 3)
        self.two = nn.Conv2d(4, 4, 3)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = functional.dropout(self.two(self.one(x)), 0.5, training=self.training)
        if self.branch and self.training:
            x = x * 2
        return self.fc(x.mean((2, 3)))


def test_dropout_as_a_function_follows_the_mode():
    model = Dropped()
    chain = mlaan.units(model, IMAGES)
    assert equal_to_model(model, chain, IMAGES)
    chain.train(True)
    assert not torch.equal(chain(IMAGES), chain(IMAGES))


def test_what_differs_between_the_modes_is_refused():
    with pytest.raises(mlaan.UserError, match="does not give in evaluation mode"):
        mlaan.units(Dropped(branch=True), IMAGES)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.one(x), x


def test_tuples_stay_within_a_unit():
    takes_pair = nn.Conv2d(4, 4, 3)
    pieces = [
        Pair(),
        lambda pair: pair[0] + pair[1].mean(),
        takes_pair,
        nn.ReLU(),
        lambda x: x.mean((2, 3)),
        nn.Linear(4, 10),
    ]
    chain = mlaan.units(pieces, IMAGES)
    assert chain.names() == ["0", "2"]
    value = IMAGES
    for piece in pieces:
        value = piece(value)
    assert torch.equal(chain(IMAGES), value)


def test_a_head_by_hand():
    pieces = [nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)]
    head = [lambda x: x.mean((2, 3)), nn.Linear(4, 8), nn.Linear(8, 10)]
    chain = mlaan.units(pieces, IMAGES, head=head)
    assert chain.names() == ["0", "1"]
    assert sum(parameter.numel() for parameter in chain.head.parameters()) == 40 + 90


def test_a_shared_parameter_is_refused_by_name():
    layer = nn.Conv2d(4, 4, 3, padding=1)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        layer,
        nn.ReLU(),
        layer,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    )
    with pytest.raises(mlaan.UserError, match="share the parameter '1.weight'"):
        mlaan.units(model, IMAGES)


class Unused(SkipInside):
    def __init__(self):
        super().__init__()
        self.never = nn.Linear(2, 2)


def test_an_unused_parameter_is_refused_unless_frozen():
    model = Unused()
    with pytest.raises(mlaan.UserError, match="'never.weight'"):
        mlaan.units(model, IMAGES)
    model.never.requires_grad_(False)
    mlaan.units(model, IMAGES)


def test_a_single_layer_is_refused():
    with pytest.raises(mlaan.UserError, match="two pieces with weights"):
        mlaan.units(nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), IMAGES)


def test_the_model_is_left_as_it_was():
    model = ResNetCifar()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.random.get_rng_state()
    mlaan.units(model, IMAGES)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


def test_several_outputs_are_refused():
    class Two(SkipInside):
        def forward(self, x):
            logits = super().forward(x)
            return logits, logits

    with pytest.raises(mlaan.UserError):
        mlaan.units(Two(), IMAGES)


def test_copies_share_nothing_and_functions_of_the_model_cannot_be_copied():
    chain = mlaan.units(ResNetCifar(), IMAGES)
    copy = chain.units[1].copied()
    own = {parameter.data_ptr() for parameter in chain.units[1].parameters()}
    assert all(parameter.data_ptr() not in own for parameter in copy.parameters())
    bound = mlaan.Unit("stem", [nn.Linear(2, 2)], no_copy="it is a method of the whole model")
    with pytest.raises(mlaan.UserError, match="cannot be copied.*whole model.*dgl"):
        bound.copied()
