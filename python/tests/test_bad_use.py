"""Bad use: each a mlaan.UserError whose message says what is wrong and what is accepted."""

import copy
import pickle

import mlaan
import pytest
import torch
from networks import ResNetCifar, batch, small_chain
from torch import nn
from torch.nn import functional

IMAGES, LABELS = batch(8)


def refused(message, **settings):
    model = settings.pop("model", None) or small_chain()
    example = settings.pop("example", IMAGES)
    with pytest.raises(mlaan.UserError, match=message) as caught:
        engine = mlaan.Engine(model, example=example, **{"method": "dgl", "modules": 3, **settings})
        engine.step(IMAGES, LABELS)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, mlaan.Error)


def make_engine(**settings):
    return mlaan.Engine(
        small_chain(), example=IMAGES, **{"method": "dgl", "modules": 3, **settings}
    )


# Batches

ONE_HOT = torch.eye(10)[LABELS]


@pytest.mark.parametrize(
    "labels, message",
    [
        (LABELS[:7], r"shape \(7,\).*accepted are int64 of shape \(8\)"),
        (LABELS.view(8, 1), r"shape \(8, 1\)"),
        (LABELS.float(), r"type torch.float32"),
        (LABELS.int(), r"type Int; expected an int64"),
        (LABELS > 4, r"type Bool"),
        (ONE_HOT.long(), r"shape \(8, 10\) and type torch.int64"),
        (torch.zeros(8, 9), r"shape \(8, 9\).*\(8, 10\)"),
        (-ONE_HOT, "no probabilities"),
        (3 * ONE_HOT, "no probabilities"),
        (ONE_HOT * float("nan"), "no probabilities"),
        (ONE_HOT.to_sparse(), "sparse_coo tensor; accepted: a plain"),
        (LABELS.to("meta"), "on the meta device"),
        (LABELS + 10, r"class 1"),
        (LABELS - 1, r"class -1"),
        (torch.tensor(3), "single number"),
        ([1, 2], "labels are a list"),
        (LABELS.numpy(), "labels are a ndarray"),
        (None, "labels are a NoneType"),
    ],
)
def test_labels_that_are_none(labels, message):
    engine = make_engine()
    with pytest.raises(mlaan.UserError, match=message):
        engine.step(IMAGES, labels)
    if labels is not None:
        with pytest.raises(mlaan.UserError, match=message):
            engine.step(IMAGES, LABELS, net_labels=labels)
    engine.step(IMAGES, LABELS)


def test_labels_of_ones_own_loss_need_be_no_probabilities():
    engine = make_engine(loss=lambda output, labels: functional.mse_loss(output, labels))
    assert torch.isfinite(engine.step(IMAGES, torch.randn(8, 10)).losses).all()


@pytest.mark.parametrize(
    "images, message",
    [
        ({"image": IMAGES}, "images are a dict"),
        ((IMAGES, IMAGES), "images are a tuple"),
        (IMAGES.numpy(), "images are a ndarray"),
        (IMAGES[0], r"shape \(3, 8, 8\); accepted: a batch as the example was, \(batch, 3, 8, 8\)"),
        (IMAGES[:0], "a batch of 0"),
        (IMAGES.to("meta"), "on the meta device"),
    ],
)
def test_images_that_are_none(images, message):
    engine = make_engine()
    for use in (lambda: engine.step(images, LABELS[: len(images)]), lambda: engine.predict(images)):
        with pytest.raises(mlaan.UserError, match=message):
            use()


def test_images_of_other_channels_are_refused_by_the_layer_that_reads_them():
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 1"):
        make_engine().step(IMAGES[:, :1], LABELS)


@pytest.mark.parametrize("example", [3, {"image": IMAGES}, (IMAGES,), IMAGES.numpy(), IMAGES[:0]])
def test_examples_that_are_none(example):
    refused("`example` must be a batch", example=example)


def test_an_example_is_needed():
    refused("`example` is missing", example=None)


# Models


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
        (lambda: 3, "`model` is a int"),
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
        (lambda conv, x: conv(x).detach(), "unit '1' gives has no gradient"),
        (without_gradient, "unit '1' gives has no gradient"),
        (in_inference, "inference_mode"),
        (lambda conv, x: OTHER * conv(x), "no parameter of its modules"),
        (lambda conv, x: conv(x).long(), "'2' cannot take what comes before it"),
        (lambda conv, x: conv(x)[:, :4], "'2' cannot take what comes before it"),
        (lambda conv, x: (conv(x), x), "'2' cannot take what comes before it"),
    ],
)
def test_units_with_something_wrong_about_them(run, message, method):
    refused(message, model=with_layer(Layer(run)), method=method)


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
    with pytest.raises(mlaan.UserError, match="images are of torch.inference_mode"):
        make_engine().step(made, LABELS)
    refused("made under torch.inference_mode", model=made_in_inference(small_chain))
    with pytest.raises(mlaan.UserError, match="within torch.inference_mode"):
        made_in_inference(make_engine)


def test_engines_cannot_be_copied():
    for use in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="state_dict"):
            use(make_engine())


# Losses, nets, optimizers


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, output, labels):
        return self.scale * functional.cross_entropy(output, labels)


def blank_labels(output, labels):
    labels.zero_()
    return functional.cross_entropy(output, labels)


@pytest.mark.parametrize(
    "loss, message",
    [
        (lambda output, labels: output, r"gave a tensor of shape \(8, 10\)|torch.Size\(\[8, 10"),
        (lambda output, labels: 1.0, "gave a float"),
        (lambda output, labels: None, "gave a NoneType"),
        (lambda output, labels: {"loss": output.mean()}, "gave a dict"),
        (lambda output, labels: output.detach().mean(), "without a gradient"),
        (lambda output, labels: torch.ones((), requires_grad=True), "without a gradient"),
        (lambda output, labels: 2 * OTHER.sum(), "does not depend on the output"),
        (lambda output, labels: output.mean().to(torch.complex64), "type ComplexFloat"),
        (lambda output, labels: output.mean().to("meta"), "on meta; a loss must give"),
        (lambda output, labels: output.mul_(2).mean(), "changed the output, the labels or"),
        (blank_labels, "changed the output, the labels or"),
        (nn.CrossEntropyLoss, "loss is the class CrossEntropyLoss"),
        (nn.CrossEntropyLoss(reduction="none"), "loss 'CrossEntropyLoss' gave a tensor of shape"),
        (Scaled(), "loss Scaled has parameters"),
        (3, "must be a name"),
        ("cross_entrop", "cross_entrop"),
    ],
)
def test_losses_that_are_none(loss, message):
    with pytest.raises(mlaan.UserError, match=message):
        make_engine(loss=loss).step(IMAGES, LABELS.clone())


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_step_before_it_updates(number):
    engine = make_engine(loss=lambda output, labels: number * output.mean())
    before = [parameter.clone() for parameter in engine.parameters.values()]
    with pytest.raises(mlaan.Error, match="gave -?(nan|inf).*nothing was updated"):
        engine.step(IMAGES, LABELS)
    assert all(torch.equal(*pair) for pair in zip(before, engine.parameters.values()))


@pytest.mark.parametrize(
    "nets, message",
    [
        (3, "nets is a int; accepted: a function"),
        (lambda name, shape, classes: 3, "`layers` must be a module or a list"),
        (lambda name, shape, classes: nn.Linear(3, 3), "net 'aux.1.local' cannot take"),
        (lambda name, shape, classes: nn.Flatten(0), "net 'aux.1.local' gives"),
    ],
)
def test_nets_that_are_none(nets, message):
    refused(message, nets=nets)


def test_optimizers_that_are_none():
    other = nn.Linear(2, 2)
    made = []

    def first_one(parameters):
        made.append(made[0] if made else torch.optim.SGD(parameters, lr=0.1))
        return made[-1]

    refused("already made", optimizer=torch.optim.SGD(other.parameters(), lr=0.1))
    refused("holds 0 of the", optimizer=lambda _: torch.optim.SGD(other.parameters(), lr=0.1))
    refused("1 others", optimizer=lambda p: torch.optim.SGD([*p, OTHER], lr=0.1))
    refused("holds 1 of the", optimizer=lambda p: torch.optim.SGD(p[:1], lr=0.1))
    refused("holds 0 of the 2", optimizer=first_one)
    refused("gave a NoneType", optimizer=lambda _: None)
    refused("LBFGS, which evaluates the loss itself", optimizer=torch.optim.LBFGS)
    refused("is a float", optimizer=0.1)
    refused("is a str", optimizer="sgd")


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: mlaan.SGD(lr=-1), "lr is -1; accepted: a number, at least 0"),
        (lambda: mlaan.SGD(lr="0.1"), "lr is '0.1'"),
        (lambda: mlaan.SGD(lr=float("nan")), "lr is nan"),
        (lambda: mlaan.SGD(momentum=2), "momentum is 2"),
        (lambda: mlaan.SGD(nesterov="yes"), "nesterov is a str"),
        (lambda: mlaan.AdamW(betas=0.9), "betas is 0.9"),
        (lambda: mlaan.AdamW(betas=(0.9, 1.0)), "number of betas is 1.0"),
        (lambda: mlaan.LAMB(eps=-1), "eps is -1"),
    ],
)
def test_numbers_of_optimizers_that_are_none(make, message):
    with pytest.raises(mlaan.UserError, match=message):
        make()


def test_a_parameter_in_two_nets_is_refused():
    shared = nn.Linear(8, 10)

    def both(units, partition):
        nets = [
            mlaan.Net(f"aux.{j}", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), shared))
            for j in range(2)
        ]
        return [
            mlaan.Supervision(0, 0, nets[0]),
            mlaan.Supervision(0, 0, nets[1]),
            mlaan.Supervision(1, 2),
        ]

    refused("belongs to another", method=both)


# Settings


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_devices_that_are_not_there():
    refused("finds 0 CUDA devices", device="cuda")
    refused("finds 0 CUDA devices", device="cuda:3")
    refused("accepted: cpu, cuda", device="meta")
    refused("cannot be used", device="gpu")


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"modules": 0}, "modules is 0; accepted: a whole number, at least 1"),
        ({"modules": 2.5}, "modules is 2.5"),
        ({"modules": "3"}, "modules is '3'"),
        ({"modules": 100}, "1 to 3 modules, not 100"),
        ({"partition": 3}, "partition is a int"),
        ({"partition": ["0.0", "nope"]}, "unknown unit of Sequential 'nope'"),
        ({"method": 3}, "method is a int"),
        ({"method": lambda units, partition: None}, "gave is a NoneType; accepted: a list"),
        ({"options": 3}, "options is a int"),
        ({"options": {"mlm.window": "a"}, "method": "mlm"}, 'mlm.window = "a" is not accepted'),
        ({"recompute": 3}, "recompute is a int"),
        ({"recompute": "sometimes"}, "unknown recomputation 'sometimes'.*auto"),
        ({"memory": 0}, "memory is 0"),
        ({"memory": "much"}, "'much' is no number of bytes"),
        ({"batch_size": -3}, "batch_size is -3"),
        ({"precision": None}, "precision is a NoneType"),
        ({"precision": "float31"}, "unknown precision 'float31'"),
        ({"precision": "float16"}, "CUDA devices alone"),
        ({"micro_batches": 0}, "micro_batches is 0"),
        ({"clip_grad": -1}, "clip_grad is -1"),
        ({"clip_grad": float("nan")}, "clip_grad is nan"),
        ({"layer_decay": 0}, "layer_decay is 0"),
        ({"net_lr": -1}, "net_lr is -1"),
        ({"label_smoothing": 2}, "label_smoothing is 2"),
        ({"normalisation": 3}, "normalisation is 3"),
        ({"normalisation": ((0,), (1,))}, "3 numbers each"),
        ({"normalisation": ((0, 0, 0), (0, 0, 0))}, "normalisation"),
        ({"seed": -1}, "seed is -1"),
        ({"observer": 3}, "observer is a int"),
        ({"before_update": 3}, "before_update is a int"),
        ({"channels_last": "yes"}, "channels_last is a str"),
        ({"fused_update": 1}, "fused_update is a int"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    refused(message, **settings)


@pytest.mark.parametrize("value", ["x", -1, float("nan"), None])
def test_learning_rates_and_progress_that_are_none(value):
    engine = make_engine()
    with pytest.raises(mlaan.UserError, match="lr is"):
        engine.set_learning_rate(value)
    with pytest.raises(mlaan.UserError, match="progress is"):
        engine.set_progress(value)


# States


def changed(state, key, name, value):
    return {**state, key: {**state[key], name: value}}


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda state: 3, "the state is a int"),
        (lambda state: {}, "the state has no 'progress'"),
        (lambda state: {**state, "tensors": {}}, "tensor '.*' is missing"),
        (lambda state: changed(state, "tensors", "more", torch.ones(1)), "has the tensor 'more'"),
        (lambda state: changed(state, "tensors", "6.bias", torch.ones(3)), r"of shape \(3,\)"),
        (lambda state: changed(state, "tensors", "6.bias", 3), "'6.bias' of the state is a int"),
        (lambda state: changed(state, "tensors", "6.bias", torch.ones(10).double()), "float64"),
        (lambda state: {**state, "steps_done": -1}, "steps_done is -1"),
        (lambda state: {**state, "optimizer": 3}, "optimizer is a int"),
        (lambda state: {**state, "kind": "adamw"}, "kind adamw, this engine's are of the kind sgd"),
    ],
)
def test_states_that_are_none(change, message):
    engine = make_engine()
    before = engine.state_dict()
    with pytest.raises(mlaan.UserError, match=message):
        engine.load_state_dict(change(engine.state_dict()))
    for name, tensor in engine.state_dict()["tensors"].items():
        assert torch.equal(tensor, before["tensors"][name]), name


def test_a_state_of_other_optimizers():
    states = [
        make_engine(optimizer=optimizer).state_dict()
        for optimizer in (mlaan.AdamW(), lambda p: torch.optim.SGD(p, lr=0.1))
    ]
    with pytest.raises(mlaan.UserError, match="kind adamw"):
        make_engine().load_state_dict(states[0])
    with pytest.raises(mlaan.UserError, match="has no 'optimizer'"):
        make_engine().load_state_dict(states[1])


# Functions beside the engine


@pytest.mark.parametrize(
    "use, message",
    [
        (lambda: mlaan.units(None, IMAGES), "a NoneType cannot be cut"),
        (lambda: mlaan.units([1, 2], IMAGES), "piece 0 is a int"),
        (lambda: mlaan.backbone("resnet18x"), "did you mean 'resnet18'"),
        (lambda: mlaan.backbone(3), "name is a int"),
        (lambda: mlaan.backbone("resnet8", classes=0), "classes is 0"),
        (lambda: mlaan.plan(small_chain(), example=IMAGES, batch_size=0), "batch_size is 0"),
        (lambda: plan_of(["dgll"]), "the first one was refused: unknown method 'dgll'"),
        (lambda: plan_of([]), "methods is empty"),
        (lambda: plan_of(["dgl"], recompute=[]), "no setting could be tried: the list is empty"),
        (lambda: compare(small_chain()), "make_model is a Sequential"),
        (lambda: compare(methods="dgl"), "methods is a str"),
        (lambda: compare(epochs=0), "epochs is 0"),
        (lambda: compare(train=iter([(IMAGES, LABELS)]), epochs=2), "no batch in epoch 2"),
        (lambda: mlaan.read_run("/nowhere"), "no folder of a run"),
        (lambda: mlaan.plot([]), "one point at least"),
        (lambda: mlaan.nn.norm_relu(nn.BatchNorm2d(4), IMAGES), r"takes \(batch, 4, h, w\)"),
        (lambda: mlaan.nn.norm_relu(nn.BatchNorm2d(2), IMAGES), r"takes \(batch, 2, h, w\)"),
        (lambda: mlaan.nn.norm_relu(nn.BatchNorm1d(3), IMAGES), "no batch normalisation"),
        (lambda: mlaan.nn.norm_add_relu(nn.BatchNorm2d(3), IMAGES, IMAGES[:1]), "of one shape"),
    ],
)
def test_functions_that_are_called_wrongly(use, message):
    with pytest.raises(mlaan.UserError, match=message):
        use()


def plan_of(methods, **settings):
    return mlaan.plan(small_chain(), example=IMAGES, batch_size=8, methods=methods, **settings)


def compare(make_model=small_chain, methods=("dgl",), train=((IMAGES, LABELS),), **settings):
    return mlaan.compare(make_model, methods, train, example=IMAGES, modules=3, **settings)
