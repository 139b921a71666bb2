import math
from dataclasses import replace

import pytest
import torch

from retable.boxes import rotated_iou
from retable.papers.larsd.lasa import aligned_scores, sampling_points
from retable.papers.larsd.postprocess import detections
from retable.papers.larsd.priors import Priors
from retable.papers.larsd.schema import LarsdConfig


def priors(levels: list[str], per_group: int = 2) -> Priors:
    made = Priors(levels, anchors=True, per_group=per_group)
    made.sizes.copy_(torch.arange(1, made.sizes.numel() + 1).view_as(made.sizes) * 4.0)
    return made


def outputs(made: Priors, classes: int = 1, images: int = 1) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    logits, regression = [], []
    for stride in made.strides:
        side = 64 // stride
        logits.append(torch.full((images, made.per_location * classes, side, side), -10.0))
        regression.append(torch.zeros(images, made.per_location * 5, side, side))
        regression[-1].view(images, -1, 5, side, side)[:, :, :4] = -math.log(2.0)
    return logits, regression


def test_a_single_peak_becomes_the_prior_at_its_location() -> None:
    made = priors(["P2", "P3"])
    logits, regression = outputs(made, images=2)
    logits[1][1, 1, 2, 5] = 3.0  # second image, P3, second anchor, row 2, column 5
    empty, found = detections(logits, regression, made, LarsdConfig(lasa="none"))
    assert empty["boxes"].shape == (0, 5)
    width, height = sorted(made.sizes[1, 1].tolist())
    expected = torch.tensor([[44.0, 20.0, height, width, -math.pi / 2]])
    torch.testing.assert_close(found["boxes"], expected)
    torch.testing.assert_close(found["scores"], torch.tensor([3.0]).sigmoid())
    assert found["labels"].tolist() == [0]


def test_slots_of_the_network_and_of_the_postprocessing_agree() -> None:
    """A slot that the loss calls s is the one that becomes a box at the location of s."""
    from retable.papers.larsd.assignment import assign
    from retable.papers.larsd.torch_model import slots

    made = priors(["P2", "P3", "P4"], per_group=3)
    boxes = torch.tensor([[20.0, 24.0, 18.0, 16.0, 0.2], [44.0, 40.0, 12.0, 7.0, 1.0]])
    grids = [(16, 16), (8, 8), (4, 4)]
    found = assign(boxes, torch.tensor([0, 0]), torch.tensor([False, False]), made, grids, 1)
    chosen = len(found.positive_slots) // 2
    logits, regression = outputs(made)
    for level in logits:
        level.requires_grad_(True)
    slots(logits, 1).view(-1)[found.positive_slots[chosen]].backward()
    peaks = [torch.where(level.grad != 0, 5.0, -10.0) if level.grad is not None else level for level in logits]
    (result,) = detections(peaks, regression, made, LarsdConfig(lasa="none"))
    torch.testing.assert_close(result["boxes"][:, :2], found.positive_points[chosen : chosen + 1])
    assert sorted(result["boxes"][0, 2:4].tolist()) == pytest.approx(sorted(found.positive_priors[chosen].tolist()))


def test_classes_are_told_apart_and_do_not_suppress_each_other() -> None:
    made = priors(["P2"], per_group=1)
    logits, regression = outputs(made, classes=2)
    logits[0][0, 0 * 2 + 1, 5, 5] = 3.0
    logits[0][0, 1 * 2 + 0, 5, 5] = 2.0
    (found,) = detections(logits, regression, made, LarsdConfig(num_classes=2, lasa="none", nms_threshold=0.0))
    assert found["labels"].tolist() == [1, 0]
    assert found["boxes"][:, 3].tolist() == sorted(found["boxes"][:, 3].tolist())


def test_overlapping_boxes_leave_the_best_and_limits_hold() -> None:
    torch.manual_seed(0)
    made = priors(["P2", "P3"])
    logits = [torch.randn(1, 2, 64 // stride, 64 // stride) for stride in made.strides]
    regression = [torch.randn(1, 10, 64 // stride, 64 // stride) * 0.3 for stride in made.strides]
    settings = LarsdConfig(lasa="none", nms_threshold=0.1, merge_threshold=1.0, max_detections=20)
    (found,) = detections(logits, regression, made, settings)
    assert 5 < len(found["boxes"]) <= 20
    assert (found["scores"].diff() <= 0).all()
    overlap = rotated_iou(found["boxes"], found["boxes"]) - torch.eye(len(found["boxes"]))
    assert overlap.max() <= 0.1
    assert found["scores"][0] == torch.cat([level.flatten() for level in logits]).max().sigmoid()


def test_only_the_best_candidates_of_a_level_stay() -> None:
    made = priors(["P2"], per_group=1)
    logits, regression = outputs(made)
    logits[0][0, 0, 0, :12:2] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    settings = LarsdConfig(lasa="none", candidates=2, nms_threshold=1.0)
    (found,) = detections(logits, regression, made, settings)
    torch.testing.assert_close(found["scores"], torch.tensor([6.0, 5.0]).sigmoid())


def test_alignment_replaces_the_scores_by_those_of_the_same_level_anchor_and_class() -> None:
    torch.manual_seed(0)
    made = priors(["P2"], per_group=1)
    logits = [torch.randn(1, 6, 16, 16) * 2]
    regression = [torch.randn(1, 15, 16, 16) * 0.2]
    settings = LarsdConfig(
        num_classes=2, lasa="diamond-9", lasa_extent=0.5, nms_threshold=1.0, merge_threshold=1.0, max_detections=10_000
    )
    (aligned,) = detections(logits, regression, made, settings)
    (plain,) = detections(logits, regression, made, replace(settings, lasa="none"))
    assert len(aligned["boxes"]) == len(plain["boxes"])
    keys = zip(aligned["boxes"].tolist(), aligned["labels"].tolist(), strict=True)
    row = {(*box, label): index for index, (box, label) in enumerate(keys)}
    maps, points = logits[0][0].sigmoid(), sampling_points("diamond-9", 0.5)
    for index in range(0, len(plain["boxes"]), 7):
        score, label = plain["scores"][index], int(plain["labels"][index])
        channel = [c for c in range(label, 6, 2) if (maps[c] == score).any()]
        expected = aligned_scores(maps, torch.tensor(channel), plain["boxes"][index : index + 1], 4, points)
        found = aligned["scores"][row[(*plain["boxes"][index].tolist(), label)]]
        torch.testing.assert_close(found, expected[0])


def test_candidates_are_the_local_maxima_of_their_anchors_map() -> None:
    made = priors(["P2"], per_group=1)
    logits, regression = outputs(made)
    logits[0][0, 0, 4, 4:7] = torch.tensor([2.0, 3.0, 1.0])
    logits[0][0, 1, 4, 5] = 1.0  # another anchor: below its neighbour there, yet a maximum of its own map
    settings = LarsdConfig(lasa="none", nms_threshold=1.0, merge_threshold=1.0)
    (found,) = detections(logits, regression, made, settings)
    torch.testing.assert_close(found["scores"], torch.tensor([3.0, 1.0]).sigmoid())


def test_a_kept_box_is_the_weighted_mean_of_the_boxes_around_it() -> None:
    made = priors(["P2"], per_group=1)
    made.sizes.fill_(20.0)
    logits, regression = outputs(made)
    logits[0][0, 0, 4, 4:6] = torch.tensor([3.0, 1.0])
    (found,) = detections(logits, regression, made, LarsdConfig(lasa="none"))
    scores = torch.tensor([3.0, 1.0]).sigmoid()
    expected = (scores * torch.tensor([18.0, 22.0])).sum() / scores.sum()
    torch.testing.assert_close(found["boxes"][0, 0], expected)
    torch.testing.assert_close(found["scores"], scores[:1])
