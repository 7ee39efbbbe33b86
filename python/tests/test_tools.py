"""Planning, comparing, reading runs, fused blocks, costs."""

import copy
import math
import pickle
import subprocess

import mlaan
import pytest
import torch
from networks import ResNetCifar, batch, small_chain
from program import COMMAND
from torch import nn
from torch.nn import functional

IMAGES, LABELS = batch(8)


def test_what_a_plan_foretells_is_what_a_step_takes():
    images, labels = batch(16, side=16)
    rows = mlaan.plan(
        ResNetCifar(),
        example=images[:2],
        batch_size=16,
        methods=["mlaan-lean", "e2e"],
        modules=[3],
        seconds=False,
    )
    assert {(row["method"], row["recompute"]) for row in rows} == {
        (method, kind) for method in ("mlaan-lean", "e2e") for kind in ("none", "auto")
    }
    for row in rows:
        engine = mlaan.Engine(ResNetCifar(), example=images[:2], **row["engine"])
        engine.step(images, labels)
        trial = engine.trial()
        if row["recompute"] == "auto":
            trial.reduce_peak(16, 0, 1)
        rest = trial.resting_bytes
        del trial
        before = engine.memory()["live"]
        engine.reset_peak()
        engine.step(images, labels)
        above = engine.memory()["peak"] - before
        assert above == pytest.approx(row["peak_bytes"] - rest, rel=0.02), row


def test_a_plan_within_a_budget_puts_what_fits_first():
    images, _ = batch(16, side=16)
    rows = mlaan.plan(
        ResNetCifar(),
        example=images[:2],
        batch_size=16,
        memory="3MiB",
        methods=["dgl", "e2e"],
        modules=[3],
    )
    fits = [row["fits"] for row in rows]
    assert fits == sorted(fits, reverse=True) and True in fits and False in fits
    assert all((row["peak_bytes"] <= 3 * 2**20) == row["fits"] for row in rows)
    assert all(row["step_seconds"] > 0 for row in rows)


def test_a_comparison_has_a_row_for_each_method_seed_and_epoch():
    batches = [(IMAGES, LABELS)] * 3
    seen = []
    rows = mlaan.compare(
        small_chain,
        ["e2e", ("wide", {"method": "mlm", "options": {"mlm.window": 3}})],
        batches,
        batches,
        example=IMAGES,
        epochs=2,
        seeds=(0, 1),
        modules=3,
        progress=seen.append,
    )
    assert rows == seen
    assert [(row["method"], row["seed"], row["epoch"]) for row in rows] == [
        (method, seed, epoch) for seed in (0, 1) for method in ("e2e", "wide") for epoch in (1, 2)
    ]
    assert all(0 <= row["test_error"] <= 100 and row["peak_bytes"] > 0 for row in rows)
    again = mlaan.compare(
        small_chain, ["e2e"], batches, batches, example=IMAGES, epochs=2, modules=3
    )
    assert [row["train_loss"] for row in again] == [row["train_loss"] for row in rows[:2]]


def test_plots_have_a_point_for_each_method(tmp_path):
    rows = [
        {
            "method": method,
            "seed": seed,
            "epoch": epoch,
            "test_error": 10.0 * epoch + seed,
            "peak_bytes": size,
        }
        for method, size in (("e2e", 2e8), ("dgl", 1e8))
        for seed in (0, 1)
        for epoch in (1, 2)
    ]
    picture = mlaan.plot(rows, tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text() == picture
    assert picture.startswith("<svg") and ">e2e<" in picture and ">dgl<" in picture
    with pytest.raises(mlaan.UserError, match="no column 'test_eror'"):
        mlaan.plot(rows, y="test_eror")


def test_the_cosine_ends_at_nothing():
    rate = mlaan.cosine(0.2)
    assert rate(0) == 0.2 and rate(0.5) == pytest.approx(0.1) and rate(1) == pytest.approx(0)


def test_costs_are_those_of_one_image():
    engine = mlaan.Engine(small_chain(), example=IMAGES, method="dgl", modules=3)
    row = engine.costs()[0]
    assert row["name"] == "module 1" and row["units"] == ["0.0"]
    assert row["parameters"] == 3 * 8 * 9 + 8 + 16
    assert row["multiply_adds"] == 3 * 8 * 9 * 64
    assert row["activation_bytes"] > 0


def run_program(*arguments):
    subprocess.run([*COMMAND, *arguments], check=True, capture_output=True)


SMALL = ["--dataset", "procedural", "--model", "resnet8", "--epochs", "2", "-b", "16"]
SMALL += ["--train-limit", "64", "--modules", "2"]


@pytest.mark.skipif(not COMMAND, reason="the program was not built")
def test_the_programs_runs_are_read(tmp_path):
    run_program(
        "train", *SMALL, "--method", "dgl", "--set", "log.steps=1", "--output", f"{tmp_path}/run"
    )
    run = mlaan.read_run(tmp_path / "run")
    assert run.summary["method"] == "dgl"
    assert [row["epoch"] for row in run.metrics] == [1, 2]
    assert len(run.steps) == 8
    assert run.steps[0]["losses.output 2..2"] == run.steps[0]["loss"]
    check_columns(run.metrics)
    check_columns(run.steps)
    with pytest.raises(mlaan.UserError, match="no folder of a run"):
        mlaan.read_run(tmp_path)


@pytest.mark.skipif(not COMMAND, reason="the program was not built")
def test_the_programs_comparisons_are_read(tmp_path):
    run_program("compare", *SMALL, "--methods", "e2e,dgl", "--output", f"{tmp_path}/compared")
    rows = mlaan.read_comparison(tmp_path / "compared")
    assert [row["method"] for row in rows] == ["e2e", "dgl"]
    check_columns(rows)
    assert mlaan.plot(rows).startswith("<svg")


def check_columns(rows):
    """Of each column all values are of one type, as a table of numbers needs them."""
    for key in rows[0]:
        kinds = {type(row[key]) for row in rows}
        assert kinds <= {int, float} or len(kinds) == 1, (key, kinds)
        assert not kinds & {dict, type(None)}, key


def test_what_is_being_written_is_read_and_what_is_damaged_is_named(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch,train_loss,average\n1,2.5,\n")
    (tmp_path / "steps.jsonl").write_text('{"step": 1, "losses": {"a": 2.0}}\n{"step": 2, "lo')
    run = mlaan.read_run(tmp_path)
    assert run.steps == [{"step": 1, "losses.a": 2.0}]
    assert run.metrics[0]["epoch"] == 1 and math.isnan(run.metrics[0]["average"])
    (tmp_path / "steps.jsonl").write_text("{}\nnonsense\n")
    with pytest.raises(mlaan.UserError, match="steps.jsonl, line 2 is damaged"):
        mlaan.read_run(tmp_path)
    (tmp_path / "comparison.json").write_text("[")
    with pytest.raises(mlaan.UserError, match="comparison.json is damaged"):
        mlaan.read_comparison(tmp_path)


def test_rows_are_fit_for_pandas():
    pandas = pytest.importorskip("pandas")
    batches = [(IMAGES, LABELS)] * 2
    rows = mlaan.compare(small_chain, ["e2e"], batches, batches, example=IMAGES, epochs=2)
    table = pandas.DataFrame(rows).groupby("method").last()
    assert table.loc["e2e", "epoch"] == 2
    assert mlaan.plot(pandas.DataFrame(rows)) == mlaan.plot(rows)
    planned = mlaan.plan(
        small_chain(), example=IMAGES, batch_size=8, methods=["dgl"], modules=[2], seconds=False
    )
    assert list(pandas.DataFrame(planned)["modules"]) == [2, 2]


def steps_of(model, images, labels):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return model.state_dict()


@pytest.mark.parametrize("bottleneck", [False, True])
def test_fused_blocks_give_the_same_bits(bottleneck):
    models = pytest.importorskip("torchvision.models")
    model = (models.resnet50 if bottleneck else models.resnet18)(num_classes=10)
    fused = copy.deepcopy(model)
    assert mlaan.nn.fuse(fused) == (16 if bottleneck else 8)
    assert list(fused.state_dict()) == list(model.state_dict())
    images, labels = torch.randn(2, 3, 64, 64), torch.tensor([1, 2])
    states = steps_of(model, images, labels), steps_of(fused, images, labels)
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_fused_blocks_can_be_copied_and_saved():
    models = pytest.importorskip("torchvision.models")
    images = torch.randn(2, 3, 32, 32)
    for model in (models.resnet18(num_classes=10), models.resnet50(num_classes=10)):
        mlaan.nn.fuse(model)
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert type(twin.layer1[0]).__name__ == type(model.layer1[0]).__name__
            assert mlaan.nn.fuse(twin) == 0
            assert torch.equal(twin(images), model(images))


def costs_of(model, images, labels, **settings):
    """The bytes that an end-to-end step adds at its highest, and the gradients that it gives."""
    start = copy.deepcopy(model.state_dict())
    engine = mlaan.Engine(model, example=images[:2], method="e2e", **settings)
    before = engine.memory()["live"]
    engine.reset_peak()
    engine.accumulate(images, labels)
    peak = engine.memory()["peak"] - before
    gradients = [parameter.grad for parameter in model.parameters()]
    del engine
    model.zero_grad(set_to_none=True)
    model.load_state_dict(start)
    return peak, gradients


def fused_resnet18():
    models = pytest.importorskip("torchvision.models")
    model = models.resnet18(num_classes=10)
    mlaan.nn.fuse(model)
    return model, torch.randn(4, 3, 64, 64), torch.tensor([1, 2, 3, 4])


def test_fused_blocks_recompute_activations_where_an_engine_asks_for_it():
    model, images, labels = fused_resnet18()
    kept, gradients = costs_of(model, images, labels, recompute="none")
    recomputed, same = costs_of(model, images, labels, recompute="activation")
    assert recomputed < kept
    assert all(torch.equal(*pair) for pair in zip(gradients, same))


def test_fused_blocks_do_without_our_kernels_where_asked():
    model, images, labels = fused_resnet18()
    model, images = model.double(), images.double()
    own, gradients = costs_of(model, images, labels, kernels="own")
    reference, others = costs_of(model, images, labels, kernels="reference")
    assert own < reference
    for one, other in zip(gradients, others):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_blocks_of_ones_own_are_fused():
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        mlaan.nn.BasicBlock(16, 32, 2),
        mlaan.nn.Bottleneck(32, 8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    engine = mlaan.Engine(model, example=IMAGES, method="mlaan-lean", modules=3)
    assert torch.isfinite(engine.step(IMAGES, LABELS).losses).all()
    with pytest.raises(mlaan.UserError, match="without bias"):
        mlaan.nn.norm_relu_conv(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3), IMAGES)
