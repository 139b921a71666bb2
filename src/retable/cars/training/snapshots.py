"""Pictures of a GAN's samples: a grid after each scored epoch, and at the test the training images nearest to some."""

from pathlib import Path
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from retable.cars.pictures import nearest_neighbours, neighbours_picture, sample_grid, write_png
from retable.run import paths

_GRID, _COLUMNS = 64, 8
_COMPARED, _NEIGHBOURS = 15, 3


class Snapshots(Callback):
    """Writes ``plots/samples/epoch_NNNN.png`` from the same latents each time, and ``plots/neighbours.png``."""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the grid of an epoch.

        Raises:
            StorageError: It cannot be written.
        """
        if trainer.sanity_checking or trainer.fast_dev_run or not trainer.is_global_zero:  # type: ignore[attr-defined]
            return
        model: Any = pl_module
        grid = sample_grid(model.sample(model.latents_of(range(_GRID))), _COLUMNS)
        # counted as in the log: the first epoch is 1
        write_png(_plots(trainer) / "samples" / f"epoch_{trainer.current_epoch + 1:04d}.png", grid)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes samples beside the training images that are nearest to them: copies would be recognised.

        Raises:
            StorageError: It cannot be written.
        """
        if trainer.fast_dev_run or not trainer.is_global_zero:  # type: ignore[attr-defined]
            return
        model: Any = pl_module
        samples = model.sample(model.latents_of(range(_COMPARED))).cpu()
        real = trainer.datamodule.images  # type: ignore[attr-defined]
        picture = neighbours_picture(samples, real, nearest_neighbours(samples, real, _NEIGHBOURS))
        write_png(_plots(trainer) / "neighbours.png", picture)


def _plots(trainer: Trainer) -> Path:
    return Path(trainer.default_root_dir) / paths.PLOTS
