"""LARSD as Lightning trains and tests it."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor

from retable.boxes import upright_size
from retable.detection.pretrained import PretrainedDetector
from retable.detection.samples import joined_targets
from retable.detection.tiles import Prediction
from retable.errors import DivergenceError
from retable.nn import schedules
from retable.nn.backbones import load_weights_alike
from retable.papers.larsd.assignment import assign
from retable.papers.larsd.loss import LossParts, larsd_loss
from retable.papers.larsd.postprocess import detections
from retable.papers.larsd.schema import LarsdConfig
from retable.papers.larsd.torch_model import LarsdNetwork, slots

log = logging.getLogger(__name__)


class LarsdModule(PretrainedDetector):
    """LARSD with its loss, its optimiser and its metrics.

    Training batches hold ``images`` (B, 3, S, S) and ``targets``, B dicts of boxes, labels and difficult.

    Attributes:
        network: The network with its anchors.
    """

    config: LarsdConfig

    def __init__(self, config: LarsdConfig) -> None:
        super().__init__(config)
        self.network = LarsdNetwork(config)

    def on_fit_start(self) -> None:
        """Before a new training: starting weights, and anchors from the training boxes.

        A checkpoint is loaded by now where there is one, and a module that is resumed keeps what it has.

        Raises:
            CheckpointError: The file of the starting weights cannot be used.
            DataError: The training images hold no boxes.
        """
        priors = self.network.priors
        if bool(priors.fitted):
            return
        load_weights_alike(self.network.backbone, self.config.weights, self.trainer.strategy)
        priors.fit(upright_size(self.trainer.datamodule.training_boxes()))  # type: ignore[attr-defined]
        if priors.anchors:
            log.info("anchors (width, height) of each level: %s", priors.sizes.round().to(torch.int64).tolist())

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        parts = self.loss(batch["images"], batch["targets"])
        if not torch.isfinite(parts.total):
            named = {"class": parts.classification, "distance": parts.distance, "angle": parts.angle}
            bad = [name for name, value in named.items() if not torch.isfinite(value)]
            raise DivergenceError(
                f"the {' and '.join(bad) or 'total'} loss is not finite at step {self.global_step}: try a lower "
                "model.lr, model.warmup or trainer.gradient_clip_val, and look at the data"
            )
        interval = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if interval and (self.global_step + 1) % interval == 0:
            self._log_loss(parts, len(batch["images"]))
        return parts.total

    def loss(self, images: Tensor, targets: list[dict[str, Tensor]]) -> LossParts:
        """Computes the loss parts, differentiable.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of 32.
            targets: For each image boxes (N, 5), labels (N,) and difficult (N,).
        """
        boxes, labels, difficult, image_index = joined_targets(targets)
        priors = self.network.priors
        grids = [(images.shape[2] // stride, images.shape[3] // stride) for stride in priors.strides]
        # before the network: what waits for the device here waits for an idle one
        assignment = assign(boxes, image_index, difficult, priors, grids, len(targets), self.config.force_match)
        logits, regression = self.network(images)
        scores, outputs = slots(logits, self.config.num_classes), slots(regression, 5)
        return larsd_loss(scores, outputs, assignment, boxes, labels, self.config)

    def configure_optimizers(self) -> Any:
        """The optimiser, with the paper's steps or a cosine, after an optional warm-up, changing at every iteration."""
        config = self.config
        common: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
        optimizer: torch.optim.Optimizer
        if config.optimizer == "sgd":
            optimizer = torch.optim.SGD(self.parameters(), momentum=config.momentum, **common)
        else:
            optimizer = torch.optim.AdamW(self.parameters(), betas=(config.momentum, 0.999), **common)
        if config.schedule == "cosine":
            decay = schedules.cosine(self.trainer.estimated_stepping_batches)
        else:
            decay = schedules.step(config.lr_step, config.lr_factor)
        return schedules.scheduled(optimizer, decay, config.warmup)

    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images (B, 3, H, W) of one size, H and W multiples of 32."""
        logits, regression = self.network(images)
        return detections(logits, regression, self.network.priors, self.config)

    def _log_loss(self, parts: LossParts, batch_size: int) -> None:
        values = {
            "train/loss_class": parts.classification,
            "train/loss_distance": parts.distance,
            "train/loss_angle": parts.angle,
            "train/positives": parts.positives,
        }
        # under several processes each has its share of the global loss, times their number: the mean is the loss
        self.log("train/loss", parts.total.detach(), prog_bar=True, batch_size=batch_size, sync_dist=True)
        self.log_dict({name: value.detach() for name, value in values.items()}, batch_size=batch_size, sync_dist=True)
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"], batch_size=batch_size)
