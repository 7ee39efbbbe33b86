"""The engine, compared with plain PyTorch and with itself."""

import copy

import mlaan
import pytest
import torch
from networks import ResNetCifar, batch, small_chain
from torch import nn
from torch.nn import functional

IMAGES, LABELS = batch(8)


def plain_step(model, images, labels, lr=0.1):
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4, nesterov=True
    )
    for _ in range(2):
        optimizer.zero_grad()
        logits = model(images)
        functional.cross_entropy(logits, labels).backward()
        optimizer.step()
    return logits


@pytest.mark.parametrize("make", [ResNetCifar, small_chain])
def test_end_to_end_gradients_are_those_of_backward(make):
    model = make()
    twin = copy.deepcopy(model)
    functional.cross_entropy(twin(IMAGES), LABELS).backward()
    engine = mlaan.Engine(model, example=IMAGES, method="e2e", recompute="none")
    engine.accumulate(IMAGES, LABELS)
    for (name, parameter), other in zip(model.named_parameters(), twin.parameters()):
        assert torch.equal(parameter.grad, other.grad), name


@pytest.mark.parametrize("recompute", ["none", "unit", "module"])
def test_end_to_end_steps_are_those_of_pytorchs_sgd(recompute):
    model = ResNetCifar()
    twin = copy.deepcopy(model)
    logits = plain_step(twin, IMAGES, LABELS)
    engine = mlaan.Engine(
        model, example=IMAGES, method="e2e", recompute=recompute, optimizer=mlaan.SGD(lr=0.1)
    )
    engine.step(IMAGES, LABELS)
    result = engine.step(IMAGES, LABELS)
    assert torch.equal(result.logits, logits)
    for (name, tensor), other in zip(model.state_dict().items(), twin.state_dict().values()):
        assert torch.equal(tensor, other), name


@pytest.mark.parametrize("method", ["e2e", "dgl", "predsim", "mlm", "mlaan", "mlaan-lean"])
def test_steps_are_those_of_the_engines_own_network(method):
    own = mlaan.backbone("resnet14", classes=10, shape=(3, 8, 8))
    model = ResNetCifar(blocks=2)
    model.load_state_dict(own.state_dict())
    chain = mlaan.units(model, IMAGES, name="resnet14")
    engines = [
        mlaan.Engine(network, method=method, modules=6, optimizer=mlaan.SGD(lr=0.05))
        for network in (own, chain)
    ]
    engines[1].load_state_dict(engines[0].state_dict())  # the nets' weights are drawn otherwise
    for _ in range(2):
        results = [engine.step(IMAGES, LABELS) for engine in engines]
    assert torch.equal(results[0].losses, results[1].losses)
    for name, tensor in own.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


@pytest.mark.parametrize("method", [name for name in mlaan.methods() if name != "auglocal"])
def test_every_method_trains_a_plain_chain(method):
    model = small_chain()
    before = copy.deepcopy(model.state_dict())
    engine = mlaan.Engine(
        model, example=IMAGES, method=method, modules=3, normalisation=((0, 0, 0), (1, 1, 1))
    )
    result = engine.step(IMAGES, LABELS)
    assert len(result.by_name()) == len(engine.supervisions)
    assert torch.isfinite(result.losses).all()
    assert result.logits.shape == (8, 10)
    for name, parameter in model.named_parameters():
        assert not torch.equal(parameter, before[name]), name
        assert parameter.grad is None


def test_fresh_blocks_of_a_residual_network():
    chain = mlaan.units(ResNetCifar(blocks=2), IMAGES)
    engine = mlaan.Engine(chain, method="auglocal", modules=3)
    assert torch.isfinite(engine.step(IMAGES, LABELS).losses).all()


def test_the_state_dict_is_the_plain_networks():
    model = small_chain()
    names = list(model.state_dict())
    engine = mlaan.Engine(model, example=IMAGES, method="mlaan", modules=3)
    engine.step(IMAGES, LABELS)
    assert list(model.state_dict()) == names
    plain = small_chain()
    plain.load_state_dict(model.state_dict())
    assert torch.equal(plain.eval()(IMAGES), engine.predict(IMAGES))


@pytest.mark.parametrize("method", ["mlaan", "mlaan-relay"])
@pytest.mark.parametrize("optimizer", ["own", "adamw"])
def test_a_resume_is_exact(method, optimizer):
    make = {"own": mlaan.SGD(lr=0.05), "adamw": mlaan.AdamW(lr=0.01)}[optimizer]

    def engine():
        torch.manual_seed(5)
        model = small_chain()
        return model, mlaan.Engine(model, example=IMAGES, method=method, modules=3, optimizer=make)

    straight, first = engine()
    for i in range(4):
        first.set_progress(i / 4)
        first.step(IMAGES, LABELS)
        if i == 2:
            state = first.state_dict()
    other, second = engine()
    second.load_state_dict(state)
    second.set_progress(3 / 4)
    second.step(IMAGES, LABELS)
    for name, tensor in straight.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_a_resume_with_torch_optimizers_is_exact():
    def engine():
        torch.manual_seed(5)
        model = small_chain()
        return model, mlaan.Engine(
            model,
            example=IMAGES,
            method="dgl",
            modules=3,
            optimizer=lambda parameters: torch.optim.Adam(parameters, lr=0.01),
        )

    straight, first = engine()
    first.step(IMAGES, LABELS)
    state = first.state_dict()
    first.step(IMAGES, LABELS)
    other, second = engine()
    second.load_state_dict(state)
    second.step(IMAGES, LABELS)
    for name, tensor in straight.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_torch_optimizers_step_as_the_engines_own():
    torch.manual_seed(3)
    models = [small_chain() for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    makers = [
        mlaan.SGD(lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=False),
        lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=1e-4),
    ]
    engines = [
        mlaan.Engine(model, example=IMAGES, method="dgl", modules=3, optimizer=maker)
        for model, maker in zip(models, makers)
    ]
    for engine in engines:
        engine.step(IMAGES, LABELS)
        engine.set_learning_rate(0.02)
        engine.step(IMAGES, LABELS)
    for one, two in zip(models[0].parameters(), models[1].parameters()):
        assert torch.equal(one, two)
    assert {optimizer.param_groups[0]["lr"] for optimizer in engines[1].optimizers.values()} == {
        0.02
    }


def test_recomputation_changes_no_number_and_takes_fewer_bytes():
    results = {}
    for recompute in ("none", "unit"):
        torch.manual_seed(7)
        model = ResNetCifar(blocks=2)
        engine = mlaan.Engine(model, example=IMAGES, method="e2e", recompute=recompute)
        engine.step(IMAGES, LABELS)
        before = engine.memory()["live"]
        engine.reset_peak()
        results[recompute] = engine.step(IMAGES, LABELS).losses, engine.memory()["peak"] - before
    assert torch.equal(results["none"][0], results["unit"][0])
    assert results["unit"][1] < results["none"][1]


def test_a_budget_is_kept_or_refused():
    images, labels = batch(16, side=16)

    def peak_of(**settings):
        torch.manual_seed(7)
        engine = mlaan.Engine(
            ResNetCifar(blocks=2), example=images[:2], method="e2e", batch_size=16, **settings
        )
        engine.step(images, labels)
        before = engine.memory()["live"]
        engine.reset_peak()
        engine.step(images, labels)
        return engine.memory()["peak"] - before

    free = peak_of()
    trial = mlaan.Engine(ResNetCifar(blocks=2), example=images[:2], method="e2e").trial()
    rest = trial.resting_bytes
    limit = rest + int(0.6 * free)
    assert peak_of(memory=limit) <= 0.6 * free
    with pytest.raises(mlaan.UserError, match="is not enough for a batch of 16"):
        peak_of(memory="700KiB")


def test_micro_batches_give_the_mean_of_the_batch():
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, 10))
    twin = copy.deepcopy(model)
    for network, parts in ((model, 1), (twin, 4)):
        engine = mlaan.Engine(network, example=IMAGES, method="e2e", micro_batches=parts)
        engine.step(IMAGES, LABELS)
    for one, two in zip(model.parameters(), twin.parameters()):
        assert torch.allclose(one, two, atol=1e-6)


def test_hooks_see_complete_gradients_and_may_change_them():
    model = small_chain()
    twin = copy.deepcopy(model)
    seen = []

    def clip(part, parameters):
        seen.append(part)
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), 0.01)

    mlaan.Engine(model, example=IMAGES, method="dgl", modules=3, before_update=clip).step(
        IMAGES, LABELS
    )
    mlaan.Engine(twin, example=IMAGES, method="dgl", modules=3, clip_grad=0.01).step(IMAGES, LABELS)
    assert seen[:2] == ["module 1", "aux.1.local"] or set(seen) >= {"module 1", "module 2", "head"}
    for one, two in zip(model.parameters(), twin.parameters()):
        assert torch.allclose(one, two, atol=1e-7)


def test_an_observer_sees_every_operation():
    seen = []
    engine = mlaan.Engine(
        small_chain(),
        example=IMAGES,
        method="mlm",
        modules=3,
        observer=lambda text, module: seen.append(text),
    )
    engine.step(IMAGES, LABELS)
    assert seen == engine.operations
    engine.observer = None
    engine.step(IMAGES, LABELS)
    assert len(seen) == len(engine.operations)


def test_partitions():
    def cut(**settings):
        return mlaan.Engine(
            ResNetCifar(blocks=2), example=IMAGES, method="dgl", **settings
        ).partition

    assert cut(partition=["layer1.1", "layer2.1"])[1] == ["layer2.0", "layer2.1"]
    assert [len(module) for module in cut(modules=2, partition="uniform")] == [4, 3]
    assert len(cut(modules=3, partition="bytes")) == 3
    assert len(cut()) == 6
    with pytest.raises(mlaan.UserError, match="did you mean 'bytes'"):
        cut(partition="byte")
    with pytest.raises(mlaan.UserError, match="layer1.7"):
        cut(partition=["layer1.7"])


def test_settings_of_a_method():
    engine = mlaan.Engine(
        small_chain(), example=IMAGES, method="mlm", modules=3, options={"mlm.window": 3}
    )
    assert max(item["last"] - item["first"] for item in engine.supervisions) == 2
    assert "mlm.window" in {row["key"] for row in mlaan.settings("mlm")}
    with pytest.raises(mlaan.UserError, match="mlm.windw"):
        mlaan.Engine(small_chain(), example=IMAGES, method="mlm", options={"mlm.windw": 3})
    with pytest.raises(mlaan.UserError, match="did you mean 'mlm'"):
        mlaan.Engine(small_chain(), example=IMAGES, method="mlmm")


def test_autocast_and_channels_last():
    engine = mlaan.Engine(
        small_chain(),
        example=IMAGES,
        method="dgl",
        modules=3,
        precision="bfloat16",
        channels_last=True,
    )
    result = engine.step(IMAGES, LABELS)
    assert torch.isfinite(result.losses).all()
    convolution = engine.chain.model[0][0]
    assert convolution.weight.dtype == torch.float32
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("method", ["dgl", "mlaan", "man"])
def test_a_model_of_float64_is_trained_in_it(method):
    model = small_chain().double()
    engine = mlaan.Engine(
        model,
        example=IMAGES.double(),
        method=method,
        modules=3,
        normalisation=((0, 0, 0), (1, 1, 1)),
    )
    result = engine.step(IMAGES, LABELS)
    assert result.logits.dtype == result.losses.dtype == torch.float64
    assert {parameter.dtype for parameter in engine.parameters.values()} == {torch.float64}


def test_frozen_modules_stay_as_they_are():
    model = small_chain()
    model[0][1].eval()
    model[0][0].requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    engine = mlaan.Engine(model, example=IMAGES, method="dgl", modules=3)
    engine.step(IMAGES, LABELS)
    engine.predict(IMAGES)
    engine.step(IMAGES, LABELS)
    after = model.state_dict()
    assert torch.equal(before["0.1.running_mean"], after["0.1.running_mean"])
    assert torch.equal(before["0.0.weight"], after["0.0.weight"])
    assert not torch.equal(before["1.0.weight"], after["1.0.weight"])


def test_a_model_loaded_for_evaluation_is_trained_in_training_mode():
    model = small_chain().eval()
    engine = mlaan.Engine(model, example=IMAGES, method="dgl", modules=3)
    before = model[0][1].running_mean.clone()
    engine.step(IMAGES, LABELS)
    assert not torch.equal(before, model[0][1].running_mean)
    model.eval()
    before = model[0][1].running_mean.clone()
    engine.step(IMAGES, LABELS)
    assert not torch.equal(before, model[0][1].running_mean)


def test_local_training_takes_fewer_bytes_than_end_to_end():
    images, labels = batch(16, side=16)
    peaks = {}
    for method in ("e2e", "dgl"):
        engine = mlaan.Engine(
            ResNetCifar(blocks=5), example=images, method=method, recompute="none"
        )
        engine.step(images, labels)
        before = engine.memory()["live"]
        engine.reset_peak()
        engine.step(images, labels)
        peaks[method] = engine.memory()["peak"] - before
        del engine
    assert peaks["dgl"] < 0.5 * peaks["e2e"]
