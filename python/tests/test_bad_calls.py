"""Bad states, and bad calls of the functions beside the engine."""

import mlaan
import pytest
import torch
from bad_use import IMAGES, LABELS, make_engine
from networks import small_chain
from torch import nn

ONE_HOT = torch.eye(10)[LABELS]


# States


MOMENT = "optimizer.6.bias.momentum_buffer"


def changed(state, key, name, value):
    return {**state, key: {**state[key], name: value}}


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda state: 3, "the state is of the type int"),
        (lambda state: {}, "the state has no 'progress'"),
        (lambda state: {**state, "tensors": {}}, "tensor '.*' is missing"),
        (lambda state: changed(state, "tensors", "more", torch.ones(1)), "has the tensor 'more'"),
        (lambda state: changed(state, "tensors", "6.bias", torch.ones(3)), r"of shape \(3,\)"),
        (
            lambda state: changed(state, "tensors", "6.bias", 3),
            "'6.bias' of the state is of the type",
        ),
        (lambda state: changed(state, "tensors", "6.bias", torch.ones(10).double()), "float64"),
        (lambda state: {**state, "steps_done": -1}, "steps_done is -1"),
        (lambda state: {**state, "optimizer": 3}, "optimizer is of the type int"),
        (
            lambda state: changed(state, "optimizer", MOMENT, 3),
            "'optimizer.*' of the state is of the",
        ),
        (lambda state: changed(state, "optimizer", MOMENT, torch.ones(1)), "has another shape"),
        (
            lambda state: changed(state, "optimizer", "x.y", torch.ones(1)),
            "the moment 'x.y', of no",
        ),
        (lambda state: {**state, "loss_scale": 3}, "loss_scale is of the type int"),
        (lambda state: {**state, "progress": "x"}, "progress is 'x'"),
        (lambda state: {**state, "kind": "adamw"}, "kind adamw, and this engine's .* kind sgd"),
    ],
)
def test_states_that_are_none(change, message):
    engine = make_engine()
    engine.step(IMAGES, LABELS)
    state = engine.state_dict()
    engine.step(IMAGES, LABELS)
    before = engine.state_dict()
    with pytest.raises(mlaan.UserError, match=message):
        engine.load_state_dict(change(state))
    assert before["steps_done"] == engine.state_dict()["steps_done"]
    for name, tensor in engine.state_dict()["optimizer"].items():
        assert torch.equal(tensor, before["optimizer"][name]), name
    for name, tensor in engine.state_dict()["tensors"].items():
        assert torch.equal(tensor, before["tensors"][name]), name


@pytest.mark.parametrize("broken", [{}, {"state": {}, "param_groups": []}, 3])
def test_a_damaged_state_of_a_torch_optimizer_changes_nothing(broken):
    engine = make_engine(optimizer=lambda p: torch.optim.Adam(p, lr=0.01))
    engine.step(IMAGES, LABELS)
    state = engine.state_dict()
    engine.step(IMAGES, LABELS)
    before = engine.state_dict()
    with pytest.raises(mlaan.UserError, match="state cannot be loaded|is of the type int"):
        engine.load_state_dict({**state, "optimizers": {**state["optimizers"], "module 2": broken}})
    after = engine.state_dict()
    assert all(
        torch.equal(after["tensors"][key], value) for key, value in before["tensors"].items()
    )
    moments = [each["optimizers"]["module 1"]["state"][0]["exp_avg"] for each in (before, after)]
    assert torch.equal(*moments)


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
        (lambda: mlaan.units(None, IMAGES), "is of the type NoneType and cannot be cut"),
        (lambda: mlaan.units([1, 2], IMAGES), "piece 0 is of the type int"),
        (lambda: mlaan.backbone("resnet18x"), "did you mean 'resnet18'"),
        (lambda: mlaan.backbone(3), "name is of the type int"),
        (lambda: mlaan.backbone("resnet8", classes=0), "classes is 0"),
        (lambda: mlaan.plan(small_chain(), example=IMAGES, batch_size=0), "batch_size is 0"),
        (lambda: plan_of(["dgll"]), "the first one was refused: unknown method 'dgll'"),
        (lambda: plan_of([]), "methods is empty"),
        (lambda: plan_of(["dgl"], recompute=[]), "recompute is empty"),
        (lambda: compare(small_chain()), "make_model is of the type Sequential"),
        (lambda: compare(methods="dgl"), "methods is of the type str"),
        (lambda: compare(epochs=0), "epochs is 0"),
        (lambda: compare(seeds=3), "seeds is of the type int"),
        (lambda: compare(lr="x"), "lr is 'x'"),
        (lambda: compare(make_model=lambda: None), "what make_model returned is of the type None"),
        (lambda: compare(methods=[("a", "b")]), r"an item of methods is \('a', 'b'\)"),
        (lambda: compare(train=None), "train is of the type NoneType"),
        (lambda: compare(train=[{"x": IMAGES}]), "an item of train is of the type dict"),
        (lambda: compare(train=[(IMAGES, LABELS, 1)]), "an item of train .* with 3 items"),
        (lambda: mlaan.test_error(make_engine(), [IMAGES]), "an item of batches is of the type T"),
        (lambda: mlaan.test_error(make_engine(), [(IMAGES, ONE_HOT)]), "accepted for a test error"),
        (lambda: mlaan.test_error(small_chain(), []), "engine is of the type Sequential"),
        (lambda: mlaan.cosine("x"), "lr is 'x'"),
        (lambda: mlaan.settings(None), "method is of the type NoneType"),
        (lambda: plan_of(["dgl"], modules=3), "modules is of the type int; accepted: a list"),
        (lambda: plan_of(["dgl"], recompute="auto"), "recompute is of the type str"),
        (lambda: mlaan.plan(mlaan.backbone("resnet8"), batch_size=8), "NamedModel.*mlaan plan"),
        (lambda: mlaan.plot({"x": 1}), "rows is of the type dict"),
        (lambda: mlaan.plot([{"peak_bytes": 1, "test_error": "x"}]), "column 'test_error' is 'x'"),
        (lambda: mlaan.read_run(None), "folder is of the type NoneType"),
        (lambda: mlaan.prepare_process("2"), "threads is '2'"),
        (lambda: mlaan.backbone("resnet8", shape=3), "shape is of the type int"),
        (lambda: mlaan.units(nn.ModuleList([nn.Linear(3, 3)]), IMAGES), "no forward pass; acc"),
        (lambda: mlaan.units(nn.Linear, IMAGES), "`model` is the class Linear and cannot be cut"),
        (lambda: mlaan.nn.fuse(None), "`model` is of the type NoneType"),
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
