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
    """Trains any network by a method of mlaan's; Lightning brings loaders, logs, devices.

    Steps are the engine's, which Lightning does not count: end a training by ``max_epochs``.
    """

    def __init__(self, model, example, **settings):
        super().__init__()
        self.automatic_optimization = False  # the engine updates module by module
        self.model = model
        self.settings = {"example": example, **settings}
        self.engine = None
        self.state = None  # of the checkpoint that a training goes on from

    def configure_optimizers(self):
        return None

    def on_fit_start(self):
        self.engine = mlaan.Engine(self.model, device=self.device, **self.settings)
        if self.state is not None:
            self.engine.load_state_dict(self.state)

    def training_step(self, batch, index):
        trainer = self.trainer
        epochs = trainer.current_epoch + index / trainer.num_training_batches
        self.engine.set_progress(min(1.0, epochs / trainer.max_epochs))
        self.log("loss", self.engine.step(*batch).loss)

    def validation_step(self, batch, index):
        images, labels = batch
        self.log("error", (self.model(images).argmax(1) != labels).float().mean())

    def on_save_checkpoint(self, checkpoint):
        checkpoint["mlaan"] = self.engine.state_dict()

    def on_load_checkpoint(self, checkpoint):
        self.state = checkpoint["mlaan"]


def network():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        nn.Sequential(nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU()),
        nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


def fit(module, loader, epochs, checkpoint=None):
    """Trains to the end of an epoch, from a checkpoint on where there is one."""
    trainer = lightning.Trainer(
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
    )
    trainer.fit(module, loader, loader, ckpt_path=checkpoint)
    return trainer


def main():
    torch.manual_seed(0)
    images, labels = torch.randn(64, 3, 16, 16), torch.randint(0, 10, (64,))
    loader = DataLoader(TensorDataset(images, labels), 16)
    optimizer = mlaan.SGD(lr=0.05)
    module = Local(network(), images[:2], method="mlaan-lean", modules=2, optimizer=optimizer)
    trainer = fit(module, loader, epochs=2)
    print("loss", float(trainer.callback_metrics["loss"]))


if __name__ == "__main__":
    main()
