"""Pictures of a GAN's samples: a grid after each scored epoch and the test, the training images nearest to them.

At the end also how the scores went, as the essay's figures show it.
"""

import contextlib
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from retable.errors import DataError
from retable.metrics.fidelity.extractors import as_uint8
from retable.papers.cars.pictures import (
    Neighbours,
    nearest_neighbours,
    neighbours_picture,
    sample_grid,
    write_png,
)
from retable.run import paths
from retable.visualization.plots import epochs_plot

_GRID, _COLUMNS = 64, 8
_NEIGHBOURS = 3  # of each of _GRID samples and of as many real images
_SHOWN, _SHOWN_REAL = 15, 6

NEAREST = dict.fromkeys(("nearest_samples", "nearest_real"), ("RMS pixel difference", "none"))
"""Unit and direction of what is logged at the test: how far a sample is from the nearest training image, and how far a
training image is from the nearest other one, as medians. Samples that are much nearer than that are copies."""


class Snapshots(Callback):
    """Writes grids of the same latents, ``plots/samples/epoch_NNNN.png``, and after the test ``plots/samples.png``.

    Beside that of the tested weights come ``plots/neighbours.png`` and ``plots/scores.png``. ``pictures`` are those of
    the test; the grids of epochs are too many to be shown.
    """

    def __init__(self) -> None:
        self.pictures: dict[str, str] = {}

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
        write_png(_folder(trainer) / "plots" / "samples" / f"epoch_{trainer.current_epoch + 1:04d}.png", grid)

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Logs how near samples are to the real images, and draws some beside them: copies would be recognised.

        Below them are real images beside their nearest others, as a yardstick. Where training mirrors images, the
        mirrored ones are neighbours, too.

        Raises:
            StorageError: A picture cannot be written.
        """
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        model: Any = pl_module
        data = trainer.datamodule  # type: ignore[attr-defined]
        real: Tensor = data.images
        known = torch.cat([real, real.flip(3)]) if getattr(data, "mirrors", False) else real
        samples = as_uint8(model.sample(model.latents_of(range(_GRID)))).cpu()
        chosen = torch.linspace(0, len(real) - 1, min(_GRID, len(real))).long()
        selves = torch.stack([chosen + start for start in range(0, len(known), len(real))], dim=1)
        count = min(_NEIGHBOURS, len(known) - selves.shape[1])
        of_samples = nearest_neighbours(samples, known, count)
        of_real = nearest_neighbours(real[chosen], known, count, excluded=selves)
        medians = [float(found.distances[:, 0].median()) for found in (of_samples, of_real)]
        # every process has found the same; the mean over them only spares a warning
        pl_module.log_dict(
            {f"{data.test_name}/{name}": one for name, one in zip(NEAREST, medians, strict=True)}, sync_dist=True
        )
        if not trainer.is_global_zero:
            return
        few = torch.linspace(0, len(chosen) - 1, min(_SHOWN_REAL, len(chosen))).long()
        picture = neighbours_picture(
            torch.cat([samples[:_SHOWN], real[chosen[few]]]),
            known,
            Neighbours(
                *(torch.cat([one[:_SHOWN], other[few]]) for one, other in zip(of_samples, of_real, strict=True))
            ),
            names=[f"sample {index}" for index in range(_SHOWN)] + [f"real {index}" for index in chosen[few].tolist()],
            title="samples, then real images, each with the nearest (other) real ones; the median distance to the "
            f"nearest is {medians[0]:.3f} for {len(samples)} samples, {medians[1]:.3f} for {len(chosen)} real images",
        )
        grid = sample_grid(samples, _COLUMNS)
        for path, title, drawn in (
            ("plots/samples.png", "samples", grid),
            ("plots/neighbours.png", "samples beside the nearest real images", picture),
        ):
            write_png(_folder(trainer) / path, drawn)
            self.pictures[path] = title

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws distance and inception score against the epoch, where they were logged (Figs. 7 to 19).

        Raises:
            OSError: The picture cannot be written.
        """
        metrics = _folder(trainer) / paths.METRICS
        if trainer.fast_dev_run or not trainer.is_global_zero or not metrics.exists():  # type: ignore[attr-defined]
            return
        model: Any = pl_module
        names = [f"{score}{model.fidelity.suffix}" for score in ("fid", "is")]
        with contextlib.suppress(DataError):  # nothing was scored on the way
            epochs_plot(metrics, _folder(trainer) / "plots/scores.png", names)
            self.pictures["plots/scores.png"] = "distance and inception score against the epoch"


def _folder(trainer: Trainer) -> Path:
    return Path(trainer.default_root_dir)
