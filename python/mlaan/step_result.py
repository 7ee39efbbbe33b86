"""What a training step gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List

import torch


@dataclass
class StepResult:
    """What a training step gives back.

    Attributes:
        losses: each supervision's loss, not weighted, in the order of ``names``; NaN where it was
            not evaluated. On the engine's device.
        logits: of the model's own head, before the update: (batch, classes).
        names: of the supervisions.
    """

    losses: torch.Tensor
    logits: torch.Tensor
    names: List[str]

    @property
    def loss(self) -> torch.Tensor:
        """The loss of the model's own head: that of the last supervision."""
        return self.losses[-1]

    def by_name(self) -> Dict[str, float]:
        """Each supervision's loss as a number; waits for the device."""
        return dict(zip(self.names, self.losses.tolist()))
