# Runs an exported network on images, and prints by how much its outputs differ from those expected.
#
# exported_logits.py NETWORK SIZES FOLDER: SIZES as 4x3x32x32; FOLDER holds images.bin and, for each
# output, its name with .bin behind it, all float32. Prints a line of facts, then one for each output:
# its name and the largest difference.
import sys

import numpy

network, sizes, folder = sys.argv[1], [int(size) for size in sys.argv[2].split("x")], sys.argv[3]
images = numpy.fromfile(f"{folder}/images.bin", numpy.float32).reshape(sizes)


def run_onnx(batch):
    import onnxruntime

    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"images": batch})))


def run_torchscript(batch):
    import torch

    module = torch.jit.load(network)
    with torch.no_grad():
        outputs = module(torch.from_numpy(batch))
    if not isinstance(outputs, tuple):
        outputs = (outputs,)
    names = sys.argv[4].split(",")
    return {name: output.numpy() for name, output in zip(names, outputs)}


def facts():
    if not network.endswith(".onnx"):
        import torch

        return " ".join(torch.jit.load(network).state_dict())
    try:
        import onnx
    except ImportError:
        return "unchecked"
    model = onnx.load(network)
    onnx.checker.check_model(model, full_check=True)
    return f"opset {model.opset_import[0].version}"


run = run_onnx if network.endswith(".onnx") else run_torchscript
print(facts())
whole = run(images)
single = run(images[:1])
for name, output in whole.items():
    expected = numpy.fromfile(f"{folder}/{name}.bin", numpy.float32).reshape(output.shape)
    difference = max(abs(output - expected).max(), abs(single[name] - expected[:1]).max())
    print(f"{name} {difference / max(1, abs(expected).max()):.3g}")
