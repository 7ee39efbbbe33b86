"""Losses, nets, optimizers and methods of the user's own."""

import mlaan
import pytest
import torch
from networks import ResNetCifar, batch, small_chain
from torch import nn
from torch.nn import functional

IMAGES, LABELS = batch(8)


def train(model, steps=2, **settings):
    engine = mlaan.Engine(model, example=IMAGES, **settings)
    for _ in range(steps):
        result = engine.step(IMAGES, LABELS)
    return engine, result


def twins():
    torch.manual_seed(2)
    one, two = small_chain(), small_chain()
    two.load_state_dict(one.state_dict())
    return one, two


def equal(one, two):
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values())
    )


def test_a_loss_as_a_function_is_the_named_one():
    one, two = twins()
    train(one, method="mlm", modules=3)
    train(
        two,
        method="mlm",
        modules=3,
        loss=lambda output, labels: functional.cross_entropy(output, labels),
    )
    assert equal(one, two)


def test_a_loss_may_read_the_images():
    seen = []

    def loss(output, labels, images):
        seen.append(images.shape)
        return functional.cross_entropy(output, labels) + 0 * images.mean()

    train(small_chain(), steps=1, method="dgl", modules=3, loss=loss)
    assert seen == [IMAGES.shape] * 3


def test_a_loss_by_name():
    _, smoothed = train(small_chain(), method="dgl", modules=3, loss="cross_entropy 0.1")
    assert torch.isfinite(smoothed.losses).all()
    with pytest.raises(mlaan.UserError, match="cross_entrop"):
        train(small_chain(), method="dgl", modules=3, loss="cross_entrop")


def test_nets_of_ones_own():
    made = []

    def net(name, shape, classes):
        made.append((name, shape, classes))
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(shape[0], classes))

    engine, result = train(small_chain(), method="dgl", modules=3, nets=net)
    assert made == [("aux.1.local", (8, 8, 8), 10), ("aux.2.local", (16, 4, 4), 10)]
    assert "aux.1.local.2.weight" in engine.parameters
    assert torch.isfinite(result.losses).all()


def test_some_nets_of_ones_own_leave_the_others_their_twins():
    def net(name, shape, classes):
        if name != "aux.2.cascaded":
            return None
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(shape[0], classes))

    model = ResNetCifar(blocks=2)
    engine = mlaan.Engine(
        model,
        example=IMAGES,
        method="mlaan",
        modules=4,
        nets=net,
        options={"lam.ema_momentum": 0.5},
    )
    twins = {name: tensor.clone() for name, tensor in engine.parameters.items() if ".twin." in name}
    assert twins and not any(name.startswith("aux.2.cascaded") for name in twins)
    engine.step(IMAGES, LABELS)
    moved = [not torch.equal(twins[name], engine.parameters[name]) for name in twins]
    assert all(moved)


def dgl_by_hand(units, partition):
    last = len(partition) - 1
    supervisions = []
    for module in range(last):
        channels = partition.output_shape(module)[0]
        net = mlaan.Net(
            f"aux.{module + 1}",
            nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)),
        )
        supervisions.append(mlaan.Supervision(module, module, net))
    return [*supervisions, mlaan.Supervision(last, last, name="output")]


def test_a_method_of_ones_own_gives_the_gradients_of_its_windows():
    model = small_chain()
    engine = mlaan.Engine(model, example=IMAGES, method=dgl_by_hand, modules=3)
    engine.accumulate(IMAGES, LABELS)
    value = IMAGES
    for module, unit in enumerate(engine.chain.units):
        value = unit(value.detach())
        if module == 2:
            break
        head = (
            engine.parameters[f"aux.{module + 1}.2.weight"],
            engine.parameters[f"aux.{module + 1}.2.bias"],
        )
        loss = functional.cross_entropy(functional.linear(value.mean((2, 3)), *head), LABELS)
        parameters = [parameter for _, parameter in unit.unit_parameters()]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
            assert torch.allclose(parameter.grad, gradient, atol=1e-6)


def test_a_method_of_texts_is_the_built_in_one():
    one, two = twins()
    built, _ = train(one, method="greedy", modules=3)
    names = {item["net"] for item in built.supervisions} - {"head"}

    def greedy(units, partition):
        nets = [mlaan.Net(name, ["linear 10"]) for name in sorted(names)]
        local = [mlaan.Supervision(j, j, net, name="local") for j, net in enumerate(nets)]
        return [*local, mlaan.Supervision(2, 2, name="output")]

    train(two, method=greedy, modules=3)
    assert equal(one, two)


def test_windows_and_shared_nets():
    def windows(units, partition):
        net = mlaan.Net("shared", ["linear 10"], learning_rate=0.5)
        return [
            mlaan.Supervision(0, 1, net, weight=0.9),
            mlaan.Supervision(1, 1, net, weight=0.1),
            mlaan.Supervision(1, 2, name="output"),
        ]

    engine, result = train(small_chain(), method=windows, modules=3)
    assert [item["net"] for item in engine.supervisions] == ["shared", "shared", "head"]
    assert result.losses[0] == result.losses[1]


@pytest.mark.parametrize(
    "supervisions, message",
    [
        ([mlaan.Supervision(0, 5)], "0 to 5; a window must lie within modules 0 to 2"),
        ([mlaan.Supervision(2, 2)], "module 1 would never be trained"),
        (["local"], "gave a str among its supervisions"),
        ([mlaan.Supervision(0, 1)], "own head"),
        ([mlaan.Supervision(0, 2, weight=-1)], "weight"),
        ([mlaan.Supervision(0, 2, course="steep")], "course"),
        ([mlaan.Supervision(0, 2, loss=3)], "a loss must be a name"),
    ],
)
def test_supervisions_that_cannot_be(supervisions, message):
    with pytest.raises(mlaan.UserError, match=message):
        train(small_chain(), method=lambda units, partition: supervisions, modules=3)


def test_phases_hand_over():
    model = ResNetCifar(blocks=2)
    engine = mlaan.Engine(model, example=IMAGES, method="mlaan-relay")
    first = len(engine.supervisions)
    engine.step(IMAGES, LABELS)
    engine.set_progress(1.0)
    assert len(engine.supervisions) == 1 < first
    engine.step(IMAGES, LABELS)
    with pytest.raises(mlaan.UserError, match="phases"):
        mlaan.Engine(
            model,
            example=IMAGES,
            method="mlaan-relay",
            optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1),
        )
