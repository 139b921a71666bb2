"""Pictures of a test: detections on the first images and on the worst ones, and the precision-recall curve."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from retable.detection.transforms import to_image
from retable.visualization.drawing import classify_detections, contact_sheet, draw_detections, write_picture
from retable.visualization.gallery import FirstAndWorst
from retable.visualization.plots import precision_recall_plot

Image = npt.NDArray[np.uint8]


class DetectionPictures(Callback):
    """Draws what a test found into the run's ``plots`` folder.

    ``detections.png`` shows the first images, ``worst.png`` those with the most missed objects and false alarms, both
    with the truth; ``precision_recall.png`` the curve of each class. The module hands out ``predictions`` from its test
    step and has ``test_metric``. Under several processes the pictures are those of the first one's images.

    Args:
        first: Number of first images.
        worst: Number of worst images.
        score_threshold: Detections below it are not drawn.
    """

    def __init__(self, first: int = 12, worst: int = 12, score_threshold: float = 0.3) -> None:
        self.score_threshold = score_threshold
        self.pictures: dict[str, str] = {}
        self._gallery: FirstAndWorst[Image] = FirstAndWorst(first, worst)

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """Draws the images of a batch that are among the first or the worst so far."""
        if not trainer.is_global_zero:
            return
        for image, target, prediction in zip(batch["images"], batch["targets"], outputs["predictions"], strict=True):
            found = {name: value.cpu() for name, value in prediction.items()}
            draw = partial(draw_detections, to_image(image), found, target, self.score_threshold, minimum_size=384)
            self._gallery.add(self._errors(found, target), draw)

    def on_test_end(self, trainer: Any, pl_module: LightningModule) -> None:
        """Writes the pictures.

        Raises:
            OSError: They cannot be written.
        """
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        folder = Path(trainer.default_root_dir)
        model: Any = pl_module
        metric = model.test_metric
        curves = {name: metric.curve(label) for label, name in enumerate(model.classes)}
        for path, title, drawn in (
            ("plots/detections.png", "detections on the first images", self._gallery.first),
            ("plots/worst.png", "images with the most missed objects and false alarms", self._gallery.worst),
        ):
            if drawn:
                write_picture(folder / path, contact_sheet(drawn, 4, legend=True))
                self.pictures[path] = title
        precision_recall_plot(curves, folder / "plots/precision_recall.png")
        self.pictures["plots/precision_recall.png"] = "precision against recall"

    def _errors(self, prediction: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> int:
        """Missed objects and false alarms of an image, at the drawing's threshold."""
        shown = prediction["scores"] >= self.score_threshold
        kept = {name: value[shown].numpy() for name, value in prediction.items()}
        hit, ignored, missed = classify_detections(kept, target, 0.5)
        return int((~hit & ~ignored).sum() + missed.sum())
