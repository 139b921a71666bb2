"""Pictures of a reader's test: symbols with what was read of them, the first and the worst."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from retable.papers.barcodes.reading import Reading
from retable.synthetic.raster import Image
from retable.visualization.drawing import contact_sheet, write_picture
from retable.visualization.gallery import FirstAndWorst

_COLUMNS = 3
_HEIGHT = 64  # pixels of a symbol on the sheet


class ReadingPictures(Callback):
    """Draws what a test read into the run's ``plots`` folder.

    ``readings.png`` with the first symbols and ``worst.png`` with those that were read wrongly, the surest first, and
    then those that were not answered, with the true code before what was read. Under several processes the symbols are
    those of the first one.

    Args:
        first: Number of first symbols.
        worst: Number of worst symbols.
    """

    def __init__(self, first: int = 24, worst: int = 36) -> None:
        self.pictures: dict[str, str] = {}
        self._gallery: FirstAndWorst[tuple[Image, str]] = FirstAndWorst(first, worst)

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """Draws the symbols of a batch that are among the first or the worst so far."""
        if not trainer.is_global_zero:
            return
        threshold = float(pl_module.threshold)  # type: ignore[arg-type]
        for image, digits, reading in zip(batch["images"], batch["digits"].tolist(), outputs["readings"], strict=True):
            code = "".join(map(str, digits)) if digits[0] >= 0 else None
            answer = reading.answered(threshold)
            badness = 0.0 if answer == code else 1.0 + reading.confidence if answer else 1.0 - reading.confidence
            self._gallery.add(badness, partial(_drawn, image, code, answer, reading))

    def on_test_end(self, trainer: Any, pl_module: LightningModule) -> None:
        """Writes the pictures.

        Raises:
            OSError: They cannot be written.
        """
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        for path, title, shown in (
            ("plots/readings.png", "what was read of the first symbols", self._gallery.first),
            ("plots/worst.png", "symbols that were read wrongly or not answered", self._gallery.worst),
        ):
            if shown:
                images, captions = zip(*shown, strict=True)
                write_picture(Path(trainer.default_root_dir) / path, contact_sheet(images, _COLUMNS, captions))
                self.pictures[path] = title


def _drawn(image: Tensor, code: str | None, answer: str | None, reading: Reading) -> tuple[Image, str]:
    """Returns a symbol (1, H, W), or the first of its views (V, 1, H, W), as a picture with its caption."""
    grey = (image.flatten(0, -3)[0] * 255).round().byte().cpu().numpy()
    tall = cv2.resize(grey, (grey.shape[1], _HEIGHT), interpolation=cv2.INTER_LINEAR)
    said = answer or f"({reading.code or 'nothing'})"
    text = (
        f"{said} {reading.confidence:.3f}"
        if answer == code
        else f"{code or 'no code'}: {said} {reading.confidence:.3f}"
    )
    return np.asarray(cv2.cvtColor(tall, cv2.COLOR_GRAY2RGB), np.uint8), text
