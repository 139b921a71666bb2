"""Published ImageNet classifiers with a last layer of one's own, through timm."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.nn.backbones import PublishedNetwork, timm_with
from retable.nn.schema import PublishedNetworkConfig


class PublishedClassifier(PublishedNetwork):
    """Convolutional base of a published network, the mean of its maps, and a dense layer.

    This is what Keras makes with ``include_top=False, pooling="avg"`` and a dense layer: the fully connected layers of
    VGG, six sevenths of its weights, are left out. All weights are trained.

    Args:
        config: The options.
        input_size: Side of the images in pixels; only checked here.
        classes: Number of classes.

    Raises:
        ConfigError: timm has no such convolutional network, or images of this size are too small for it.
    """

    def __init__(self, config: PublishedNetworkConfig, input_size: int, classes: int) -> None:
        timm = timm_with(config.name, "model.network.name")
        # depthwise convolutions are almost twice as fast with the channels last, others lose or gain a tenth
        body = timm.create_model(config.name, pretrained=False, num_classes=0, global_pool="").to(
            memory_format=torch.channels_last
        )
        super().__init__(config.name, body.pretrained_cfg["mean"], body.pretrained_cfg["std"])
        self.body = body
        channels = self.body.num_features
        if hasattr(self.body, "pre_logits"):  # VGG's fully connected layers
            self.body.pre_logits = nn.Identity()
            channels = self.body.feature_info[-1]["num_chs"]
        self.output = nn.Linear(channels, classes)
        self._check(input_size)

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logits (B, classes)."""
        normalised = self.normalised(images).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.body.forward_features(normalised)
        logits: Tensor = self.output(maps.mean(dim=(2, 3)))
        return logits

    def _check(self, input_size: int) -> None:
        was_training = self.training
        try:
            with torch.no_grad():
                maps = self.eval().body.forward_features(torch.zeros(1, 3, input_size, input_size))
        except RuntimeError as error:
            raise ConfigError(
                f"model.input_size={input_size}: too small for {self.name} ({str(error).splitlines()[0]})"
            ) from error
        finally:
            self.train(was_training)
        if maps.dim() != 4 or maps.shape[1] != self.output.in_features:
            raise ConfigError(f"model.network.name: {self.name} is no convolutional network")
