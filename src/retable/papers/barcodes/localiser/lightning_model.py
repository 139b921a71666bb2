"""The localiser as Lightning trains and tests it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn
from torchmetrics import MeanMetric

from retable.nn.fusion import fuse_batch_norm
from retable.nn.training import AdamWTraining, check_finite
from retable.papers.barcodes.datasets.data_module import Batch
from retable.papers.barcodes.datasets.parts import stacked
from retable.papers.barcodes.localiser.corners import Candidate, corners_of
from retable.papers.barcodes.localiser.masks import draw_masks, mask_loss
from retable.papers.barcodes.localiser.metrics import METRIC_INFO, LocalisationMetric, quadrangle_iou
from retable.papers.barcodes.localiser.network import UNet
from retable.papers.barcodes.localiser.pictures import LocalisationPictures
from retable.papers.barcodes.localiser.refinement import (
    CornerRefiner,
    disturbed,
    moved,
    refinement_loss,
    views,
)
from retable.papers.barcodes.localiser.schema import BarcodeUNetConfig, LocalisationOptions
from retable.papers.barcodes.reading import PlacedReading
from retable.synthetic.raster import Image

_COPIES = 4  # quadrangles that the refiner sees of each barcode
_SAME = 0.2  # IoU with what the mask found below which refined corners are of something else


class BarcodeUNet(AdamWTraining, LightningModule):
    """A U-Net with two masks: of linear barcodes of any kind, and of those among them that are of EAN-13 or UPC-A.

    Where a barcode is can be seen in any photo; of what kind it is, hardly in one that is far out of focus. So its
    place does not depend on its kind, and what is of another kind can be told apart, but is better refused by the
    reader.

    Attributes:
        network: The network.
    """

    monitor = "val/mask_iou"
    monitor_mode = "max"
    metric_info = METRIC_INFO
    weights_origin = "scratch"
    prediction_options = LocalisationOptions

    def __init__(self, config: BarcodeUNetConfig) -> None:
        super().__init__()
        self.config = config
        # twice as fast on a CPU as the usual order of memory; the values are the same
        self.network = UNet(config.stem, config.widths, config.shrink).to(memory_format=torch.channels_last)
        self.refiner = CornerRefiner(config.refiner)
        self.train_loss, self.mean_loss = MeanMetric(), MeanMetric()
        self.metric = LocalisationMetric()

    def targets(self, batch: Batch, shape: tuple[int, int]) -> Tensor:
        """Returns the masks (B, 2, h, w) in [0, 1] that a batch should have."""
        every = [torch.cat(pair) for pair in zip(batch["corners"], batch["others"], strict=True)]
        drawn = draw_masks([every, batch["corners"]], shape, self.network.stride)
        return drawn.to(batch["images"].device)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        logits = self.network(batch["images"])
        loss = mask_loss(logits.float(), self.targets(batch, logits.shape[2:]), self.config.dice_weight)
        loss = loss + self._refinement_loss(batch)
        check_finite(loss, self.global_step)
        self.train_loss.update(loss.detach(), len(batch["images"]))
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def _refinement_loss(self, batch: Batch) -> Tensor:
        """What is lost on the corners of all barcodes of a batch, seen from quadrangles as masks might find them."""
        every = [torch.cat(pair).float() for pair in zip(batch["corners"], batch["others"], strict=True)]
        known = torch.cat(every)
        if not len(known):
            return torch.zeros((), device=self.device)
        photos = torch.arange(len(every)).repeat_interleave(torch.tensor([len(each) for each in every]))
        found = disturbed(known.cpu(), _COPIES).to(batch["images"].device)
        grey = batch["images"].mean(dim=1, keepdim=True)[photos.repeat(_COPIES)]
        corrected = moved(found, self.refiner(views(grey, found)))
        return refinement_loss(corrected, known.to(found.device).repeat(_COPIES, 1, 1))

    def configure_callbacks(self) -> list[Callback]:
        """Adds the pictures of the test."""
        return [LocalisationPictures()]

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Finds the symbols of a batch of validation photos."""
        self._evaluate(batch)

    def test_step(self, batch: Batch, batch_index: int) -> dict[str, Any]:
        """Finds the symbols of a batch of test photos, and hands masks (B, h, w) and candidates to callbacks."""
        return self._evaluate(batch)

    def on_validation_epoch_start(self) -> None:
        """Starts the counts of a validation."""
        self._reset()

    def on_test_epoch_start(self) -> None:
        """Starts the counts of a test."""
        self._reset()

    def on_validation_epoch_end(self) -> None:
        """Logs the metrics of a validation."""
        self._log_metrics("val")

    def on_test_epoch_end(self) -> None:
        """Logs the metrics of a test."""
        self._log_metrics(self.trainer.datamodule.test_name)

    def example_input(self) -> Tensor:
        """Returns photos (1, 3, S, S) as the network takes them."""
        return torch.zeros(1, 3, self.config.image_size, self.config.image_size)

    @torch.inference_mode()
    def locate(self, image: Image) -> tuple[list[Candidate], list[Candidate]]:
        """Finds the barcodes of a photo of any size.

        Args:
            image: uint8 RGB (H, W, 3).

        Returns:
            Those of EAN-13 and UPC-A, and those of other kinds, the largest first, in pixels of the photo.
        """
        height, width = image.shape[:2]
        scale = self.config.image_size / max(height, width)
        shape = max(1, round(width * scale)), max(1, round(height * scale))
        seen = cv2.resize(image, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        (padded,) = stacked([np.asarray(seen, np.uint8)])
        images = torch.from_numpy(padded).to(self.device).permute(2, 0, 1)[None].float().div_(255)
        masks = self._quick_network(images).sigmoid()[0].float().cpu()
        factors = np.array([width / shape[0], height / shape[1]])
        found = [
            replace(candidate, corners=candidate.corners * factors)
            for candidate in self._candidates(masks.numpy(), padded)
        ]
        if found and self.config.refinements:
            grey = (
                torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).to(self.device)[None, None].float().div_(255)
            )
            found = self._refined(grey, found, self._quick_refiner)
        return self._of_ean13(found), [
            candidate for candidate in found if candidate.ean13 < self.config.ean13_threshold
        ]

    def predict_to(self, output: Path, options: LocalisationOptions, data: Any, about: dict[str, Any]) -> None:
        """Finds the symbols of the user's photos (see `retable.papers.barcodes.prediction.predict_files`).

        Args:
            output: Folder for the results.
            options: What was asked.
            data: The data configuration of the run, which is not needed.
            about: What is told of the run in the results.
        """
        from retable.papers.barcodes.prediction import predict_files

        def find(image: Image) -> list[PlacedReading]:
            return [PlacedReading(None, found.score, found.corners) for found in self.locate(image)[0]]

        predict_files(find, options.input, output, about)

    def _refined(self, grey: Tensor, candidates: list[Candidate], refiner: nn.Module) -> list[Candidate]:
        """Returns candidates of a photo (1, 1, H, W) with their corners refined, the largest first."""
        corners = torch.from_numpy(np.stack([each.corners for each in candidates])).float().to(grey.device)
        photos = grey.expand(len(candidates), -1, -1, -1)
        for _ in range(self.config.refinements):
            corners = moved(corners, refiner(views(photos, corners)))
        found = [
            replace(each, corners=better) if quadrangle_iou(each.corners, better) >= _SAME else each
            for each, better in zip(candidates, corners.double().cpu().numpy(), strict=True)
        ]
        return sorted(found, key=lambda each: -each.area)

    @cached_property
    def _quick_refiner(self) -> nn.Module:
        return fuse_batch_norm(self.refiner)

    @cached_property
    def _quick_network(self) -> nn.Module:
        """The network as prediction uses it: its weights are not trained any more."""
        return fuse_batch_norm(self.network).to(memory_format=torch.channels_last)

    def _of_ean13(self, candidates: list[Candidate]) -> list[Candidate]:
        return [candidate for candidate in candidates if candidate.ean13 >= self.config.ean13_threshold]

    def _candidates(self, masks: NDArray[np.float32], image: Image) -> list[Candidate]:
        config = self.config
        return corners_of(masks, image, config.mask_threshold, config.score_threshold, config.least_area)

    def _evaluate(self, batch: Batch) -> dict[str, Any]:
        images = batch["images"]
        logits = self.network(images).float()
        targets = self.targets(batch, logits.shape[2:])
        self.mean_loss.update(mask_loss(logits, targets, self.config.dice_weight), len(images))
        masks = logits.sigmoid()
        known = ~batch["is_boxes"]  # of a turned symbol, an upright box is no mask
        self.metric.update_masks(masks[known, 0] >= self.config.mask_threshold, targets[known, 0] >= 0.5)
        pixels = images.permute(0, 2, 3, 1).mul(255).round().byte().cpu().numpy()
        found = [
            self._of_ean13(self._candidates(mask, image))
            for mask, image in zip(masks.cpu().numpy(), pixels, strict=True)
        ]
        if self.config.refinements:
            grey = images.mean(dim=1, keepdim=True)
            found = [
                self._refined(grey[index : index + 1], candidates, self.refiner) if candidates else candidates
                for index, candidates in enumerate(found)
            ]
        for candidates, corners, is_boxes, scale in zip(
            found, batch["corners"], batch["is_boxes"].tolist(), batch["scales"].tolist(), strict=True
        ):
            self.metric.update(candidates, corners.cpu().numpy().astype(np.float64), is_boxes, scale)
        return {"masks": masks[:, 0], "candidates": found}

    def _reset(self) -> None:
        self.metric.reset()
        self.mean_loss.reset()

    def _log_metrics(self, prefix: str) -> None:
        found = {"loss": self.mean_loss.compute(), **self.metric.compute()}
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict({f"{prefix}/{name}": value.float() for name, value in found.items()}, sync_dist=True)
