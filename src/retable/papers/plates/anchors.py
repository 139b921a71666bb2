"""Anchor sizes: the paper's pyramid, clusters of the training boxes beside it, and how well either fits boxes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torchmetrics import Metric

from retable.boxes import AXIS_ALIGNED, kmeans_anchors, shape_iou
from retable.papers.plates.detector.schema import ClusteredAnchorsConfig, PyramidAnchorsConfig
from retable.visualization.plots import COLOURS, new_figure, save_figure


class Anchors(Protocol):
    """What the option ``model.anchors`` is."""

    def __len__(self) -> int: ...

    def fit(self, sizes: Tensor) -> Tensor:
        """Returns the anchors, (A, 2) widths and heights in pixels, for training boxes (N, 2), N >= 1."""


class PyramidAnchors:
    """A pyramid over some smallest sizes, as in section III.B: ``minimum * scale ** level``.

    The paper's six sizes, fifteen levels and scale of 1.3 reach 394 x 1,968 pixels, far beyond its image of 672; its
    text has them so, and 540 filters need all 90.
    """

    def __init__(self, config: PyramidAnchorsConfig) -> None:
        self._config = config

    def __len__(self) -> int:
        return len(self._config.minimum) * self._config.levels

    def fit(self, sizes: Tensor) -> Tensor:
        """Returns the anchors, which no boxes change, level by level."""
        smallest = torch.tensor(self._config.minimum, dtype=torch.float32).flip(1)
        factors = self._config.scale ** torch.arange(self._config.levels, dtype=torch.float64)
        return (factors[:, None, None] * smallest).flatten(0, 1).to(sizes)


class ClusteredAnchors:
    """Anchors by k-means on the training boxes, as in YOLOv2's own paper."""

    def __init__(self, config: ClusteredAnchorsConfig) -> None:
        self._count = config.count

    def __len__(self) -> int:
        return self._count

    def fit(self, sizes: Tensor) -> Tensor:
        """Returns the centres of the clusters."""
        return kmeans_anchors(sizes, self._count)


def anchor_fit(sizes: Tensor, anchors: Tensor) -> dict[str, Tensor]:
    """How well anchors fit boxes: the IoU of each box with its best anchor, as shapes (the paper: 0.625 and 0.85).

    Args:
        sizes: (N, 2) widths and heights of boxes.
        anchors: (A, 2) of anchors.

    Returns:
        ``anchor_iou_min`` and ``anchor_iou_mean`` over the boxes; NaN where there are none.
    """
    if len(sizes) == 0:
        return dict.fromkeys(("anchor_iou_min", "anchor_iou_mean"), sizes.new_tensor(torch.nan))
    best = shape_iou(sizes, anchors).amax(dim=1)
    return {"anchor_iou_min": best.min(), "anchor_iou_mean": best.mean()}


class BoxSizes(Metric):
    """Widths and heights of the boxes that a test has seen, in all processes. `compute` is collective.

    Args:
        **kwargs: Passed to `torchmetrics.Metric`.
    """

    full_state_update = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("sizes", default=[], dist_reduce_fx="cat")

    def reset(self) -> None:
        """Forgets all boxes."""
        super().reset()
        none = torch.zeros(0, 4, device=self.device)  # a process that sees no image takes part in gathering
        self.update({"boxes": none, "difficult": none[:, 0].bool()})

    def update(self, target: Mapping[str, Tensor]) -> None:
        """Adds the boxes of an image that are not difficult."""
        sizes = AXIS_ALIGNED.sizes(target["boxes"][~target["difficult"]])
        self.sizes.append(sizes.to(self.device))  # type: ignore[operator, union-attr]

    def compute(self) -> Tensor:
        """Returns (N, 2) widths and heights."""
        sizes: Any = self.sizes
        found: Tensor = sizes if isinstance(sizes, Tensor) else torch.cat(sizes)
        return found


def draw_sizes(sizes: Tensor, anchors: Tensor, path: Path) -> None:
    """Draws widths and heights of boxes, and the anchors among them, as Fig. 3.

    Raises:
        OSError: The picture cannot be written.
    """
    figure, (panel,) = new_figure(1)
    for values, style, label in ((sizes, ".", "plates"), (anchors, "x", "anchors")):
        width, height = values.cpu().numpy().T
        panel.plot(
            width, height, style, color=COLOURS[style == "x"], alpha=0.5 if style == "." else 1, markersize=4,
            label=f"{len(width)} {label}",
        )  # fmt: skip
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("width, pixels")
    panel.set_ylabel("height, pixels")
    panel.legend()
    save_figure(figure, path)
