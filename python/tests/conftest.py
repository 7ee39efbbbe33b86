import pathlib
import sys

import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture(autouse=True)
def same_every_time():
    torch.set_num_threads(1)
    torch.manual_seed(0)
