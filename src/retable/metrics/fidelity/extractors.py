"""What a feature extractor of the scores has to offer."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Features(NamedTuple):
    """What an extractor finds in N images, float32 on the CPU.

    Attributes:
        features: (N, d), for FID, KID, precision and recall.
        logits: (N, K) of classes, for the inception score.
    """

    features: Tensor
    logits: Tensor


class Extractor:
    """A fixed network whose features are compared.

    The same image always has the same features: no autocast, no reduced precision, deterministic convolutions.

    Args:
        network: Maps uint8 images (B, 3, H, W), of any size, to features (B, d) and logits (B, K).
        batch_size: Images that go through it at a time, which bounds the memory.

    Attributes:
        suffix: What is appended to the names of the scores: empty for the published ones alone.
        origin: The network and the sha256 of its weights, for the record.
    """

    suffix: str
    origin: str

    def __init__(self, network: nn.Module, batch_size: int) -> None:
        self._network = network.eval().requires_grad_(False)
        self._batch_size = batch_size

    def __call__(self, images: Tensor, device: torch.device | None = None) -> Features:
        """Extracts features.

        Args:
            images: uint8 (N, 3, H, W).
            device: Where the network works; by default where the images are.
        """
        device = device or images.device
        self._network.to(device)
        parts = []
        with (
            torch.inference_mode(),
            torch.autocast(device.type, enabled=False),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            for chunk in torch.split(images, self._batch_size):
                features, logits = self._network(chunk.to(device))
                parts.append((features.float().cpu(), logits.float().cpu()))
        return Features(torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]))


def as_uint8(images: Tensor) -> Tensor:
    """Rounds images in [0, 1] to the 256 levels that a file would have: real and generated ones are then alike."""
    if images.dtype == torch.uint8:
        return images
    return images.float().clamp(0, 1).mul(255).round().to(torch.uint8)
