"""What tests of bad use share."""

import mlaan
import pytest
from networks import batch, small_chain

IMAGES, LABELS = batch(8)


def refused(message, **settings):
    model = settings.pop("model", None) or small_chain()
    example = settings.pop("example", IMAGES)
    with pytest.raises(mlaan.UserError, match=message) as caught:
        engine = mlaan.Engine(model, example=example, **{"method": "dgl", "modules": 3, **settings})
        engine.step(IMAGES, LABELS)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, mlaan.Error)


def make_engine(**settings):
    return mlaan.Engine(
        small_chain(), example=IMAGES, **{"method": "dgl", "modules": 3, **settings}
    )
