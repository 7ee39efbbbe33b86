"""Networks of torchvision and timm: what a step takes by four methods, or why it is refused.

    python networks.py [NAME ...]

Prints rows of a Markdown table: units, whether the gradients of `e2e` are those of
loss.backward() to the last bit, and peak bytes of a step on four images above what lives between
steps, in up to four modules.
"""

import argparse
import copy
import gc
import sys
import warnings

import mlaan
import torch
from torch.nn import functional

METHODS = ("e2e", "dgl", "mlaan", "mlaan-lean")
SMALL_TRANSFORMER = {
    "patch_size": 8,
    "num_layers": 4,
    "num_heads": 4,
    "hidden_dim": 64,
    "mlp_dim": 128,
}
SMALL_SWIN = {
    "patch_size": [4, 4],
    "embed_dim": 48,
    "depths": [2, 2, 2],
    "num_heads": [2, 4, 8],
    "window_size": [4, 4],
}


def of_torchvision():
    from torchvision import models

    plain = (
        "resnet18 resnet50 resnext50_32x4d wide_resnet50_2 convnext_tiny vgg11_bn efficientnet_b0 "
        "efficientnet_v2_s mobilenet_v2 mobilenet_v3_small mobilenet_v3_large regnet_x_400mf "
        "regnet_y_400mf densenet121 shufflenet_v2_x1_0 squeezenet1_1 mnasnet0_5"
    )
    for name in plain.split():
        if hasattr(models, name):
            yield name, 64, lambda name=name: getattr(models, name)(num_classes=10)
    settings = {"num_classes": 10, "aux_logits": False, "init_weights": False}
    yield "googlenet", 64, lambda: models.GoogLeNet(**settings)
    transformer = {"image_size": 64, "num_classes": 10, **SMALL_TRANSFORMER}
    yield "VisionTransformer", 64, lambda: models.VisionTransformer(**transformer)
    yield "SwinTransformer", 64, lambda: models.SwinTransformer(num_classes=10, **SMALL_SWIN)
    block = getattr(models.swin_transformer, "SwinTransformerBlockV2", None)
    if block is not None:
        merging = models.swin_transformer.PatchMergingV2
        second = {"block": block, "downsample_layer": merging, **SMALL_SWIN}
        yield (
            "SwinTransformer v2",
            64,
            lambda: models.SwinTransformer(num_classes=10, **second),
        )


def of_timm():
    import timm

    plain = (
        "resnet18 resnet50d resnext50_32x4d seresnet50 convnext_atto convnextv2_atto vgg11_bn "
        "efficientnet_b0 tf_efficientnetv2_b0 mobilenetv2_100 mobilenetv3_small_100 "
        "mobilenetv3_large_100 regnetx_002 regnety_002 densenet121"
    )
    of_fixed_size = (
        "vit_tiny_patch16_224 deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 "
        "vit_little_patch16_reg4_gap_256 vit_small_patch16_dinov3 "
        "swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 mixer_s16_224 resmlp_12_224 "
        "gmlp_ti16_224 gmixer_12_224"
    )
    for name in plain.split() + of_fixed_size.split():
        settings = {"img_size": 64} if name in of_fixed_size else {}
        if name == "swin_tiny_patch4_window7_224":
            settings["window_size"] = 4
        yield (
            name,
            64,
            lambda name=name, settings=settings: timm.create_model(
                name, num_classes=10, **settings
            ),
        )


def without_chance(model):
    """Without dropout and stochastic depth, which the engine draws from streams of its own."""
    for module in model.modules():
        for name in ("p", "drop_prob"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    return model


def same_gradients(make, images, labels):
    """Whether end-to-end through the engine gives the bits of loss.backward()."""
    model = without_chance(make())
    plain = copy.deepcopy(model)
    functional.cross_entropy(plain.train()(images), labels).backward()
    engine = mlaan.Engine(model, example=images[:2], method="e2e", modules=1, recompute="none")
    engine.accumulate(images, labels)
    pairs = zip(model.parameters(), plain.parameters())
    return all(one.grad is None or torch.equal(one.grad, two.grad) for one, two in pairs)


def cell_of(make, method, images, labels):
    """Peak bytes of a step above what lives between steps, in MiB, or why it is refused."""
    refusal = ""
    for options in ({}, {"lean.pool": 1}) if method == "mlaan-lean" else ({},):
        try:
            peak = f"{peak_of(make, method, options, images, labels):.1f}"
        except mlaan.UserError as error:
            refusal = refusal or f"refused: {error}"
        else:
            return peak + ", ".join(f" (`{key} = {value}`)" for key, value in options.items())
    return refusal


def peak_of(make, method, options, images, labels):
    chain = mlaan.units(make(), images[:2])
    engine = mlaan.Engine(
        chain,
        method=method,
        options=options,
        modules=min(4, chain.block_count),
        optimizer=mlaan.SGD(lr=1e-3),
        recompute="none",
    )
    engine.step(images, labels)
    before = engine.memory()["live"]
    engine.reset_peak()
    result = engine.step(images, labels)
    if not torch.isfinite(result.losses).all():
        raise SystemExit(f"{method}: the losses are {result.by_name()}")
    return (engine.memory()["peak"] - before) / 2**20


def row_of(name, side, make):
    torch.manual_seed(0)
    images, labels = torch.randn(4, 3, side, side), torch.tensor([0, 1, 2, 3])
    try:
        units = len(mlaan.units(make(), images[:2]))
        same = "yes" if same_gradients(make, images, labels) else "no"
    except mlaan.UserError as error:
        return [name, f"refused: {error}"]
    cells = []
    for method in METHODS:
        cells.append(cell_of(make, method, images, labels))
        gc.collect()
    return [name, str(units), same, *cells]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    mlaan.prepare_process(1)
    print("| network | units | `backward()` | " + " | ".join(METHODS) + " |")
    print("|---|---|---|" + "---|" * len(METHODS))
    for library, networks in (("torchvision", of_torchvision), ("timm", of_timm)):
        try:
            listed = list(networks())
        except ImportError as error:
            print(f"{library}: {error}", file=sys.stderr)
            continue
        for name, side, make in listed:
            if not arguments.names or name in arguments.names:
                print("| " + " | ".join(row_of(f"{library} {name}", side, make)) + " |", flush=True)


if __name__ == "__main__":
    main()
