"""Prior boxes of each level: anchors set from the training boxes and kept with the weights, or plain squares."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retable.boxes import kmeans_anchors, shape_iou

STRIDES = {"P2": 4, "P3": 8, "P4": 16}

_AREA_GROUPS = 3
# Without anchors the one prior of a level is a square of this many cells: about the geometric middle of the ships that
# FCOS-like detectors give to a level, and no number that is taken from the data.
_PRIOR_CELLS = 4.0


class Priors(nn.Module):
    """Anchor sizes, or without anchors one square a level.

    With anchors (section II.B.2): the training boxes are divided by area into three groups of equal count, and the
    sizes in each are clustered into `per_group` anchors. The paper does not say which level gets which group. Here
    several levels share the groups, the finest level getting the smallest ships (with two levels there are two
    groups), and a single level gets the anchors of all three groups.

    Without anchors (the baseline and LARSD-5 to LARSD-8): every level has one square prior of 4 x 4 cells, and every
    level learns every ship. Of the paper's rule, a location in the range of a ship and an IoU above 0.5 with the
    anchor, only the range is left. (With the ships shared out among the levels by area, as was tried first, three
    levels are far worse than P2 alone; the paper finds them slightly better.)

    All tensors are buffers, so that a checkpoint is complete. They are in pixels of the network's input.

    Args:
        levels: Names of the levels, finest first.
        anchors: Whether priors are clustered anchors.
        per_group: Anchors of each group of areas.

    Attributes:
        sizes: (L, K, 2) widths and heights in the form with theta in (-pi/4, pi/4].
        fitted: Whether they were set from training boxes.
    """

    sizes: Tensor
    fitted: Tensor

    def __init__(self, levels: Sequence[str], anchors: bool, per_group: int) -> None:
        super().__init__()
        self.anchors = anchors
        self.strides = [STRIDES[level] for level in levels]
        self.groups = len(levels) if len(levels) > 1 or not anchors else _AREA_GROUPS
        self.per_group = per_group if anchors else 1
        self.per_location = self.per_group * self.groups // len(levels)
        squares = torch.tensor([_PRIOR_CELLS * stride for stride in self.strides])
        self.register_buffer("sizes", squares.view(-1, 1, 1).repeat(1, self.per_location, 2))
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def fit(self, sizes: Tensor) -> None:
        """Sets the anchors from the training boxes; deterministic.

        Args:
            sizes: (N, 2) widths and heights of the boxes as they enter the network, N >= 1, in the form with theta in
                (-pi/4, pi/4], pixels.

        Raises:
            ValueError: There is no box, or a size is not positive and finite.
        """
        if len(sizes) == 0:
            raise ValueError("anchors need at least one training box")
        if self.anchors:
            sizes = sizes.detach().to("cpu", torch.float32)
            order = torch.argsort(sizes.prod(dim=1), stable=True)
            groups = torch.tensor_split(order, self.groups)
            # with fewer boxes than groups, an empty group takes all boxes
            clusters = [kmeans_anchors(sizes[group if len(group) else order], self.per_group) for group in groups]
            self.sizes.copy_(torch.cat(clusters).view_as(self.sizes))
        self.fitted.fill_(True)

    def quality(self, sizes: Tensor) -> Tensor:
        """How well each prior suits each box: what the assignment compares with its thresholds.

        Args:
            sizes: (M, 2) widths and heights of boxes in the form with theta in (-pi/4, pi/4], pixels.

        Returns:
            (L, M, K): with anchors the IoU of shapes with the same centre; without, 1.
        """
        levels, per_location, _ = self.sizes.shape
        if self.anchors:
            iou = shape_iou(sizes, self.sizes.reshape(-1, 2).to(sizes.dtype))
            return iou.view(-1, levels, per_location).transpose(0, 1)
        return sizes.new_ones(levels, len(sizes), per_location)
