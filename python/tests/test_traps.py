"""What could go wrong: exceptions, interrupts, references, leaks, processes."""

import gc
import os
import signal
import sys
import threading
import traceback

import mlaan
import pytest
import torch
from networks import batch, small_chain
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

IMAGES, LABELS = batch(8)


class Moody(nn.Module):
    """Fails when asked to."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.mood = None

    def forward(self, x):
        if self.mood is not None and self.training:
            self.mood()
        return self.conv(x)


def moody_chain():
    return nn.Sequential(
        nn.Conv2d(3, 3, 3, padding=1),
        Moody(),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )


def fail():
    raise ZeroDivisionError("in a bad mood")


@pytest.mark.parametrize("method", ["e2e", "mlm", "checkpoint"])
def test_a_units_exception_comes_out_and_the_engine_goes_on(method):
    def run(break_it):
        torch.manual_seed(3)
        model = moody_chain()
        engine = mlaan.Engine(model, example=IMAGES, method=method, modules=3)
        engine.step(IMAGES, LABELS)
        state = engine.state_dict()
        if break_it:
            model[1].mood = fail
            with pytest.raises(ZeroDivisionError, match="bad mood") as caught:
                engine.step(IMAGES, LABELS)
            frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
            assert frames[-2:] == ["forward", "fail"]
            assert all(parameter.grad is None for parameter in model.parameters())
            model[1].mood = None
            engine.load_state_dict(state)  # modules that were updated before stay so
        return engine.step(IMAGES, LABELS).losses

    assert torch.equal(run(False), run(True))


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise KeyError("backwards")


def test_an_exception_of_a_backward_pass_comes_out():
    model = moody_chain()
    engine = mlaan.Engine(model, example=IMAGES, method="dgl", modules=3)
    handle = model[1].register_forward_hook(lambda module, given, result: Backwards.apply(result))
    with pytest.raises(KeyError, match="backwards"):
        engine.step(IMAGES, LABELS)
    handle.remove()
    assert torch.isfinite(engine.step(IMAGES, LABELS).losses).all()


def test_exceptions_of_losses_hooks_observers_and_optimizers_come_out():
    def failing(*_, **__):
        fail()

    for settings in ({"loss": failing}, {"before_update": failing}, {"observer": failing}):
        engine = mlaan.Engine(small_chain(), example=IMAGES, method="dgl", modules=3, **settings)
        with pytest.raises(ZeroDivisionError):
            engine.step(IMAGES, LABELS)
        assert all(parameter.grad is None for parameter in engine.chain.parameters())


@pytest.fixture
def interruptible():
    """A shell starts processes in the background with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_the_step_and_the_engine_goes_on(interruptible):
    model = moody_chain()
    engine = mlaan.Engine(model, example=IMAGES, method="dgl", modules=3)
    model[1].mood = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        engine.step(IMAGES, LABELS)
    model[1].mood = None
    engine.step(IMAGES, LABELS)


def test_other_threads_run_during_a_step_and_a_second_step_is_refused():
    model = moody_chain()
    engine = mlaan.Engine(model, example=IMAGES, method="dgl", modules=3)
    errors = []

    def second():
        try:
            engine.step(IMAGES, LABELS)
        except mlaan.Error as error:
            errors.append(str(error))

    def meanwhile():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(30)

    model[1].mood = meanwhile
    engine.step(IMAGES, LABELS)
    assert len(errors) == 1 and "in the middle of a step" in errors[0]


def test_references_held_in_python_change_no_result():
    kept = []

    def run(hold):
        torch.manual_seed(3)
        model = small_chain()
        if hold:
            for module in model.modules():
                module.register_forward_hook(lambda *all: kept.append(all[1:]))
        engine = mlaan.Engine(
            model,
            example=IMAGES,
            method="mlaan",
            modules=3,
            before_update=(
                lambda part, parameters: kept.append(
                    [parameter.grad for parameter in parameters.values()]
                )
            )
            if hold
            else None,
        )
        for _ in range(3):
            result = engine.step(IMAGES, LABELS)
            if hold:
                kept.append((result.losses, result.logits))
        return [tensor.clone() for tensor in model.state_dict().values()]

    assert all(torch.equal(one, two) for one, two in zip(run(False), run(True)))


def test_gradients_that_a_hook_keeps_stay_as_they_were():
    kept = []
    engine = mlaan.Engine(small_chain(), example=IMAGES, method="dgl", modules=3)
    engine.before_update = lambda part, parameters: kept.extend(
        (parameter.grad, parameter.grad.clone()) for parameter in parameters.values()
    )
    engine.step(IMAGES, LABELS)
    assert kept and all(torch.equal(one, two) for one, two in kept)


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "mlaan"},
        {"method": "e2e", "recompute": "unit"},
        {
            "method": "dgl",
            "loss": lambda output, labels: nn.functional.cross_entropy(output, labels),
            "before_update": lambda part, parameters: None,
            "observer": lambda text, module: None,
            "optimizer": lambda parameters: torch.optim.SGD(parameters, lr=1e-3),
        },
    ],
)
def test_a_thousand_steps_leak_nothing(settings):
    images, labels = torch.randn(4, 3, 4, 4), torch.tensor([0, 1, 2, 3])
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    )
    settings = {"optimizer": mlaan.SGD(lr=1e-3), **settings}
    engine = mlaan.Engine(model, example=images, modules=2, **settings)
    for _ in range(5):
        engine.step(images, labels)

    def count():
        gc.collect()
        references = sum(
            sys.getrefcount(item) for item in [model, images, labels, *model.parameters()]
        )
        return engine.memory()["live"], len(gc.get_objects()), references

    before = count()
    for _ in range(1000):
        engine.step(images, labels)
    after = count()
    assert after[0] == before[0]
    assert abs(after[1] - before[1]) < 50
    assert after[2] == before[2]


def test_an_engine_that_is_dropped_frees_what_it_held():
    images, labels = batch(4)
    gc.collect()
    before = mlaan._engine.read_memory()["live"]
    seen = []
    for _ in range(3):
        engine = mlaan.Engine(small_chain(), example=images, method="mlaan", modules=3)
        engine.observer = lambda text, module, engine=engine: seen.append(text)  # a cycle
        engine.step(images, labels)
        del engine
        gc.collect()
    assert mlaan._engine.read_memory()["live"] == before


def count_of(index):
    return torch.tensor(index)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_data_loaders_processes(context):
    engine = mlaan.Engine(small_chain(), example=IMAGES, method="dgl", modules=3)
    engine.step(IMAGES, LABELS)
    loader = DataLoader(
        TensorDataset(IMAGES, LABELS), batch_size=4, num_workers=2, multiprocessing_context=context
    )
    losses = [engine.step(images, labels).loss for images, labels in loader]
    assert len(losses) == 2


def test_torch_may_be_imported_after_mlaan():
    code = "import mlaan, torch; print(mlaan.Engine.__name__, torch.ones(2).sum().item())"
    assert os.popen(f"{sys.executable} -c '{code}'").read().split() == ["Engine", "2.0"]
