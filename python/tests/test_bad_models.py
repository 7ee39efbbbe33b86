"""Models that cannot be trained, and what is done to models while they are."""

import copy
import pickle

import mlaan
import pytest
import torch
from bad_use import IMAGES, LABELS, make_engine, refused
from networks import ResNetCifar, small_chain
from torch import nn
from torch.nn import functional


def quantised():
    return torch.ao.quantization.quantize_dynamic(small_chain().eval(), {nn.Linear})


def with_layer(layer):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        layer,
        nn.Conv2d(8, 8, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: 3, "`model` is of the type int"),
        (lambda: nn.DataParallel(small_chain()), "a DataParallel.*model.module"),
        (lambda: torch.jit.script(small_chain()), "the model is TorchScript"),
        (lambda: with_layer(torch.jit.script(nn.Conv2d(8, 8, 3))), "layer '1' is TorchScript"),
        (quantised, "layer '6' is a quantised Linear"),
        (lambda: small_chain().half(), "type torch.float16.*precision="),
        (lambda: small_chain().bfloat16(), "type torch.bfloat16"),
        (
            lambda: with_layer(nn.Conv2d(8, 8, 3).double()),
            "'1.weight' is of the type torch.float64",
        ),
        (lambda: small_chain().to("meta"), "'0.0.weight' is on the meta device"),
        (lambda: small_chain().requires_grad_(False), "every parameter of the model is frozen"),
        (lambda: nn.Sequential(nn.Flatten(), nn.ReLU()), "two pieces with weights"),
    ],
)
def test_models_that_cannot_be_trained(make, message):
    refused(message, model=make())


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="this torch has no torch.compile")
def test_compiled_models_are_refused():
    refused("OptimizedModule.*_orig_mod", model=torch.compile(small_chain()))


class Layer(nn.Module):
    """A convolution with something wrong about it."""

    def __init__(self, run):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.run = run

    def forward(self, x):
        return self.run(self.conv, x)


def change_data(conv, x):
    x.data.mul_(2)
    return conv(x)


def change_array(conv, x):
    array = x.detach().numpy()
    array *= 2
    return conv(x)


def without_gradient(conv, x):
    with torch.no_grad():
        return conv(x)


def in_inference(conv, x):
    with torch.inference_mode():
        return conv(x)


OTHER = nn.Parameter(torch.ones(1))


@pytest.mark.parametrize("method", ["e2e", "dgl", "mlaan"])
@pytest.mark.parametrize(
    "run, message",
    [
        (change_data, "changes its input in place where autograd cannot see it"),
        (change_array, "changes its input in place where autograd cannot see it"),
        (lambda conv, x: conv(x).detach(), "output of unit '1' has no gradient"),
        (without_gradient, "output of unit '1' has no gradient"),
        (in_inference, "inference_mode"),
        (lambda conv, x: OTHER * conv(x), "no parameter of its modules"),
        (lambda conv, x: conv(x).long(), "'2' cannot take what comes before it"),
        (lambda conv, x: conv(x)[:, :4], "'2' cannot take what comes before it"),
        (lambda conv, x: (conv(x), x), "'2' cannot take what comes before it"),
    ],
)
def test_units_with_something_wrong_about_them(run, message, method):
    refused(message, model=with_layer(Layer(run)), method=method)


@pytest.mark.parametrize("run", [lambda x: x.double(), torch.fft.fft2, lambda x: x.bfloat16()])
def test_units_that_return_another_type(run):
    first = Layer(lambda conv, x: run(conv(x)))
    second = Layer(lambda conv, x: conv(x.abs().float()))
    message = "unit '1.0' returns a tensor of the type torch.*; accepted: torch.float32"
    refused(message, model=with_layer(nn.Sequential(first, second)))


@pytest.mark.parametrize("method", ["e2e", "dgl", "mlaan"])
@pytest.mark.parametrize(
    "run",
    [
        lambda conv, x: conv(x)[:, :8],
        lambda conv, x: conv(x).transpose(2, 3),
        lambda conv, x: conv(x).mean((2, 3), keepdim=True).expand_as(x),
        lambda conv, x: conv(functional.relu_(x)),
        lambda conv, x: x.view_as(x) + 0 * conv(x),
    ],
)
def test_views_and_first_operations_in_place_change_nothing(run, method):
    results = []
    for behind in (lambda x: x, torch.clone):
        torch.manual_seed(4)
        layer = Layer(lambda conv, x, behind=behind: behind(run(conv, behind(x))))
        engine = mlaan.Engine(with_layer(layer), example=IMAGES, method=method, modules=3)
        engine.step(IMAGES, LABELS)
        results.append(engine.step(IMAGES, LABELS).losses)
    assert torch.equal(*results)


def test_a_layer_in_place_that_a_probe_sees_is_no_trouble():
    def run(inplace):
        torch.manual_seed(4)
        model = nn.Sequential(
            nn.Conv2d(3, 8, 3),
            nn.Sequential(nn.ReLU(inplace), nn.Conv2d(8, 8, 3)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 10),
        )
        pieces = [model[0], model[1], lambda x: x.mean((2, 3)), model[4]]
        engine = mlaan.Engine(mlaan.units(pieces, IMAGES), method="dgl", modules=2)
        engine.step(IMAGES, LABELS)
        return engine.step(IMAGES, LABELS).losses

    assert torch.equal(run(False), run(True))


class Reads(nn.Module):
    """Reads a weight of another layer, which it does not hold as a module."""

    def __init__(self, other):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3)
        self.others = [other]

    def forward(self, x):
        return functional.conv2d(self.conv(x), self.others[0].weight)


def reading_another():
    first = nn.Conv2d(8, 8, 3, padding=1)
    return with_layer(nn.Sequential(first, Reads(first)))


def sharing_memory():
    model = ResNetCifar(blocks=2)
    model.layer1[1].conv1.weight = nn.Parameter(model.layer1[0].conv1.weight.data)
    return model


@pytest.mark.parametrize("method", ["e2e", "dgl", "mlaan"])
@pytest.mark.parametrize(
    "make, message",
    [
        (reading_another, "unit '1.1' reads the parameter '1.0.weight' of unit '1.0'"),
        (sharing_memory, "'layer1.0' and 'layer1.1' share the parameter 'layer1.1.conv1.weight'"),
    ],
)
def test_weights_of_two_units(make, message, method):
    refused(message, model=make(), method=method)


class InPlace(nn.Module):
    """In place in training mode alone, which no probe sees."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.conv(x.relu_() if self.training else x)


def test_a_unit_that_changes_its_input_in_place():
    model = nn.Sequential(
        nn.Conv2d(3, 3, 3, padding=1),
        InPlace(),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    with pytest.raises(mlaan.UserError, match="'1' changes its input in place"):
        mlaan.Engine(model, example=IMAGES, method="dgl", modules=2).step(IMAGES, LABELS)


def test_a_batch_of_one_under_batch_normalisation_is_torchs_to_refuse():
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(192, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 8),
        nn.BatchNorm1d(8),
        nn.Linear(8, 10),
    )
    engine = mlaan.Engine(model, example=IMAGES[:1], method="dgl", modules=2)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        engine.step(IMAGES[:1], LABELS[:1])
    assert torch.isfinite(engine.step(IMAGES, LABELS).losses).all()


# What is done to a model while it is trained


def replace_layer(model):
    model[6] = nn.Linear(16, 10)


def replace_weight(model):
    model[6].weight = nn.Parameter(torch.zeros(10, 16))


@pytest.mark.parametrize(
    "change, message",
    [
        (replace_layer, "'6' of the model was replaced"),
        (replace_weight, "'6.weight' of the model was replaced"),
        (
            lambda model: model.add_module("7", nn.Linear(10, 10)),
            "'7' of the model was replaced, a",
        ),
        (lambda model: model[2].requires_grad_(False), "'2.weight' of the model was frozen"),
        (lambda model: model.requires_grad_(False), "of the model was frozen"),
        (
            lambda model: model.double(),
            "was of the type torch.float32 .* is of the type torch.float64",
        ),
        (
            lambda model: setattr(model[6].weight, "data", torch.zeros(12, 16)),
            r"shape \(12, 16\) now",
        ),
        (
            lambda model: setattr(model[0][1], "running_mean", torch.ones(8)),
            "'0.1.running_mean' of the model was replaced",
        ),
    ],
)
def test_models_that_are_changed_after_the_engine_was_made(change, message):
    engine = make_engine()
    change(engine.chain.model)
    with pytest.raises(mlaan.UserError, match=message):
        engine.step(IMAGES, LABELS)


def test_a_model_may_be_used_between_steps():
    model = small_chain()
    engine = mlaan.Engine(model, example=IMAGES, method="dgl", modules=3)
    engine.step(IMAGES, LABELS)
    model(IMAGES).sum().backward()
    model.zero_grad(set_to_none=True)
    model.eval()
    engine.step(IMAGES, LABELS)
    assert model[0][1].training


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_steps_within_no_grad_are_steps(context):
    torch.manual_seed(1)
    one = make_engine()
    torch.manual_seed(1)
    two = make_engine()
    with context():
        two.step(IMAGES, LABELS)
    one.step(IMAGES, LABELS)
    assert torch.equal(one.step(IMAGES, LABELS).losses, two.step(IMAGES, LABELS).losses)


def made_in_inference(make):
    with torch.inference_mode():
        return make()


def test_what_inference_mode_made_is_refused():
    made = made_in_inference(IMAGES.clone)
    with pytest.raises(mlaan.UserError, match="images are made under torch.inference_mode"):
        make_engine().step(made, LABELS)
    refused("made under torch.inference_mode", model=made_in_inference(small_chain))
    with pytest.raises(mlaan.UserError, match="within torch.inference_mode"):
        made_in_inference(make_engine)


def test_engines_cannot_be_copied():
    for use in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="state_dict"):
            use(make_engine())
