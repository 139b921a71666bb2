"""Pictures of a test: the confusion matrix, the training against its epochs, images with what they were taken for."""

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from retable.classification.subject import ClassList, Image
from retable.errors import DataError
from retable.visualization.drawing import FALSE_ALARM, HIT, contact_sheet, upscale, write_picture
from retable.visualization.gallery import FirstAndWorst
from retable.visualization.plots import confusion_matrix_plot, epochs_plot

_SIDE = 192  # pixels of an image on a sheet
_COLUMNS = 6


class ClassificationPictures(Callback):
    """Draws what a test found into the run's ``plots`` folder.

    ``confusion_matrix.png``, ``accuracy_loss.png`` over the training, ``predictions.png`` with the first images and
    ``worst.png`` with the mistakes of the largest loss, right ones framed green, wrong ones red. The module hands out
    ``probabilities`` and ``losses`` from its test step and has ``confusion``. Under several processes the images are
    those of the first one.

    Args:
        classes: What is told apart.
        first: Number of first images.
        worst: Number of worst mistakes.
    """

    def __init__(self, classes: ClassList, first: int = 24, worst: int = 24) -> None:
        self.classes = classes
        self.pictures: dict[str, str] = {}
        self._gallery: FirstAndWorst[tuple[Image, str]] = FirstAndWorst(first, worst)

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """Draws the images of a batch that are among the first or the worst so far."""
        if not trainer.is_global_zero or outputs is None:  # of a batch of no class there is nothing to draw
            return
        for image, label, found, loss in zip(
            batch["images"], batch["labels"].tolist(), outputs["probabilities"].cpu(), outputs["losses"].tolist(),
            strict=True,
        ):  # fmt: skip
            self._gallery.add(0.0 if int(found.argmax()) == label else loss, partial(self._draw, image, label, found))

    def on_test_end(self, trainer: Any, pl_module: LightningModule) -> None:
        """Writes the pictures.

        Raises:
            OSError: They cannot be written.
        """
        confusion: Any = pl_module.confusion
        matrix = confusion.compute().cpu().numpy()  # all processes take part in this
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        folder = Path(trainer.default_root_dir)
        for path, title, entries in (
            ("plots/predictions.png", "what the first images were taken for", self._gallery.first),
            ("plots/worst.png", "the mistakes of the largest loss", self._gallery.worst),
        ):
            if entries:
                images, captions = zip(*entries, strict=True)
                write_picture(folder / path, contact_sheet(images, _COLUMNS, captions))
                self.pictures[path] = title
        confusion_matrix_plot(matrix, self.classes.titles, folder / "plots/confusion_matrix.png")
        self.pictures["plots/confusion_matrix.png"] = "confusion matrix"
        with contextlib.suppress(DataError):  # nothing was logged
            epochs_plot(folder / "metrics.csv", folder / "plots/accuracy_loss.png", ("accuracy", "loss"))
            self.pictures["plots/accuracy_loss.png"] = "accuracy and loss against the epoch"

    def _draw(self, image: Tensor, label: int, probabilities: Tensor) -> tuple[Image, str]:
        """An image with a frame that says whether it was recognised, and what it was taken for."""
        taken_for, captions = int(probabilities.argmax()), self.classes.captions
        words, colour = f"{captions[taken_for]} {float(probabilities[taken_for]):.2f}", HIT
        if taken_for != label:
            words, colour = f"{words}, is {captions[label]}", FALSE_ALARM
        pixels = (image.permute(1, 2, 0) * 255).round().byte().cpu().numpy()
        larger, _ = upscale(np.ascontiguousarray(pixels), _SIDE)
        framed = cv2.copyMakeBorder(larger, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=colour)
        return np.asarray(framed, dtype=np.uint8), words
