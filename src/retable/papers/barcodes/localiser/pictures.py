"""Pictures of a test: photos with masks and corners, the first and the worst."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from retable.papers.barcodes.localiser.corners import Candidate
from retable.papers.barcodes.localiser.metrics import FOUND, quadrangle_iou
from retable.synthetic.raster import SHIFT, Image, Points, fixed
from retable.visualization.drawing import FALSE_ALARM, HIT, contact_sheet, write_picture
from retable.visualization.gallery import FirstAndWorst

_COLUMNS = 4
_KNOWN = (255, 255, 255)


class LocalisationPictures(Callback):
    """Draws what a test found into the run's ``plots`` folder.

    ``symbols.png`` with the first photos and ``worst.png`` with those where most was missed or found in vain: masks
    tinted, known corners white, found ones green or, where there is nothing, red; a dot marks the first corner. Under
    several processes the photos are those of the first one.

    Args:
        first: Number of first photos.
        worst: Number of worst photos.
    """

    def __init__(self, first: int = 16, worst: int = 16) -> None:
        self.pictures: dict[str, str] = {}
        self._gallery: FirstAndWorst[Image] = FirstAndWorst(first, worst)

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """Draws the photos of a batch that are among the first or the worst so far."""
        if not trainer.is_global_zero:
            return
        for image, mask, candidates, corners in zip(
            batch["images"], outputs["masks"], outputs["candidates"], batch["corners"], strict=True
        ):
            known = corners.cpu().numpy().astype(np.float64)
            self._gallery.add(_badness(candidates, known), partial(draw, image, mask, candidates, known))

    def on_test_end(self, trainer: Any, pl_module: LightningModule) -> None:
        """Writes the pictures.

        Raises:
            OSError: They cannot be written.
        """
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        folder = Path(trainer.default_root_dir)
        for path, title, images in (
            ("plots/symbols.jpg", "what was found in the first photos", self._gallery.first),
            ("plots/worst.jpg", "photos where most was missed or found in vain", self._gallery.worst),
        ):
            if images:
                write_picture(folder / path, contact_sheet(images, _COLUMNS))
                self.pictures[path] = title


def draw(image: Tensor, mask: Tensor, candidates: list[Candidate], known: Points) -> Image:
    """Returns a photo (3, H, W) with its mask (h, w), what was found, and the corners (N, 4, 2) that are known."""
    pixels = (image.permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    height, width = pixels.shape[:2]
    share = cv2.resize(mask.float().cpu().numpy(), (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    canvas = np.ascontiguousarray(pixels * (1 - 0.35 * share) + np.array(HIT) * (0.35 * share)).astype(np.uint8)
    for corners in known:
        _outline(canvas, corners, _KNOWN)
    for candidate in candidates:
        colour = HIT if any(quadrangle_iou(candidate.corners, corners) >= FOUND for corners in known) else FALSE_ALARM
        _outline(canvas, candidate.corners, colour)
        x, y = candidate.corners[0].round().astype(int).tolist()
        cv2.circle(canvas, (x, y), 4, colour, cv2.FILLED, cv2.LINE_AA)
    return canvas


def _outline(canvas: Image, corners: Points, colour: tuple[int, int, int]) -> None:
    cv2.polylines(canvas, [fixed(corners)], True, colour, 2, cv2.LINE_AA, SHIFT)


def _badness(candidates: list[Candidate], known: Points) -> float:
    best = [max((quadrangle_iou(item.corners, corners) for item in candidates), default=0.0) for corners in known]
    missed = sum(overlap < FOUND for overlap in best)
    in_vain = sum(all(quadrangle_iou(item.corners, corners) < FOUND for corners in known) for item in candidates)
    return missed + in_vain + sum(1.0 - overlap for overlap in best) * 0.1 if missed or in_vain else 0.0
