"""YOLOv2's rules, slot by slot as its authors' code has them."""

from typing import Any

import pytest
import torch
from tests.papers.plates.detectors import config
from torch import Tensor
from torchvision.ops import box_iou

from retable.papers.plates.detector.assignment import Assignment, assign, place
from retable.papers.plates.detector.coding import decode
from retable.papers.plates.detector.loss import yolov2_loss

ANCHORS = torch.tensor([[16.0, 8], [32, 12], [20, 24]])
GRID, STRIDE, IMAGES = (5, 7), 16, 2
Batch = dict[str, Any]


def batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(6, 2, generator=generator) * torch.tensor([GRID[1] * 16.0, GRID[0] * 16.0])
    half = torch.rand(6, 2, generator=generator) * torch.tensor([24.0, 12]) + 3
    return {
        "boxes": torch.cat([centres - half, centres + half], dim=1),
        "image_index": torch.tensor([0, 0, 0, 1, 1, 1]),
        "difficult": torch.tensor([False, False, True, False, False, False]),
    }


def assigned(found: Batch, threshold: float = 0.6) -> Assignment:
    return assign(**found, anchors=ANCHORS, grid=GRID, stride=STRIDE, ignore_threshold=threshold)


def outputs(classes: int = 2, seed: int = 0) -> Tensor:
    shape = (IMAGES, *GRID, len(ANCHORS), 5 + classes)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def every_slot() -> tuple[Tensor, Tensor]:
    slots = torch.arange(IMAGES * GRID[0] * GRID[1] * len(ANCHORS))
    return place(slots // len(ANCHORS), GRID), slots % len(ANCHORS)


def test_outputs_of_zero_are_the_anchor_in_the_middle_of_its_cell() -> None:
    box = decode(torch.zeros(1, 5), torch.tensor([[2, 1]]), ANCHORS[:1], STRIDE)
    assert box.tolist() == [[40 - 8, 24 - 4, 40 + 8, 24 + 4]]
    moved = decode(torch.tensor([[20.0, -20, 0.0, 1000]]), torch.tensor([[2, 1]]), ANCHORS[:1], STRIDE)
    assert moved[0].tolist() == pytest.approx([48 - 8, 16 - 4 * 64, 48 + 8, 16 + 4 * 64], rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_cell_of_the_centre_predicts_a_plate_by_its_best_anchor(seed: int) -> None:
    found = batch(seed)
    assignment = assigned(found)
    expected = {}
    for index, (x1, y1, x2, y2) in enumerate(found["boxes"].tolist()):
        if found["difficult"][index]:
            continue
        column, row = int((x1 + x2) / 2 // 16), int((y1 + y2) / 2 // 16)
        shapes = torch.cat([-ANCHORS / 2, ANCHORS / 2], dim=1)
        own = torch.tensor([[(x1 - x2) / 2, (y1 - y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2]])
        anchor = int(box_iou(own, shapes).argmax())
        slot = ((int(found["image_index"][index]) * GRID[0] + row) * GRID[1] + column) * 3 + anchor
        expected[slot] = index
    assert dict(zip(assignment.slots.tolist(), assignment.boxes.tolist(), strict=True)) == expected


def test_of_two_plates_in_a_slot_the_smaller_has_it_and_centres_outside_take_the_border() -> None:
    boxes = torch.tensor([[1.0, 1, 15, 9], [0, 0, 16, 8], [-60, 70, -40, 80]])
    three = {"boxes": boxes, "image_index": torch.zeros(3).long(), "difficult": torch.zeros(3).bool()}
    assignment = assigned(three)
    assert assignment.boxes.tolist() == [0, 2]
    assert place(assignment.slots // 3, GRID).tolist() == [[0, 0], [0, 4]]


def test_images_without_plates() -> None:
    none = {"boxes": torch.zeros(0, 4), "image_index": torch.zeros(0).long(), "difficult": torch.zeros(0).bool()}
    assignment = assigned(none)
    labels = torch.zeros(0, dtype=torch.int64)
    found = outputs()
    parts = yolov2_loss(found, assignment, none["boxes"], labels, none["difficult"], ANCHORS, STRIDE, config())
    assert parts.total == parts.background
    torch.testing.assert_close(parts.background, found[..., 4].sigmoid().square().sum() / IMAGES)


def naive(found: Batch, outputs: Tensor, labels: Tensor, options: Any) -> list[float]:
    """The loss, one slot at a time, with each predicted box compared with each plate."""
    flat = outputs.reshape(-1, outputs.shape[-1])
    cells, anchor = every_slot()
    predicted = decode(flat, cells, ANCHORS[anchor], STRIDE)
    iou = box_iou(predicted, found["boxes"])
    image = torch.arange(len(flat)) // (len(flat) // IMAGES)
    assignment = assigned(found, options.ignore_threshold)
    responsible = dict(zip(assignment.slots.tolist(), assignment.boxes.tolist(), strict=True))
    parts = [0.0, 0.0, 0.0, 0.0]
    for slot, output in enumerate(flat):
        here = found["image_index"] == image[slot]
        objectness = float(output[4].sigmoid())
        if slot in responsible:
            index = responsible[slot]
            x1, y1, x2, y2 = found["boxes"][index].tolist()
            width, height = x2 - x1, y2 - y1
            parts[0] += 5 * (objectness - float(iou[slot, index])) ** 2
            column, row = cells[slot].tolist()
            w, h = ANCHORS[anchor[slot]].tolist()
            truth = torch.tensor([(x1 + x2) / 32 - column, (y1 + y2) / 32 - row, width / w, height / h])
            error = torch.cat([output[:2].sigmoid() - truth[:2], output[2:4] - truth[2:].log()])
            parts[2] += (2 - width * height / (80 * 112)) * float(error.square().sum())
            wanted = torch.eye(2)[labels[index]]
            parts[3] += float((output[5:].softmax(0) - wanted).square().sum())
        elif not (iou[slot][here & ~found["difficult"]] > options.ignore_threshold).any():
            hidden = found["boxes"][here & found["difficult"]].tolist()
            x, y = cells[slot].tolist()
            near = any(
                x1 < 16 * x + 16 and x2 >= 16 * x and y1 < 16 * y + 16 and y2 >= 16 * y for x1, y1, x2, y2 in hidden
            )
            parts[1] += 0 if near else objectness**2
    return [part / IMAGES for part in parts]


@pytest.mark.parametrize("seed", range(4))
def test_the_loss_is_the_sum_over_all_slots_one_by_one(seed: int) -> None:
    found, labels = batch(seed), torch.tensor([0, 1, 0, 1, 1, 0])
    # predictions that lie near the plates, so that some are to be ignored
    raw = 0.3 * outputs(seed=seed)
    options = config(num_classes=2, ignore_threshold=0.35)
    args = (found["boxes"], labels, found["difficult"], ANCHORS, STRIDE, options)
    parts = yolov2_loss(raw, assigned(found, 0.35), *args)
    expected = naive(found, raw, labels, options)
    assert [float(part) for part in vars(parts).values()] == pytest.approx(expected, rel=1e-4)
    assert float(parts.total) == pytest.approx(sum(expected), rel=1e-4)


@pytest.mark.parametrize("threshold", [0.3, 0.6])
def test_no_prediction_beyond_the_near_slots_can_overlap_so_much(threshold: float) -> None:
    found = batch(5)
    found["difficult"][:] = False
    assignment = assigned(found, threshold)
    near = set(zip(assignment.near_cells.tolist(), assignment.near_boxes.tolist(), strict=True))
    cells, anchor = every_slot()
    per_image = GRID[0] * GRID[1] * len(ANCHORS)
    hits = 0
    for seed in range(100):
        predicted = decode(0.7 * outputs(seed=seed).reshape(-1, 7), cells, ANCHORS[anchor], STRIDE)
        for slot, box in (box_iou(predicted, found["boxes"]) > threshold).nonzero().tolist():
            if found["image_index"][box] == slot // per_image:
                assert (slot // 3, box) in near
                hits += 1
    assert hits > 10
