"""Self-attention of SAGAN (Zhang et al. 2018, arXiv 1805.08318), the essay's Fig. 5."""

import torch
from torch import Tensor, nn

from retable.papers.cars.networks.stages import normalise_spectrally


class SelfAttention(nn.Module):
    """Adds to each place of the maps what it attends to at all places: ``gamma o + x`` (SAGAN, eqs. 1 to 3).

    Query, key and value are 1 x 1 convolutions to an eighth of the channels, and a fourth one brings the result back to
    all of them; each is spectrally normalised, in the generator as in the discriminator (SAGAN, section 4; essay 3.4).
    Nothing is divided by the root of the channels, and the keys are not pooled: both are of later papers.

    Args:
        channels: Channels of the maps.

    Attributes:
        gamma: The learnt factor, 0 in the beginning, so that the module first does nothing.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        reduced = max(1, channels // 8)
        self.query = nn.Conv2d(channels, reduced, 1, bias=False)
        self.key = nn.Conv2d(channels, reduced, 1, bias=False)
        self.value = nn.Conv2d(channels, reduced, 1, bias=False)
        self.output = nn.Conv2d(reduced, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))
        normalise_spectrally(self)

    def forward(self, maps: Tensor) -> Tensor:
        """Attends over maps (B, C, H, W); returns the same shape."""
        # written out, because the library's fused attention cannot be differentiated twice, as latent optimisation does
        query, key, value = (layer(maps).flatten(2) for layer in (self.query, self.key, self.value))
        attention = torch.softmax(query.transpose(1, 2) @ key, dim=2)  # (B, places, places attended to)
        attended = (value @ attention.transpose(1, 2)).unflatten(2, maps.shape[2:])
        result: Tensor = maps + self.gamma * self.output(attended)
        return result
