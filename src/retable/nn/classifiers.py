"""Published ImageNet classifiers with a last layer of one's own, through timm."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.nn.backbones import load_starting_weights, timm_with
from retable.nn.schema import PublishedNetworkConfig


class PublishedClassifier(nn.Module):
    """Convolutional base of a published network, the mean of its maps, and a dense layer.

    This is what Keras makes with ``include_top=False, pooling="avg"`` and a dense layer: the fully connected layers of
    VGG, six sevenths of its weights, are left out. The base's own normalisation of the input is inside. All weights are
    trained. They start at random; `load_weights` brings others to the base.

    Args:
        config: The options.
        input_size: Side of the images in pixels; only checked here.
        classes: Number of classes.

    Attributes:
        weights_origin: Where the weights of the base began, see `retable.nn.backbones.load_starting_weights`.

    Raises:
        ConfigError: timm has no such convolutional network, or images of this size are too small for it.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: PublishedNetworkConfig, input_size: int, classes: int) -> None:
        super().__init__()
        timm = timm_with(config.name, "model.network.name")
        # depthwise convolutions are almost twice as fast with the channels last, others lose or gain a tenth
        self.body: Any = timm.create_model(config.name, pretrained=False, num_classes=0, global_pool="").to(
            memory_format=torch.channels_last
        )
        channels = self.body.num_features
        if hasattr(self.body, "pre_logits"):  # VGG's fully connected layers
            self.body.pre_logits = nn.Identity()
            channels = self.body.feature_info[-1]["num_chs"]
        self.name, self.weights_origin = config.name, "scratch"
        self.output = nn.Linear(channels, classes)
        cfg = self.body.pretrained_cfg
        self.register_buffer("mean", torch.tensor(cfg["mean"]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(cfg["std"]).view(3, 1, 1), persistent=False)
        self._check(input_size)

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logits (B, classes)."""
        normalised = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.body.forward_features(normalised)
        logits: Tensor = self.output(maps.mean(dim=(2, 3)))
        return logits

    def load_weights(self, weights: str) -> None:
        """Brings the base to its starting weights (see `retable.nn.backbones.load_starting_weights`)."""
        self.weights_origin = load_starting_weights(self.body, self.name, weights)

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
