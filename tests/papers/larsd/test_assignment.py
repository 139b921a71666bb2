import math

import pytest
import torch
from tests.boxes.reference import points_in_boxes

from retable.boxes import shape_iou, upright_size
from retable.papers.larsd.assignment import Assignment, assign
from retable.papers.larsd.priors import Priors

GRIDS = [(16, 24), (8, 12), (4, 6)]
WIDTH, HEIGHT = 96, 64


def priors_for(sizes: torch.Tensor, anchors: bool = True) -> Priors:
    priors = Priors(["P2", "P3", "P4"], anchors, 5)
    priors.fit(sizes)
    return priors


def random_boxes(count: int, seed: int) -> torch.Tensor:
    r = torch.rand(count, 5, generator=torch.Generator().manual_seed(seed))
    length = 6 * torch.exp(2.5 * r[:, 2])
    parts = [r[:, 0] * WIDTH, r[:, 1] * HEIGHT, length, length / (2 + 4 * r[:, 3]), (r[:, 4] - 0.5) * math.pi]
    return torch.stack(parts, dim=1)


def all_slots(priors: Priors) -> list[tuple[int, float, float, int]]:
    """(level, x, y, anchor) of the slots of one image, in their order."""
    return [
        (level, (column + 0.5) * stride, (row + 0.5) * stride, anchor)
        for level, ((height, width), stride) in enumerate(zip(GRIDS, (4, 8, 16), strict=True))
        for row in range(height)
        for column in range(width)
        for anchor in range(priors.per_location)
    ]


def slow_rule(boxes: torch.Tensor, difficult: torch.Tensor, priors: Priors) -> tuple[dict[int, int], set[int]]:
    """The rule of section II.B.2 slot by slot: the box of each positive slot, and the ignored slots."""
    sizes, areas = upright_size(boxes), boxes[:, 2] * boxes[:, 3]
    slots = all_slots(priors)
    inside = points_in_boxes(torch.tensor([slot[1:3] for slot in slots]), boxes)
    iou = torch.stack([shape_iou(sizes, level) for level in priors.sizes])
    positive, ignored = {}, set()
    for number, (level, _, _, anchor) in enumerate(slots):
        best: tuple[float, float, int] | None = None
        for box in inside[number].nonzero().flatten().tolist():
            if difficult[box]:
                ignored.add(number)
                continue
            value = float(iou[level, box, anchor]) if priors.anchors else 1.0
            if best is None or (-value, float(areas[box]), box) < best:
                best = (-value, float(areas[box]), box)
        if best is not None and -best[0] > 0.5:
            positive[number] = best[2]
            ignored.discard(number)
        elif best is not None and -best[0] >= 0.2:
            ignored.add(number)
    return positive, ignored


def check_points_and_priors(found: Assignment, priors: Priors) -> None:
    slots = all_slots(priors)
    for slot, point, size in zip(
        found.positive_slots.tolist(), found.positive_points.tolist(), found.positive_priors, strict=True
    ):
        level, x, y, anchor = slots[slot % len(slots)]
        assert point == [x, y]
        assert torch.equal(size, priors.sizes[level, anchor])


@pytest.mark.parametrize("anchors", [True, False])
@pytest.mark.parametrize("seed", [0, 1])
def test_batch_equals_the_rule_applied_slot_by_slot(anchors: bool, seed: int) -> None:
    images = [random_boxes(9, seed), random_boxes(0, seed), random_boxes(6, seed + 10)]
    difficult = [torch.zeros(len(boxes), dtype=torch.bool) for boxes in images]
    difficult[0][:2] = True
    priors = priors_for(upright_size(random_boxes(60, seed + 20)), anchors)
    image_index = torch.repeat_interleave(torch.arange(3), torch.tensor([9, 0, 6]))
    found = assign(torch.cat(images), image_index, torch.cat(difficult), priors, GRIDS, 3, force_match=False)
    per_image, first_box = len(found.ignored) // 3, 0
    positive, ignored = {}, set()
    for image, (boxes, hard) in enumerate(zip(images, difficult, strict=True)):
        one_positive, one_ignored = slow_rule(boxes, hard, priors)
        positive |= {slot + image * per_image: box + first_box for slot, box in one_positive.items()}
        ignored |= {slot + image * per_image for slot in one_ignored}
        first_box += len(boxes)
    assert len(positive) > 20
    assert dict(zip(found.positive_slots.tolist(), found.positive_boxes.tolist(), strict=True)) == positive
    assert set(found.ignored.nonzero().flatten().tolist()) == ignored
    check_points_and_priors(found, priors)


def one_box(box: list[float], priors: Priors, force_match: bool, difficult: bool = False) -> Assignment:
    return assign(torch.tensor([box]), torch.tensor([0]), torch.tensor([difficult]), priors, GRIDS, 1, force_match)


def test_box_thinner_than_the_grid_gets_its_best_anchor_at_the_nearest_location() -> None:
    priors = priors_for(torch.tensor([[20.0, 1.0], [30.0, 8.0], [60.0, 16.0]]))
    box = [40.0, 32.0, 20.0, 1.0, 0.0]  # between the rows of cell centres at y = 30 and 34
    assert len(one_box(box, priors, force_match=False).positive_slots) == 0
    found = one_box(box, priors, force_match=True)
    assert found.positive_points.tolist() == [[42.0, 34.0]]
    assert found.positive_priors.tolist() == [[20.0, 1.0]]
    assert not found.ignored[found.positive_slots].any()


def test_box_of_a_shape_that_no_anchor_is_near_is_forced_on_the_best_one() -> None:
    priors = priors_for(torch.tensor([[10.0, 10.0], [12.0, 12.0], [14.0, 14.0]]))
    box = [48.0, 32.0, 90.0, 8.0, 0.1]
    assert len(one_box(box, priors, force_match=False).positive_slots) == 0
    found = one_box(box, priors, force_match=True)
    iou = shape_iou(upright_size(torch.tensor([box])), found.positive_priors)
    assert iou.item() == pytest.approx(priors.quality(torch.tensor([[90.0, 8.0]])).max().item())


def test_difficult_boxes_are_never_positive_and_nothing_in_them_is_background() -> None:
    priors = priors_for(torch.tensor([[20.0, 8.0], [30.0, 8.0], [60.0, 16.0]]))
    found = one_box([40.0, 32.0, 19.0, 9.0, 0.0], priors, force_match=True, difficult=True)
    assert len(found.positive_slots) == 0
    assert found.ignored.sum() == 5 * (4 * 2 + 2 * 2 + 1 * 0)  # cell centres inside, at strides 4, 8 and 16


def test_of_two_boxes_forced_into_one_slot_the_smaller_stays() -> None:
    priors = priors_for(torch.tensor([[10.0, 10.0], [12.0, 12.0], [14.0, 14.0]]))
    boxes = torch.tensor([[48.0, 32.0, 12.0, 1.0, 0.0], [48.0, 32.0, 11.0, 1.0, 0.0]])
    found = assign(boxes, torch.tensor([0, 0]), torch.zeros(2, dtype=torch.bool), priors, GRIDS, 1)
    assert found.positive_boxes.tolist() == [1]


def test_no_boxes_leave_everything_background() -> None:
    priors = priors_for(torch.tensor([[20.0, 8.0]]))
    none = torch.zeros(0, dtype=torch.int64)
    found = assign(torch.zeros(0, 5), none, none.bool(), priors, GRIDS, 2)
    assert len(found.positive_slots) == 0
    assert len(found.ignored) == 2 * 5 * sum(height * width for height, width in GRIDS)
    assert not found.ignored.any()


def test_box_beyond_the_image_does_not_leave_the_grid() -> None:
    priors = priors_for(torch.tensor([[20.0, 8.0]]))
    for centre in ([-30.0, -30.0], [200.0, 200.0]):
        found = one_box([*centre, 20.0, 8.0, 0.3], priors, force_match=True)
        assert ((found.positive_slots >= 0) & (found.positive_slots < len(found.ignored))).all()
        assert len(found.positive_slots) == 1
