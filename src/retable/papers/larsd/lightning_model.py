"""LARSD as Lightning trains and tests it."""

from __future__ import annotations

import logging
import math
from typing import Any

import torch
from torch import Tensor

from retable.detection.detector import Prediction, ShipDetector
from retable.errors import ConfigError, DivergenceError
from retable.nn.backbones import load_weights_alike
from retable.papers.larsd.assignment import assign
from retable.papers.larsd.lasa import DISTRIBUTIONS
from retable.papers.larsd.loss import LossParts, larsd_loss
from retable.papers.larsd.postprocess import Postprocessing, detections
from retable.papers.larsd.priors import STRIDES
from retable.papers.larsd.torch_model import LarsdNetwork, slots

log = logging.getLogger(__name__)


class LarsdModule(ShipDetector):
    """LARSD with its loss, its optimiser and its metrics; the keys are described in `LarsdConfig`.

    Training batches hold ``images`` (B, 3, S, S) and ``targets``, B dicts of boxes, labels and difficult.

    Attributes:
        network: The network with its anchors.

    Raises:
        ConfigError: A value that cannot work.
    """

    def __init__(
        self,
        backbone: str = "resnet101",
        backbone_width: float = 1.0,
        weights: str = "imagenet",
        channels: int = 256,
        levels: list[str] | None = None,
        anchors: bool = True,
        anchors_per_group: int = 5,
        num_classes: int = 1,
        lasa: str = "diamond-9",
        lasa_extent: float = 0.75,
        force_match: bool = True,
        lambda_d: float = 2.0,
        lambda_a: float = 10.0,
        focal_alpha: float = 0.25,
        focal_gamma: float = 2.0,
        optimizer: str = "sgd",
        lr: float = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 1e-4,
        schedule: str = "step",
        lr_step: int = 10_000,
        lr_factor: float = 0.1,
        warmup: int = 0,
        score_threshold: float = 0.05,
        candidates: int = 1000,
        nms_threshold: float = 0.2,
        merge_threshold: float = 0.5,
        max_detections: int = 300,
        tile_size: int = 1024,
        tile_overlap: int = 256,
        tile_batch: int = 4,
    ) -> None:
        super().__init__(num_classes, tile_size, tile_overlap, tile_batch, nms_threshold)
        levels = ["P2", "P3", "P4"] if levels is None else [str(level) for level in levels]
        self.save_hyperparameters(logger=False)
        _check(self.hparams)
        self.network = LarsdNetwork(backbone, channels, levels, anchors, anchors_per_group, num_classes, backbone_width)
        self.postprocessing = Postprocessing(
            lasa, lasa_extent, score_threshold, candidates, nms_threshold, merge_threshold, max_detections
        )

    @property
    def weights_origin(self) -> str:
        """Where the weights began: ``scratch``, ``imagenet:...`` or ``file:...``."""
        return self.network.backbone.weights_origin

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
        load_weights_alike(self.network.backbone, self.hparams["weights"], self.trainer.strategy)
        priors.fit(self.trainer.datamodule.training_box_sizes())  # type: ignore[attr-defined]
        if priors.anchors:
            log.info("anchors (width, height) of each level: %s", priors.sizes.round().to(torch.int64).tolist())

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        parts = self.loss(batch["images"], batch["targets"])
        if not torch.isfinite(parts.total):
            raise self._divergence(parts)
        interval = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if interval and (self.global_step + 1) % interval == 0:
            self._log_loss(parts, len(batch["images"]))
        return parts.total

    def loss(self, images: Tensor, targets: list[dict[str, Tensor]]) -> LossParts:
        """Computes the loss parts.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of 32.
            targets: For each image boxes (N, 5), labels (N,) and difficult (N,).

        Returns:
            The parts, differentiable.
        """
        options = self.hparams
        boxes = torch.cat([target["boxes"] for target in targets])
        labels = torch.cat([target["labels"] for target in targets])
        difficult = torch.cat([target["difficult"] for target in targets])
        counts = torch.tensor([len(target["boxes"]) for target in targets])
        image_index = torch.repeat_interleave(torch.arange(len(targets)), counts).to(boxes.device)
        priors = self.network.priors
        grids = [(images.shape[2] // stride, images.shape[3] // stride) for stride in priors.strides]
        # before the network: what waits for the device here waits for an idle one
        assignment = assign(
            boxes, image_index, difficult, priors, grids, len(targets), force_match=options["force_match"]
        )
        logits, regression = self.network(images)
        return larsd_loss(
            slots(logits, options["num_classes"]),
            slots(regression, 5),
            assignment,
            boxes,
            labels,
            lambda_d=options["lambda_d"],
            lambda_a=options["lambda_a"],
            alpha=options["focal_alpha"],
            gamma=options["focal_gamma"],
        )

    def configure_optimizers(self) -> Any:
        """The optimiser, with the paper's steps or a cosine, after an optional warm-up, changing at every iteration."""
        options = self.hparams
        common = {"lr": options["lr"], "weight_decay": options["weight_decay"]}
        optimizer: torch.optim.Optimizer
        if options["optimizer"] == "sgd":
            optimizer = torch.optim.SGD(self.parameters(), momentum=options["momentum"], **common)
        else:
            optimizer = torch.optim.AdamW(self.parameters(), betas=(options["momentum"], 0.999), **common)
        total = self.trainer.estimated_stepping_batches if options["schedule"] == "cosine" else math.inf

        def factor(iteration: int) -> float:
            warm = min(1.0, (iteration + 1) / (options["warmup"] + 1))
            if options["schedule"] == "cosine":
                decay = 0.5 * (1.0 + math.cos(math.pi * min(1.0, iteration / total)))
            else:
                decay = options["lr_factor"] ** (iteration // options["lr_step"])
            return float(warm * decay)

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the origin of the weights."""
        checkpoint["weights_origin"] = self.weights_origin

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the origin of the weights."""
        self.network.backbone.weights_origin = checkpoint.get("weights_origin", self.weights_origin)

    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images (B, 3, H, W) of one size, H and W multiples of 32."""
        logits, regression = self.network(images)
        return detections(logits, regression, self.network.priors, self.network.num_classes, self.postprocessing)

    def _log_loss(self, parts: LossParts, batch_size: int) -> None:
        values = {
            "train/loss_class": parts.classification,
            "train/loss_distance": parts.distance,
            "train/loss_angle": parts.angle,
            "train/positives": parts.positives,
            "lr": torch.tensor(self.trainer.optimizers[0].param_groups[0]["lr"]),
        }
        # under several processes each has its share of the global loss, times their number: the mean is the loss
        self.log("train/loss", parts.total.detach(), prog_bar=True, batch_size=batch_size, sync_dist=True)
        self.log_dict({name: value.detach() for name, value in values.items()}, batch_size=batch_size, sync_dist=True)

    def _divergence(self, parts: LossParts) -> DivergenceError:
        named = {"class": parts.classification, "distance": parts.distance, "angle": parts.angle}
        bad = [name for name, value in named.items() if not torch.isfinite(value)]
        return DivergenceError(
            f"the {' and '.join(bad) or 'total'} loss is not finite at step {self.global_step}: try a lower model.lr, "
            "model.warmup or trainer.gradient_clip_val, and look at the data"
        )


def _check(options: Any) -> None:
    levels, known = options["levels"], list(STRIDES)
    if not levels or [level for level in known if level in levels] != levels:
        raise ConfigError(f"model.levels: {levels} must be one or more of {known}, each once, finest first")
    if options["lasa"] not in DISTRIBUTIONS:
        raise ConfigError(f"model.lasa: {options['lasa']!r} must be one of {', '.join(DISTRIBUTIONS)}")
    for name, choices in (("optimizer", ("sgd", "adamw")), ("schedule", ("step", "cosine"))):
        if options[name] not in choices:
            raise ConfigError(f"model.{name}: {options[name]!r} must be {' or '.join(choices)}")
    counts = ("channels", "anchors_per_group", "num_classes", "lr_step", "candidates", "max_detections", "tile_batch")
    for name in counts:
        if options[name] < 1:
            raise ConfigError(f"model.{name}: {options[name]} must be 1 or more")
    for name in ("lr", "lr_factor"):
        if not options[name] > 0:
            raise ConfigError(f"model.{name}: {options[name]} must be above 0")
    for name in ("lasa_extent", "lambda_d", "lambda_a", "momentum", "weight_decay", "warmup", "focal_gamma"):
        if not options[name] >= 0:
            raise ConfigError(f"model.{name}: {options[name]} must not be negative")
    for name in ("score_threshold", "nms_threshold", "merge_threshold", "focal_alpha"):
        if not 0 <= options[name] <= 1:
            raise ConfigError(f"model.{name}: {options[name]} must be from 0 to 1")
