"""YOLOv2's network on a backbone that is cut at stride 16."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retable.nn.backbones import Backbone
from retable.papers.plates.detector.schema import Yolov2Config

STRIDE = 16
_OBJECTNESS = -3.0  # a score of 0.05


class Yolov2Network(nn.Module):
    """Backbone, 3 x 3 convolutions, and a last 1 x 1 convolution of (C + 5) A filters (equation 1).

    The backbone is the paper's "ResNet40": ResNet-50 up to its fourth stage, ``activation_40`` in the library that the
    paper used, whose YOLOv2 has the 3 x 3 convolutions, too, each of as many channels as the backbone's map.

    Args:
        config: The options.

    Attributes:
        anchors: (A, 2) widths and heights in pixels, part of the state dict.
        fitted: Whether they were set for the training boxes.

    Raises:
        ConfigError: There is no such backbone.
    """

    anchors: Tensor
    fitted: Tensor

    def __init__(self, config: Yolov2Config) -> None:
        super().__init__()
        self.backbone = Backbone(config.backbone, config.backbone_width, strides=(STRIDE,))
        (channels,) = self.backbone.channels
        layers: list[nn.Module] = []
        for _ in range(config.head_layers):
            layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        self.head = nn.Sequential(*layers)
        count = len(config.anchors)
        self.output = nn.Conv2d(channels, (config.num_classes + 5) * count, 1)
        # at the start every slot predicts its own anchor, in the middle of its cell, and that it is hardly a plate
        nn.init.normal_(self.output.weight, std=0.01)
        assert self.output.bias is not None
        nn.init.zeros_(self.output.bias)
        with torch.no_grad():
            self.output.bias.view(count, -1)[:, 4] = _OBJECTNESS
        self.register_buffer("anchors", torch.ones(count, 2))
        self.register_buffer("fitted", torch.tensor(False))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Computes the raw outputs.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of 16.

        Returns:
            (B, H / 16, W / 16, A, 5 + C): t_x, t_y, t_w, t_h, t_o and the logits of the classes.
        """
        (maps,) = self.backbone(images.contiguous(memory_format=torch.channels_last))
        outputs: Tensor = self.output(self.head(maps)).permute(0, 2, 3, 1)
        return outputs.reshape(*outputs.shape[:3], len(self.anchors), -1)
