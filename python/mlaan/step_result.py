"""The result of a training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List

import torch


@dataclass
class StepResult:
    """The result of a training step.

    Attributes:
        losses: each supervision's loss, without its weight, in the order of ``names``; NaN if it
            was not evaluated in this step. On the engine's device, without a gradient.
        logits: of the model's own head, before the update: (batch, classes).
        names: of the supervisions.
    """

    losses: torch.Tensor
    logits: torch.Tensor
    names: List[str]

    @property
    def loss(self) -> torch.Tensor:
        """The loss of the model's own head, which is the last supervision's."""
        return self.losses[-1]

    def by_name(self) -> Dict[str, float]:
        """Each supervision's loss as a Python number; waits for the device."""
        return dict(zip(self.names, self.losses.tolist()))
