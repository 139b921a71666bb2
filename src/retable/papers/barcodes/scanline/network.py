"""From the picture of a symbol to what each of its digits may be."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retable.papers.barcodes.scanline.schema import ScanlineReaderConfig
from retable.papers.barcodes.symbology.ean13 import MODULES, SLOT_MODULES, SLOT_STARTS, SLOTS

SHAPES = 30
"""What a digit may look like: ten digits in each of the code sets L, G and R."""


class _Block(nn.Module):
    """Two convolutions along the symbol beside an identity."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        reach = kernel // 2
        self.body = nn.Sequential(
            nn.Conv1d(channels, channels, kernel, padding=reach * dilation, dilation=dilation, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(inplace=True),
            nn.Conv1d(channels, channels, kernel, padding=reach, bias=False),
            nn.BatchNorm1d(channels),
        )

    def forward(self, line: Tensor) -> Tensor:
        return F.relu(line + self.body(line))


class ScanlineNet(nn.Module):
    """Reads pictures of symbols.

    Convolutions over the picture; then rows are averaged, each place of the symbol with its own weights, so that a row
    under a glare or below the bars does not count there; then residual convolutions along the symbol. Each of the
    twelve digits looks where it finds itself, by attention that begins at its nominal place.

    Args:
        config: Its sizes, and the pictures' width and margin.
    """

    def __init__(self, config: ScanlineReaderConfig) -> None:
        super().__init__()
        rows, channels = config.rows, config.channels
        self.over_rows = nn.Sequential(
            nn.Conv2d(1, rows, (5, 7), stride=(2, 2), padding=(2, 3), bias=False),
            nn.BatchNorm2d(rows),
            nn.ReLU(inplace=True),
            nn.Conv2d(rows, rows, (3, 5), stride=(2, 1), padding=(1, 2), bias=False),
            nn.BatchNorm2d(rows),
            nn.ReLU(inplace=True),
        )
        self.row_weights = nn.Conv2d(rows, 1, (1, 9), padding=(0, 4))
        self.join = nn.Sequential(
            nn.Conv1d(rows, channels, 9, stride=2, padding=4, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(inplace=True),
        )
        self.along = nn.Sequential(
            *(_Block(channels, config.kernel, (1, 2, 4)[block % 3]) for block in range(config.blocks))
        )
        self.places = nn.Conv1d(channels, SLOTS, 1)
        self.shapes = nn.Linear(channels, SHAPES)
        self.no_symbol = nn.Linear(2 * channels, 1)
        samples = -(-config.width // 4)
        middles = (torch.from_numpy(SLOT_STARTS) + SLOT_MODULES / 2) / MODULES
        at = (torch.arange(samples) + 0.5) / samples * (1 + 2 * config.margin) - config.margin
        nearness = -0.5 * ((at - middles[:, None]) / (SLOT_MODULES / MODULES)).square()
        self.bias = nn.Parameter(nearness.float())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Reads.

        Args:
            images: (B, 1, H, W), grey in [0, 1].

        Returns:
            Scores (B, 12, 30) of what each digit looks like, in the order of code sets L, G, R, and (B,) of there being
            no symbol the right way up.
        """
        deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True)
        maps = self.over_rows((images - mean) / (deviation + 0.02))
        line = (maps * self.row_weights(maps).softmax(dim=2)).sum(dim=2)
        line = self.along(self.join(line))
        looks = (self.places(line) + self.bias).softmax(dim=2)
        found = self.shapes(looks @ line.transpose(1, 2))
        whole = torch.cat([line.mean(dim=2), line.amax(dim=2)], dim=1)
        return found, self.no_symbol(whole)[:, 0]
