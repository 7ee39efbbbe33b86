"""Bad use: each a mlaan.UserError whose message says what is wrong and what is accepted."""

import mlaan
import pytest
import torch
from bad_use import IMAGES, LABELS, make_engine, refused
from torch import nn
from torch.nn import functional

OTHER = nn.Parameter(torch.ones(1))


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
        ([1, 2], "labels are of the type list"),
        (LABELS.numpy(), "labels are of the type ndarray"),
        (None, "labels are of the type NoneType"),
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


@pytest.mark.parametrize("labels", [torch.randn(8, 10), torch.randn(8), torch.rand(8, 2, 3) > 0.5])
def test_labels_of_ones_own_loss_may_be_any_tensor(labels):
    seen = []

    def loss(output, labels):
        seen.append(labels)
        return (output.mean(1) - labels.float().flatten(1).mean(1)).square().mean()

    engine = make_engine(loss=lambda output, given: loss(output, given.view(len(given), -1)))
    assert torch.isfinite(engine.step(IMAGES, labels).losses).all()
    assert len(seen) == 3 and all(torch.equal(one.view(labels.shape), labels) for one in seen)
    for wrong in (labels[:7], [1, 2], torch.tensor(3.0)):
        with pytest.raises(mlaan.UserError, match="labels are"):
            engine.step(IMAGES, wrong)


def test_labels_where_a_method_has_losses_of_its_own_are_classes():
    engine = make_engine(method="predsim", loss=lambda output, labels: output.mean())
    with pytest.raises(mlaan.UserError, match="accepted are int64"):
        engine.step(IMAGES, torch.randn(8))


def test_steps_within_autocast_are_refused_with_what_to_do():
    engine = make_engine()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for use in (lambda: engine.step(IMAGES, LABELS), lambda: engine.predict(IMAGES)):
            with pytest.raises(mlaan.UserError, match="precision='bfloat16'"):
                use()
    engine.step(IMAGES, LABELS)


@pytest.mark.parametrize(
    "images, message",
    [
        ({"image": IMAGES}, "images are of the type dict"),
        ((IMAGES, IMAGES), "images are of the type tuple"),
        (IMAGES.numpy(), "images are of the type ndarray"),
        (IMAGES[0], r"shape \(3, 8, 8\); accepted: a batch as the example was, \(batch, 3, 8, 8\)"),
        (IMAGES[:0], "a batch of 0"),
        ((100 * IMAGES).byte(), r"torch.uint8.*torch.float32; convert .*images.float\(\) / 255"),
        (IMAGES.long(), "type torch.int64, and the example was of the type torch.float32"),
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
        (3, "nets is of the type int; accepted: a function"),
        (lambda name, shape, classes: 3, "the type int; accepted: a torch.nn.Module, or None"),
        (lambda name, shape, classes: nn.Linear(3, 3), "net 'aux.1.local' cannot take"),
        (lambda name, shape, classes: nn.Flatten(0), "net 'aux.1.local' gives"),
        (lambda name, shape, classes: nn.Linear, "returned for 'aux.1.local' is the class Linear"),
        (
            lambda name, shape, classes: nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(shape[0], 3)
            ),
            "net 'aux.1.local' does not fit its loss: it gives 3, .* 10, one number per class",
        ),
        (lambda name, shape, classes: nn.Conv2d(shape[0], 10, 1), "gives 10×8×8, .*one number"),
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
    refused("is of the type float", optimizer=0.1)
    refused("is of the type str", optimizer="sgd")
    refused(r"is the function mlaan.SGD; call it", optimizer=mlaan.SGD)
    words = torch.randint(0, 9, (8, 4))
    model = nn.Sequential(nn.Embedding(9, 8, sparse=True), nn.Flatten(), nn.Linear(32, 10))
    refused(r"sparse gradients; accepted: sparse=False", model=model, example=words, modules=1)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: mlaan.SGD(lr=-1), "lr is -1; accepted: a number, at least 0"),
        (lambda: mlaan.SGD(lr="0.1"), "lr is '0.1'"),
        (lambda: mlaan.SGD(lr=float("nan")), "lr is nan"),
        (lambda: mlaan.SGD(momentum=2), "momentum is 2"),
        (lambda: mlaan.SGD(nesterov="yes"), "nesterov is of the type str"),
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
        ({"partition": 3}, "partition is of the type int"),
        ({"partition": ["0.0", "nope"]}, "unknown unit of Sequential 'nope'"),
        ({"method": 3}, "method is of the type int"),
        ({"method": lambda units, partition: None}, "is of the type NoneType; accepted: a list"),
        ({"options": 3}, "options is of the type int"),
        ({"options": {"mlm.window": "a"}, "method": "mlm"}, 'mlm.window = "a" is not accepted'),
        ({"recompute": 3}, "recompute is of the type int"),
        ({"recompute": "sometimes"}, "unknown recomputation 'sometimes'.*auto"),
        ({"memory": 0}, "memory is 0"),
        ({"memory": "much"}, "'much' is not a number of bytes"),
        ({"batch_size": -3}, "batch_size is -3"),
        ({"precision": None}, "precision is of the type NoneType"),
        ({"precision": "float31"}, "unknown precision 'float31'"),
        ({"precision": "float16"}, "CUDA devices only"),
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
        ({"observer": 3}, "observer is of the type int"),
        ({"before_update": 3}, "before_update is of the type int"),
        ({"channels_last": "yes"}, "channels_last is of the type str"),
        ({"fused_update": 1}, "fused_update is of the type int"),
        ({"kernels": "fast"}, "kernels is 'fast'"),
        ({"modules": True}, "modules is True"),
        ({"modules": 2**70}, "modules is 1180591620717411303424; .* at most"),
        ({"seed": 2**70}, "seed is 1180591620717411303424"),
        ({"micro_batches": 2**70}, "micro_batches is 1180591620717411303424"),
        ({"partition": [0, 1]}, "item 0 of partition is of the type int; accepted: a unit's name"),
        ({"options": {3: 3}}, "a key of options is of the type int"),
        ({"options": {"mlm.window": None}, "method": "mlm"}, r"options\['mlm.window'\] is None"),
        ({"options": {"mlm.window": 2**70}, "method": "mlm"}, r"options\['mlm.window'\] is 118059"),
        ({"options": {"window": 3}, "method": "mlm"}, "did you mean 'mlm.window'"),
        ({"method": "DGL"}, "did you mean 'dgl'"),
        ({"label_smoothing": 0.1, "loss": nn.CrossEntropyLoss()}, "label_smoothing is 0.1, which"),
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


NET = mlaan.Net("aux.1", ["linear 10"])


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"first": "0"}, "first of supervision 'local' is '0'"),
        ({"last": 1.0}, "last of supervision 'local' is 1.0"),
        ({"weight": None}, "weight of supervision 'local' is None"),
        ({"probability": "x"}, "probability of supervision 'local' is 'x'"),
        ({"name": None}, "a supervision's name is of the type NoneType"),
        ({"course": 3}, "course of supervision 'local' is of the type int"),
        ({"net": nn.Linear(3, 3)}, "net of supervision 'local' is of the type Linear; .*mlaan.Net"),
        ({"net": mlaan.Net(3, ["linear 10"])}, "a net's name is of the type int"),
        ({"net": mlaan.Net("head", ["linear 10"])}, "a net's name is 'head'"),
        ({"net": mlaan.Net("a..b", ["linear 10"])}, "a net's name is 'a..b'"),
        ({"net": mlaan.Net("a", "linear 10")}, "layers of net 'a' is of the type str"),
        ({"net": mlaan.Net("a", ["linear 10"], "x")}, "learning_rate of net 'a' is 'x'"),
    ],
)
def test_supervisions_with_wrong_fields(settings, message):
    given = {"first": 0, "last": 1, "net": NET, **settings}
    refused(
        message,
        method=lambda units, partition: [mlaan.Supervision(**given), mlaan.Supervision(0, 2)],
    )


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="oneDNN is not there")
def test_convolutions_that_onednn_corrupts_memory_in_are_refused():
    def engine(stride, **more):
        model = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.Conv2d(8, 16, 1, stride=stride),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, 10),
        )
        return mlaan.Engine(model, example=IMAGES, method="e2e", **more)

    with pytest.raises(mlaan.UserError, match="Conv2d.8, 16.*channels_last=False"):
        engine(2, channels_last=True)
    engine(2)
    engine(1, channels_last=True)
    engine(2, channels_last=True, precision="bfloat16")
