"""VGG's features of a proposal, read by an LSTM."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retable.detection.pretrained import PretrainedDetector
from retable.errors import ConfigError, DivergenceError
from retable.nn import schedules
from retable.nn.backbones import PublishedNetwork, load_weights_alike, timm_with
from retable.papers.plates.rivals.detector import LearntDetector
from retable.papers.plates.rivals.schema import VggLstmConfig

_POOLINGS = 3  # of VGG that are kept; after them a plate has a column for every eight pixels


class VggColumns(PublishedNetwork):
    """VGG up to its fourth pooling, whose maps become a sequence of columns.

    Args:
        name: A VGG of timm.
        width: Factor of its channels.

    Attributes:
        channels: Features of a column.

    Raises:
        ConfigError: timm has no such VGG.
    """

    def __init__(self, name: str, width: float) -> None:
        super().__init__(name)
        timm_with(name, "model.network")
        from timm.models.vgg import VGG, cfgs

        if name not in cfgs and name.removesuffix("_bn") not in cfgs:
            raise ConfigError(f"model.network: {name} is no VGG; try vgg11, vgg16 or vgg16_bn")
        layers = cfgs[name.removesuffix("_bn")]
        poolings = [place for place, layer in enumerate(layers) if layer == "M"]
        wanted = layers[: poolings[_POOLINGS]]
        scaled = [layer if isinstance(layer, str) else max(1, round(width * layer)) for layer in wanted]
        norm = nn.BatchNorm2d if name.endswith("_bn") else None
        # with timm's names, which published weights have
        self.body = nn.ModuleDict({"features": VGG(scaled, num_classes=0, norm_layer=norm).features})
        self.channels = int(scaled[-1])

    def forward(self, images: Tensor) -> Tensor:
        """Describes images (N, 3, h, w) in [0, 1] by the columns of their maps, (N, w / 8, channels)."""
        maps: Tensor = self.body["features"](self.normalised(images))
        return maps.amax(dim=2).transpose(1, 2)


class VggLstm(nn.Module):
    """VGG's columns, an LSTM over them in both directions, and one dense layer on the mean of its outputs.

    Args:
        config: The options.

    Attributes:
        backbone: VGG.
        begun: Whether a training has begun.
    """

    begun: Tensor

    def __init__(self, config: VggLstmConfig) -> None:
        super().__init__()
        self.backbone = VggColumns(config.network, config.width)
        self.reader = nn.LSTM(self.backbone.channels, config.hidden, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * config.hidden, 1)
        self.register_buffer("begun", torch.tensor(False))

    def logits(self, patches: Tensor) -> Tensor:
        """Returns logits (N,) of cut-out proposals (N, 3, h, w) in [0, 1]."""
        states: Tensor = self.reader(self.backbone(patches))[0]
        logits: Tensor = self.output(states.mean(dim=1)).squeeze(1)
        return logits

    def forward(self, patches: Tensor) -> Tensor:
        """Scores cut-out proposals (N, 3, h, w) in [0, 1]; returns (N,) from 0 to 1."""
        return self.logits(patches).sigmoid()


class VggLstmDetector(LearntDetector, PretrainedDetector):
    """The detector and its training: binary cross-entropy on the proposals of each batch."""

    config: VggLstmConfig

    def __init__(self, config: VggLstmConfig) -> None:
        super().__init__(config)
        self.network = VggLstm(config)

    def on_fit_start(self) -> None:
        """Before a new training: starting weights. A module that is resumed keeps what it has.

        Raises:
            CheckpointError: Their file cannot be used.
        """
        if not bool(self.network.begun):
            load_weights_alike(self.network.backbone, self.config.weights, self.trainer.strategy)
            self.network.begun.fill_(True)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        patches, labels = self.examples(batch)
        losses = F.binary_cross_entropy_with_logits(self.network.logits(patches), labels, reduction="sum")
        loss = losses / max(1, len(labels))  # images without any proposal teach nothing
        if not torch.isfinite(loss):
            raise DivergenceError(f"the loss is not finite at step {self.global_step}: try a lower model.lr")
        self.log("train/loss", loss.detach(), prog_bar=True, batch_size=len(batch["images"]), sync_dist=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Makes the optimiser, whose rate falls to zero by a cosine."""
        optimizer = self.config.optimizer(self.parameters(), lr=self.config.lr)
        return schedules.scheduled(optimizer, schedules.cosine(self.trainer.estimated_stepping_batches))
