"""Steps of a Python ResNet-32 against those of the methods' published codes."""

import mlaan
import pytest
import torch
from networks import ResNetCifar
from reference import network_input, read_reference
from torch.nn import functional

#: Absolute, of losses and logits; of a gradient's largest entry, and what share of the gradients
#: must come so near; norm of a gradient's difference, of its own; what is rounding, of the largest
#: entry of all. In float32 an activation that rounds to the other side of zero turns gradients on.
TOLERANCES = {
    torch.float64: (1e-6, 1e-5, 1.0, 1e-5, 1e-12),
    torch.float32: (1e-4, 2e-3, 0.75, 3e-2, 1e-5),
}


def of_mlaan(name):
    return name.replace("leap.0.copy.", "leap.0.").replace("leap.0.twin.", "ema.0.")


def of_dgl(name):
    name = name.replace(".local.", ".classifier.head.")
    for own, place in (("conv1.", "0."), ("bn1.", "1."), ("fc1.", "5."), ("fc2.", "7.")):
        name = name.replace(own, place)
    return name


def of_predsim(name):
    name = name.replace("local.classifier.fc.", "classifier.head.2.")
    return name.replace("local.similarity.filter1.", "similarity.decoder.0.")


REFERENCES = {
    "mlaan-resnet32-k8": ("mlaan", 8, {"mlm.published_code": True}, of_mlaan, {}),
    "dgl-resnet32-k16": ("dgl", 16, {}, of_dgl, {"local": "classifier"}),
    "predsim-resnet32-k16": (
        "predsim",
        16,
        {"predsim.features": 2048},
        of_predsim,
        {"local.classifier": "classifier", "local.similarity": "similarity"},
    ),
}


def file_name(name, name_of):
    return name_of(name) if name.startswith("aux.") else f"backbone.{name}"


def make_engine(file, reference, network):
    method, modules, options, name_of, _ = REFERENCES[file]
    engine = mlaan.Engine(
        network, method=method, modules=modules, options=options, recompute="none"
    )
    with torch.no_grad():
        for name, parameter in engine.parameters.items():
            parameter.copy_(reference["weight." + file_name(name, name_of)])
    assert len(engine.parameters) == sum(name.startswith("weight.") for name in reference)
    return engine


def check_losses(reference, engine, result, kinds, tolerance):
    for supervision, loss in zip(engine.supervisions, result.losses):
        kind = kinds.get(supervision["name"], supervision["name"])
        name = f"loss.{supervision['last'] + 1}.{kind}" if kind != "output" else "train.head_loss"
        assert float(loss) == pytest.approx(float(reference[f"expect.{name}"]), abs=tolerance), name


def check_gradients(reference, engine, name_of, tolerances):
    _, near, share, norm, rounding = tolerances
    expected = {name: tensor for name, tensor in reference.items() if name.startswith("grad.")}
    largest = max(float(tensor.abs().max()) for tensor in expected.values())
    compared = found = 0
    for name, parameter in engine.parameters.items():
        gradient = expected.get("grad." + file_name(name, name_of))
        assert (gradient is not None) == parameter.requires_grad, name
        if gradient is None:
            continue
        compared += 1
        difference = (parameter.grad - gradient).abs().max()
        if difference <= rounding * largest:
            found += 1
            continue
        assert (parameter.grad - gradient).norm() <= norm * gradient.norm(), name
        found += int(difference <= near * gradient.abs().max())
    assert compared == len(expected)
    assert found >= share * compared


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("file", REFERENCES)
def test_a_step_is_that_of_the_published_code(file, dtype):
    _, _, _, name_of, kinds = REFERENCES[file]
    reference = read_reference(file)
    images, labels = network_input(reference, dtype), reference["input.label"]
    model, tolerances = ResNetCifar(blocks=5).to(dtype), TOLERANCES[dtype]
    engine = make_engine(file, reference, mlaan.units(model, images, name="resnet32"))

    logits = engine.predict(images)
    highest = max(1.0, float(reference["expect.eval.logits"].abs().max()))
    assert (logits - reference["expect.eval.logits"]).abs().max() <= tolerances[0] * highest
    loss = float(functional.cross_entropy(logits, labels))
    assert loss == pytest.approx(float(reference["expect.eval.loss"]), abs=tolerances[0])

    result = engine.accumulate(images, labels)
    assert (result.logits - reference["expect.train.logits"]).abs().max() <= tolerances[0]
    check_losses(reference, engine, result, kinds, tolerances[0])
    check_gradients(reference, engine, name_of, tolerances)
    for name, buffer in model.named_buffers():
        after = reference.get(f"after.backbone.{name}")
        assert after is None or torch.allclose(buffer.float(), after.float(), atol=1e-5), name


@pytest.mark.parametrize("file", REFERENCES)
def test_a_step_is_to_the_last_bit_that_of_the_librarys_network(file):
    reference = read_reference(file)
    images, labels = network_input(reference, torch.float32), reference["input.label"]
    own = mlaan.backbone("resnet32")
    model = mlaan.units(ResNetCifar(blocks=5), images, name="resnet32")
    engines = [make_engine(file, reference, network) for network in (own, model)]
    for _ in range(2):
        results = [engine.step(images, labels) for engine in engines]
        assert torch.equal(results[0].losses, results[1].losses)
        assert torch.equal(results[0].logits, results[1].logits)
    for name, parameter in engines[0].parameters.items():
        assert torch.equal(parameter, engines[1].parameters[name]), name
