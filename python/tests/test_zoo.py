"""Networks of torchvision and timm: cut, and trained for a step."""

import mlaan
import pytest
import torch

METHODS = ["e2e", "dgl", "mlaan"]


def train_a_step(model, side, units, method, **settings):
    images, labels = torch.randn(3, 3, side, side), torch.tensor([0, 1, 2])
    chain = mlaan.units(model, images[:2])
    assert len(chain) == units
    engine = mlaan.Engine(chain, method=method, modules=3, optimizer=mlaan.SGD(lr=1e-3), **settings)
    assert torch.isfinite(engine.step(images, labels).losses).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "name, side, units, settings",
    [
        ("resnet18", 32, 9, {}),
        ("mobilenet_v3_small", 32, 13, {}),
        ("regnet_x_400mf", 32, 23, {}),
        ("squeezenet1_1", 32, 9, {}),
    ],
)
def test_torchvision(name, side, units, settings, method):
    models = pytest.importorskip("torchvision.models")
    train_a_step(getattr(models, name)(num_classes=10, **settings), side, units, method)


@pytest.mark.parametrize("method", [*METHODS, "mlaan-lean"])
def test_torchvisions_transformers(method):
    models = pytest.importorskip("torchvision.models")
    model = models.VisionTransformer(
        image_size=32,
        patch_size=8,
        num_layers=3,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=32,
        num_classes=10,
    )
    train_a_step(model, 32, 4, method)


@pytest.mark.parametrize("method", [*METHODS, "mlaan-lean"])
def test_torchvisions_swins_pass_maps_with_channels_first(method):
    models = pytest.importorskip("torchvision.models")
    model = models.SwinTransformer([4, 4], 16, [1, 2], [2, 2], [2, 2], num_classes=10)
    train_a_step(model, 32, 5, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "name, side, units, settings",
    [
        ("resnet10t", 32, 7, {}),
        ("regnetx_002", 32, 14, {}),
        ("mobilenetv3_small_050", 32, 14, {}),
        ("vit_tiny_patch16_224", 32, 14, {"img_size": 32}),
    ],
)
def test_timm(name, side, units, settings, method):
    timm = pytest.importorskip("timm")
    train_a_step(timm.create_model(name, num_classes=10, **settings), side, units, method)


@pytest.mark.parametrize("mixes", ["MixerBlock", "ResBlock", "SpatialGatingBlock"])
def test_copies_that_mix_tokens_need_as_many_as_their_units(mixes):
    mixers = pytest.importorskip("timm.models.mlp_mixer")
    settings = {"img_size": 32, "patch_size": 8, "num_blocks": 3, "embed_dim": 16}
    if mixes == "SpatialGatingBlock":
        settings.update(mlp_ratio=4, mlp_layer=mixers.GatedMlp)
    elif mixes == "ResBlock":
        settings.update(mlp_ratio=4, norm_layer=mixers.Affine)
    model = mixers.MlpMixer(num_classes=10, block_layer=getattr(mixers, mixes), **settings)
    with pytest.raises(mlaan.UserError, match="cannot take what module.*lean.pool = 1"):
        train_a_step(model, 32, 4, "mlaan-lean")
    train_a_step(model, 32, 4, "mlaan-lean", options={"lean.pool": 1})
