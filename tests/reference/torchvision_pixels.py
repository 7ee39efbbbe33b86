"""What torchvision's operations make of a picture, for comparison.

Usage: torchvision_pixels.py PICTURE HEIGHT WIDTH OPERATION[=NUMBER] … > RESULTS

PICTURE holds 3 × HEIGHT × WIDTH bytes. An operation is one of torchvision's adjustments, or one of
RandAugment's by its name there. RESULTS holds as many bytes for each operation.
"""

import sys

import numpy
import torch
from torchvision.transforms import autoaugment
from torchvision.transforms import functional as F
from torchvision.transforms import InterpolationMode


def result_of(picture, operation):
    name, _, number = operation.partition("=")
    number = float(number or 0)
    if name.startswith("adjust_"):
        return getattr(F, name)(picture, number)
    return autoaugment._apply_op(picture, name, number, InterpolationMode.NEAREST, None)


def main(path, height, width, *operations):
    picture = torch.from_numpy(numpy.fromfile(path, dtype=numpy.uint8))
    picture = picture.view(3, int(height), int(width))
    for operation in operations:
        sys.stdout.buffer.write(result_of(picture, operation).contiguous().numpy().tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
