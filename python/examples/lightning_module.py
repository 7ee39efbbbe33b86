"""The engine within a LightningModule, by manual optimisation.

python lightning_module.py
"""

import mlaan
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

try:
    import lightning
except ImportError:  # the older name
    import pytorch_lightning as lightning


class Local(lightning.LightningModule):
    """Trains any network by a method of mlaan's; Lightning brings loaders, logs, devices."""

    def __init__(self, model, example, method="mlaan-lean", modules=2, lr=0.05):
        super().__init__()
        self.automatic_optimization = False  # the engine updates module by module
        self.model = model
        self.settings = {
            "example": example,
            "method": method,
            "modules": modules,
            "optimizer": mlaan.SGD(lr=lr),
        }
        self.engine = None

    def on_fit_start(self):
        self.engine = mlaan.Engine(self.model, device=self.device, **self.settings)

    def training_step(self, batch, index):
        progress = self.trainer.global_step / max(1, self.trainer.estimated_stepping_batches)
        self.engine.set_progress(min(1.0, progress))
        result = self.engine.step(*batch)
        self.log("loss", result.loss)

    def validation_step(self, batch, index):
        images, labels = batch
        self.log("error", (self.model(images).argmax(1) != labels).float().mean())

    def configure_optimizers(self):
        return None

    def on_save_checkpoint(self, checkpoint):
        checkpoint["mlaan"] = self.engine.state_dict()


def main():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        nn.Sequential(nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU()),
        nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    images, labels = torch.randn(64, 3, 16, 16), torch.randint(0, 10, (64,))
    loader = DataLoader(TensorDataset(images, labels), 16)
    trainer = lightning.Trainer(
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        accelerator="cpu",
    )
    module = Local(model, images[:2])
    trainer.fit(module, loader, loader)
    print("loss", float(trainer.callback_metrics["loss"]))


if __name__ == "__main__":
    main()
