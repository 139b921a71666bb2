"""YOLOv2's anchor assignment for 90 anchors on 42 x 42 cells and a batch of 16, on one core.

The rule compares every predicted box with every plate of its image. Counted is the time of the whole rule: the
responsible anchors, which `assign` finds, and the predictions that are ignored, which the loss finds among those that
`assign` calls near. The reference compares all predictions densely, with torchvision's IoU. Processor times, the
fastest of several calls, both sides in turn. Exit code 1 if the target is missed or the two ignore other slots.
"""

import sys
from functools import partial

import torch
from torch import Tensor
from torchvision.ops import box_iou

from emoji_inference import fastest
from retable.boxes import shape_iou
from retable.papers.plates.anchors import PyramidAnchors
from retable.papers.plates.detector.assignment import assign, place
from retable.papers.plates.detector.coding import decode
from retable.papers.plates.detector.loss import ignored_slots
from retable.papers.plates.detector.schema import PyramidAnchorsConfig

IMAGES, GRID, STRIDE = 16, (42, 42), 16
THRESHOLD = 0.6
TARGET = 5.0  # ms
REPETITIONS = 20


def predicted_boxes(outputs: Tensor, anchors: Tensor) -> Tensor:
    """Boxes (B, H * W * A, 4) of outputs (B, H, W, A, 6)."""
    cells = place(torch.arange(GRID[0] * GRID[1]), GRID).view(*GRID, 1, 2)
    return decode(outputs, cells, anchors, STRIDE).flatten(1, 3)


def densely(outputs: Tensor, boxes: Tensor, anchors: Tensor) -> Tensor:
    """Slots that are ignored, by the overlaps of all predicted boxes with the plates (B, N, 4) of their image."""
    shape_iou((boxes[..., 2:] - boxes[..., :2]).flatten(0, 1), anchors).argmax(dim=1)
    pairs = zip(predicted_boxes(outputs, anchors), boxes, strict=True)
    return torch.stack([(box_iou(found, truth) > THRESHOLD).any(dim=1) for found, truth in pairs]).flatten().nonzero()


def by_rule(outputs: Tensor, boxes: Tensor, anchors: Tensor) -> Tensor:
    """The same slots as Retable finds them."""
    image_index = torch.arange(IMAGES).repeat_interleave(boxes.shape[1])
    easy, flat = torch.zeros(len(image_index), dtype=torch.bool), boxes.flatten(0, 1)
    assignment = assign(flat, image_index, easy, anchors, GRID, STRIDE, THRESHOLD)
    return ignored_slots(outputs, assignment, flat, easy, anchors, STRIDE, THRESHOLD)


def main() -> int:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    anchors = PyramidAnchors(PyramidAnchorsConfig()).fit(torch.ones(1, 2))
    outputs = 0.3 * torch.randn(IMAGES, *GRID, len(anchors), 6, generator=generator)
    failed = False
    print(f"anchor assignment, {len(anchors)} anchors, 42 x 42 cells, batch of {IMAGES}, fastest of {REPETITIONS}")
    print(f"{'plates an image':>16}{'dense':>12}{'retable':>12}{'ratio':>8}{'target':>10}{'ignored':>9}{'same':>6}")
    for plates in (1, 2, 4):
        centres = torch.rand(IMAGES, plates, 2, generator=generator) * 672
        half = torch.rand(IMAGES, plates, 1, generator=generator) * 50 * torch.tensor([1.0, 0.3]) + 5
        boxes = torch.cat([centres - half, centres + half], dim=2)
        ignored = densely(outputs, boxes, anchors)[:, 0].tolist()
        same = by_rule(outputs, boxes, anchors).unique().tolist() == ignored
        sides = partial(densely, outputs, boxes, anchors), partial(by_rule, outputs, boxes, anchors)
        theirs, mine = fastest(*sides, REPETITIONS)
        print(
            f"{plates:>16}{theirs:>9.1f} ms{mine:>9.2f} ms{theirs / mine:>7.0f}x{TARGET:>7.0f} ms{len(ignored):>9}"
            f"{'yes' if same else 'NO':>6}"
        )
        failed |= mine > TARGET or not same
    print("missed" if failed else "met")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
