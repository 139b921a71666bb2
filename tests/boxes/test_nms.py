import math

import pytest
import torch
from tests.boxes.reference import greedy_nms, random_boxes

from retable.boxes import _batched, canonical, merge_rotated_boxes, rotated_iou, rotated_nms


def detections(objects, count, extent, seed):
    """Boxes that crowd around a few objects, as a detector's output does, with scores."""
    generator = torch.Generator().manual_seed(seed)
    centres = random_boxes(objects, extent, seed)[torch.randint(objects, (count,), generator=generator)]
    noise = torch.randn(count, 5, generator=generator) * torch.tensor([3.0, 3.0, 2.0, 1.0, 0.05])
    boxes = centres + noise
    boxes[:, 2:4] = boxes[:, 2:4].clamp(min=1)
    return canonical(boxes), torch.rand(count, generator=generator)


def batched(boxes, scores, threshold, labels=None):
    order = torch.argsort(scores, descending=True, stable=True)
    labels = torch.zeros(len(boxes), dtype=torch.int64) if labels is None else labels
    return order[_batched.suppress(boxes[order], labels[order], threshold)]


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.3, 0.7])
def test_kept_boxes_are_those_of_a_shapely_reference(threshold):
    boxes, scores = detections(40, 300, 600, 0)
    expected = greedy_nms(boxes, scores, threshold)
    assert 0 < len(expected) < 300
    assert rotated_nms(boxes, scores, threshold).tolist() == expected
    assert batched(boxes, scores, threshold).tolist() == expected


def test_classes_do_not_suppress_each_other():
    boxes, scores = detections(20, 200, 300, 1)
    labels = torch.randint(3, (200,), generator=torch.Generator().manual_seed(2))
    expected = greedy_nms(boxes, scores, 0.3, labels)
    assert rotated_nms(boxes, scores, 0.3, labels).tolist() == expected
    assert batched(boxes, scores, 0.3, labels).tolist() == expected
    apart = [
        k
        for label in range(3)
        for k in torch.nonzero(labels == label)[rotated_nms(boxes[labels == label], scores[labels == label], 0.3)]
        .flatten()
        .tolist()
    ]
    assert sorted(apart) == sorted(expected)


def test_both_paths_agree_over_many_blocks(monkeypatch):
    boxes, scores = detections(300, 3000, 1500, 3)
    kept = rotated_nms(boxes, scores, 0.2)
    assert torch.equal(batched(boxes, scores, 0.2), kept)
    monkeypatch.setattr(_batched, "_SUPPRESSION_BLOCK", 100)
    assert torch.equal(batched(boxes, scores, 0.2), kept)


def test_a_suppressed_box_suppresses_nothing():
    # a chain in which each box overlaps its neighbours only
    boxes = torch.tensor([[6.0 * k, 0, 10, 4, 0] for k in range(6)])
    scores = torch.arange(6, 0, -1).float()
    assert rotated_nms(boxes, scores, 0.1).tolist() == [0, 2, 4]
    assert batched(boxes, scores, 0.1).tolist() == [0, 2, 4]


def test_equal_scores_go_by_index_and_an_equal_iou_is_kept():
    boxes = torch.tensor([[0.0, 0, 4, 2, 0], [0, 0, 4, 2, 0], [0, 0, 2, 2, 0]])
    scores = torch.ones(3)
    assert rotated_nms(boxes, scores, 0.5).tolist() == [0, 2]  # IoU is 0.5 exactly: not above the threshold
    assert rotated_nms(boxes, scores, 1.0).tolist() == [0, 1, 2]
    assert batched(boxes, scores, 0.5).tolist() == [0, 2]


@pytest.mark.parametrize("giant", [False, True])
def test_grid_finds_every_neighbour(giant):
    # minute boxes over a wide field, with and without one box that covers a large part of it
    generator = torch.Generator().manual_seed(4)
    boxes = random_boxes(400, 4000, 5) * torch.tensor([1, 1, 0.05, 0.05, 1])
    boxes = torch.cat([boxes, boxes + torch.randn(400, 5, generator=generator) * 0.1])
    boxes[:, 2:4] = boxes[:, 2:4].abs()
    if giant:
        boxes = torch.cat([boxes, torch.tensor([[2000.0, 2000, 3000, 3000, 0.2]])])
    scores = torch.rand(len(boxes), generator=generator)
    assert torch.equal(rotated_nms(boxes, scores, 0.3), batched(boxes, scores, 0.3))
    assert len(rotated_nms(boxes, scores, 0.3)) < len(boxes)


def test_boxes_without_area_are_kept():
    boxes = torch.zeros(4, 5)
    assert rotated_nms(boxes, torch.rand(4), 0.0).sort().values.tolist() == [0, 1, 2, 3]


def test_none_and_one():
    result = rotated_nms(torch.zeros(0, 5), torch.zeros(0), 0.5)
    assert result.shape == (0,)
    assert result.dtype == torch.int64
    assert rotated_nms(torch.ones(1, 5), torch.ones(1), 0.5).tolist() == [0]
    assert batched(torch.zeros(0, 5), torch.zeros(0), 0.5).shape == (0,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_keeps_the_same_boxes():
    boxes, scores = detections(300, 3000, 1500, 6)
    kept = rotated_nms(boxes.cuda(), scores.cuda(), 0.3)
    assert kept.device.type == "cuda"
    assert torch.equal(kept.cpu(), rotated_nms(boxes, scores, 0.3))


def test_wrong_input_is_named():
    boxes, scores = detections(3, 10, 100, 7)
    with pytest.raises(ValueError, match=r"boxes must have shape \(N, 5\), got \(10, 4\)"):
        rotated_nms(boxes[:, :4], scores, 0.5)
    with pytest.raises(ValueError, match=r"scores must have shape \(10,\), got \(9,\)"):
        rotated_nms(boxes, scores[:9], 0.5)
    with pytest.raises(ValueError, match=r"labels must have shape \(10,\), got \(10, 1\)"):
        rotated_nms(boxes, scores, 0.5, torch.zeros(10, 1, dtype=torch.int64))
    with pytest.raises(ValueError, match="labels must be integers"):
        rotated_nms(boxes, scores, 0.5, torch.zeros(10))
    with pytest.raises(ValueError, match="iou_threshold"):
        rotated_nms(boxes, scores, 1.5)
    with pytest.raises(ValueError, match="iou_threshold"):
        rotated_nms(boxes, scores, math.nan)
    with pytest.raises(ValueError, match="scores must not contain NaN"):
        rotated_nms(boxes, scores * math.nan, 0.5)
    with pytest.raises(ValueError, match="boxes must be finite"):
        rotated_nms(boxes * math.nan, scores, 0.5)


def test_other_devices_take_the_batched_path(monkeypatch):
    # the way a GPU takes, walked on the CPU
    from retable.boxes import nms as module

    boxes, scores = detections(30, 300, 400, 8)
    labels = torch.randint(2, (300,), generator=torch.Generator().manual_seed(9))
    kept = rotated_nms(boxes, scores, 0.3, labels)
    monkeypatch.setattr(module, "has_batched_path", lambda boxes: True)
    monkeypatch.setattr(module, "_on_cpu", None)
    assert torch.equal(rotated_nms(boxes, scores, 0.3, labels), kept)
    assert rotated_nms(boxes[:0], scores[:0], 0.3).shape == (0,)


def ones(count):
    return torch.zeros(count, dtype=torch.int64)


def test_merging_is_the_weighted_mean_of_what_overlaps_enough():
    boxes = torch.tensor([[50.0, 50.0, 20.0, 10.0, 0.1], [52.0, 51.0, 22.0, 11.0, 0.2], [90.0, 50.0, 20.0, 10.0, 0.1]])
    weights = torch.tensor([0.75, 0.25, 0.9])
    merged = merge_rotated_boxes(boxes[:1], ones(1), boxes, weights, ones(3), 0.5)
    torch.testing.assert_close(merged, (boxes[:2] * weights[:2, None]).sum(0, keepdim=True))


@pytest.mark.parametrize(
    "other", [[50.0, 50.0, 20.0, 16.0, 0.1 + math.pi], [50.0, 50.0, 16.0, 20.0, 0.1 - math.pi / 2]]
)
def test_other_descriptions_of_a_rectangle_do_not_disturb_the_mean(other):
    box = torch.tensor([[50.0, 50.0, 20.0, 16.0, 0.1]])
    both = torch.cat([box, torch.tensor([other])])
    torch.testing.assert_close(merge_rotated_boxes(box, ones(1), both, torch.ones(2), ones(2), 0.5), box)


def test_the_mean_of_angles_on_both_sides_of_the_wrap():
    boxes = torch.tensor([[0.0, 0.0, 40.0, 20.0, math.pi / 2 - 0.05], [0.0, 0.0, 40.0, 20.0, -math.pi / 2 + 0.05]])
    merged = merge_rotated_boxes(boxes[:1], ones(1), boxes, torch.ones(2), ones(2), 0.5)
    torch.testing.assert_close(merged[0, 4].abs(), torch.tensor(math.pi / 2))


def test_merging_keeps_classes_apart_and_what_nothing_overlaps():
    boxes, _ = detections(10, 60, 300, 3)
    labels = torch.arange(60) % 2
    kept = torch.arange(6)
    same = merge_rotated_boxes(boxes[kept], labels[kept], boxes, torch.rand(60), 1 - labels, 0.999)
    torch.testing.assert_close(same, canonical(boxes[kept]))
    unmerged = merge_rotated_boxes(boxes[kept], labels[kept], boxes, torch.rand(60), labels, 1.0)
    torch.testing.assert_close(unmerged, canonical(boxes[kept]))
    weightless = merge_rotated_boxes(boxes[kept], labels[kept], boxes, torch.zeros(60), labels, 0.3)
    torch.testing.assert_close(weightless, canonical(boxes[kept]))
    merged = merge_rotated_boxes(boxes[kept], labels[kept], boxes, torch.rand(60), labels, 0.5)
    assert (rotated_iou(merged, boxes[kept]).diagonal() > 0.4).all()
    assert merge_rotated_boxes(boxes[:0], labels[:0], boxes, torch.rand(60), labels, 0.5).shape == (0, 5)
    with pytest.raises(ValueError, match="weights"):
        merge_rotated_boxes(boxes[:1], labels[:1], boxes, torch.rand(59), labels, 0.5)
