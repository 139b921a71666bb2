import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.boxes.reference import random_boxes, shapely_iou

from retable.boxes import (
    _batched,
    axis_aligned_iou,
    axis_aligned_iou_aligned,
    canonical,
    rotated_iou,
    rotated_iou_aligned,
    shape_iou,
)

PI = math.pi


def both_paths(boxes1, boxes2):
    """IoU by the kernels and by the batched path, which must agree."""
    result = rotated_iou(boxes1, boxes2)
    batched = _batched.pairwise(boxes1, boxes2)
    torch.testing.assert_close(batched, result, atol=1e-7, rtol=0)
    return result.numpy()


@pytest.mark.parametrize(("extent", "offset"), [(60, 0), (600, 0), (300, 7000)])
def test_random_boxes_against_shapely(extent, offset):
    first, second = random_boxes(60, extent, 0, offset), random_boxes(90, extent, 1, offset)
    result = both_paths(first, second)
    assert np.abs(result - shapely_iou(first, second)).max() < 1e-6


def test_adversarial_boxes_against_shapely():
    """Nested, touching, shifted along a side, equal but for tiny turns, thin, minute and huge ones."""
    base = torch.tensor([100.0, 50.0, 80.0, 20.0, 0.4], dtype=torch.float64)
    along = torch.tensor([math.cos(0.4), math.sin(0.4), 0, 0, 0], dtype=torch.float64)
    across = torch.tensor([-math.sin(0.4), math.cos(0.4), 0, 0, 0], dtype=torch.float64)
    variants = [base + k * along for k in (0, 40, 79.999, 80, 80.001, 1e-7, 1e-12)]
    variants += [base + k * across for k in (10, 19.999, 20, 20.001, 1e-7, 1e-12)]
    variants += [base + torch.tensor([0, 0, a, b, 0]) for a, b in ((-40, -10), (-40, 0), (40, 40), (0, -19.999))]
    for turn in (1e-15, 1e-12, 1e-9, 1e-8, 1e-6, 1e-4, 1e-2):
        for quarter in range(-2, 3):
            sides = base if quarter % 2 == 0 else base[[0, 1, 3, 2, 4]]
            variants.append(sides + torch.tensor([0, 0, 0, 0, quarter * PI / 2 + turn]))
            variants.append(base + torch.tensor([0, 0, 0, 0, quarter * PI / 2 - turn]))
    variants += [base * torch.tensor([1, 1, 1e-3, 1e-3, 1]), base * torch.tensor([1, 1, 100, 100, 1])]
    variants += [base * torch.tensor([1, 1, 10, 1e-3, 1]), base * torch.tensor([1, 1, 1e-3, 10, 1])]
    boxes = torch.stack(variants)
    result = both_paths(boxes, boxes)
    assert np.abs(result - shapely_iou(boxes, boxes)).max() < 1e-6


def test_boxes_on_a_lattice_against_shapely():
    # equal sizes and angles in steps of 15 degrees: parallel and shared edges, shared corners
    generator = torch.Generator().manual_seed(2)
    boxes = torch.randint(0, 6, (150, 5), generator=generator).float()
    boxes = boxes * torch.tensor([5, 5, 10, 5, PI / 12]) + torch.tensor([0, 0, 10, 5, 0])
    assert np.abs(both_paths(boxes, boxes) - shapely_iou(boxes, boxes)).max() < 1e-6


@pytest.mark.parametrize("offset", [0, 4000, 100_000])
def test_a_box_overlaps_itself_fully_and_in_every_form(offset):
    boxes = random_boxes(300, 200, 3, offset)
    assert torch.equal(rotated_iou_aligned(boxes, boxes), torch.ones(300))
    assert torch.equal(_batched.aligned(boxes, boxes), torch.ones(300))
    assert (rotated_iou_aligned(boxes, canonical(boxes)) > 1 - 3e-5).all()
    wide = boxes.double()
    assert (rotated_iou_aligned(wide, canonical(wide)) > 1 - 1e-7).all()


def test_known_overlaps():
    square = torch.tensor([[0.0, 0.0, 2.0, 2.0, 0.0]])
    others = torch.tensor(
        [
            [1.0, 0.0, 2.0, 2.0, 0.0],  # half of each
            [0.0, 0.0, 2.0, 2.0, PI / 4],  # a regular octagon of area 8 (sqrt 2 - 1)
            [0.0, 0.0, 1.0, 1.0, 0.7],  # nested
            [2.0, 0.0, 2.0, 2.0, 0.0],  # a shared side
            [2.0, 2.0, 2.0, 2.0, 0.0],  # a shared corner
            [1 + math.sqrt(2) + 1e-6, 0.0, 2.0, 2.0, PI / 4],  # circles and bounding boxes meet, the boxes do not quite
            [50.0, 0.0, 2.0, 2.0, 0.0],
        ]
    )
    octagon = 8 * (math.sqrt(2) - 1)
    expected = [1 / 3, octagon / (8 - octagon), 0.25, 0, 0, 0, 0]
    assert both_paths(square, others)[0].tolist() == pytest.approx(expected, abs=1e-7)
    assert both_paths(others, square)[:, 0].tolist() == pytest.approx(expected, abs=1e-7)


def test_disjoint_boxes_have_no_overlap_at_all():
    first, second = random_boxes(100, 400, 4), random_boxes(100, 400, 5)
    apart = shapely_iou(first, second) == 0
    assert apart.sum() > 1000
    assert (both_paths(first, second)[apart] == 0).all()


def test_boxes_without_area_overlap_nothing():
    boxes = torch.tensor([[5.0, 5, 0, 0, 0], [5, 5, 10, 0, 0.3], [5, 5, 0, 10, 0.3], [5, 5, 10, 10, 0.3]])
    expected = torch.zeros(4, 4)
    expected[3, 3] = 1
    assert np.array_equal(both_paths(boxes, boxes), expected.numpy())
    assert rotated_iou_aligned(boxes, boxes).tolist() == [0, 0, 0, 1]


def test_aligned_is_the_diagonal():
    first, second = random_boxes(200, 80, 6), random_boxes(200, 80, 7)
    diagonal = rotated_iou(first, second).diagonal()
    torch.testing.assert_close(rotated_iou_aligned(first, second), diagonal, atol=1e-7, rtol=0)
    torch.testing.assert_close(_batched.aligned(first, second), diagonal, atol=1e-7, rtol=0)


def test_swapping_the_sets_transposes_the_matrix():
    first, second = random_boxes(50, 100, 8), random_boxes(70, 100, 9)
    torch.testing.assert_close(rotated_iou(first, second), rotated_iou(second, first).T, atol=1e-7, rtol=0)


def test_more_boxes_than_a_block_and_more_threads_than_one():
    first, second = random_boxes(1500, 900, 10), random_boxes(1600, 900, 11)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = rotated_iou(first, second)
        torch.set_num_threads(3)
        together = rotated_iou(first, second)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone, together)
    assert np.abs(alone[:20].numpy() - shapely_iou(first[:20], second)).max() < 1e-6


def test_batched_path_in_small_pieces(monkeypatch):
    first, second = random_boxes(40, 100, 12), random_boxes(50, 100, 13)
    whole = rotated_iou(first, second)
    for pairs in (7, 64, 333):
        monkeypatch.setattr(_batched, "_PAIRS", pairs)
        torch.testing.assert_close(_batched.pairwise(first, second), whole, atol=1e-7, rtol=0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.slow
def test_forked_worker_computes_after_the_parent_did():
    # DataLoader workers are forks: the threads that the parent has started do not exist in them
    code = """
import os, sys, torch
from retable.boxes import rotated_iou, rotated_nms
torch.set_num_threads(2)
boxes = torch.rand(1500, 5) * 1000
expected = rotated_iou(boxes, boxes).numpy()
kept = rotated_nms(boxes, boxes[:, 0], 0.5).tolist()
child = os.fork()
if child == 0:
    same = (rotated_iou(boxes, boxes).numpy() == expected).all()
    os._exit(0 if same and rotated_nms(boxes, boxes[:, 0], 0.5).tolist() == kept else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code]).returncode == 0


@pytest.mark.slow
def test_numba_is_not_imported_with_the_package():
    code = "import sys, retable.boxes; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_kernels():
    first, second = random_boxes(500, 500, 14), random_boxes(700, 500, 15)
    expected = rotated_iou(first, second)
    torch.testing.assert_close(rotated_iou(first.cuda(), second.cuda()).cpu(), expected, atol=1e-6, rtol=0)
    aligned = rotated_iou_aligned(first.cuda(), second[:500].cuda()).cpu()
    torch.testing.assert_close(aligned, expected.diagonal(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("shapes", [((0, 5), (3, 5)), ((3, 5), (0, 5)), ((0, 5), (0, 5))])
def test_empty_sets(shapes):
    first, second = torch.zeros(shapes[0]), torch.zeros(shapes[1])
    assert rotated_iou(first, second).shape == (shapes[0][0], shapes[1][0])
    assert _batched.pairwise(first, second).shape == (shapes[0][0], shapes[1][0])
    assert rotated_iou_aligned(first[:0], second[:0]).shape == (0,)
    assert _batched.aligned(first[:0], second[:0]).shape == (0,)


def test_gradients_and_other_types_are_accepted():
    boxes = random_boxes(5, 20, 16)
    expected = rotated_iou(boxes, boxes)
    assert torch.equal(rotated_iou(boxes.clone().requires_grad_(), boxes), expected)
    assert rotated_iou(boxes.half(), boxes.half()).dtype == torch.float32
    assert rotated_iou(boxes.long(), boxes.long()).diagonal().tolist() == [1] * 5
    strided = torch.cat([boxes, boxes], dim=1)[:, :5]
    assert torch.equal(rotated_iou(strided, strided), expected)


@pytest.mark.parametrize("function", [rotated_iou, rotated_iou_aligned])
def test_wrong_input_is_named(function):
    good = random_boxes(3, 20, 17)
    with pytest.raises(ValueError, match=r"boxes1 must have shape \(N, 5\), got \(3, 4\)"):
        function(good[:, :4], good)
    with pytest.raises(ValueError, match=r"boxes2 must have shape \(N, 5\), got \(5,\)"):
        function(good, good[0])
    for column, value in ((0, math.nan), (4, math.nan), (2, math.inf)):
        bad = good.clone()
        bad[1, column] = value
        with pytest.raises(ValueError, match="boxes2 must be finite, row 1"):
            function(good, bad)
    bad = good.clone()
    bad[2, 3] = -1
    with pytest.raises(ValueError, match="boxes1 must have w >= 0 and h >= 0, row 2"):
        function(bad, good)


def test_aligned_refuses_sets_of_different_length():
    with pytest.raises(ValueError, match=r"\(3, 5\) and \(2, 5\)"):
        rotated_iou_aligned(torch.ones(3, 5), torch.ones(2, 5))


def test_shape_iou_is_rotated_iou_of_boxes_on_one_centre():
    sizes1, sizes2 = random_boxes(20, 10, 18)[:, 2:4], random_boxes(30, 10, 19)[:, 2:4]

    def placed(sizes):
        count = len(sizes)
        return torch.cat([torch.full((count, 2), 9.0), sizes, torch.full((count, 1), 0.3)], dim=1)

    expected = rotated_iou(placed(sizes1), placed(sizes2))
    torch.testing.assert_close(shape_iou(sizes1, sizes2), expected, atol=1e-6, rtol=0)
    assert shape_iou(torch.zeros(1, 2), torch.zeros(1, 2)).tolist() == [[0.0]]
    assert shape_iou(torch.zeros(0, 2), sizes2).shape == (0, 30)
    with pytest.raises(ValueError, match=r"\(4, 3\)"):
        shape_iou(torch.zeros(4, 3), sizes2)


def test_axis_aligned_iou_is_rotated_iou_without_turning():
    boxes1, boxes2 = random_boxes(30, 100, 20), random_boxes(40, 100, 21)
    boxes1[:, 4] = boxes2[:, 4] = 0

    def edges(boxes):
        return torch.cat([boxes[:, :2] - boxes[:, 2:4] / 2, boxes[:, :2] + boxes[:, 2:4] / 2], dim=1)

    result = axis_aligned_iou(edges(boxes1), edges(boxes2))
    torch.testing.assert_close(result, rotated_iou(boxes1, boxes2), atol=1e-5, rtol=0)
    point = torch.tensor([[3.0, 3.0, 3.0, 3.0]])
    assert axis_aligned_iou(point, point).tolist() == [[0.0]]
    assert axis_aligned_iou(torch.zeros(0, 4), edges(boxes2)).shape == (0, 40)
    pairs = edges(boxes1), edges(boxes2)[: len(boxes1)]
    assert torch.equal(axis_aligned_iou_aligned(*pairs), axis_aligned_iou(*pairs).diagonal())
    with pytest.raises(ValueError, match=r"\(2, 5\)"):
        axis_aligned_iou(torch.zeros(2, 5), point)
    with pytest.raises(ValueError, match="NaN"):
        axis_aligned_iou(point * math.nan, point)


def test_other_devices_take_the_batched_path(monkeypatch):
    # the way a GPU takes, walked on the CPU
    from retable.boxes import iou as module

    first, second = random_boxes(40, 100, 22), random_boxes(40, 100, 23)
    matrix, diagonal = rotated_iou(first, second), rotated_iou_aligned(first, second)
    monkeypatch.setattr(module, "has_batched_path", lambda boxes: True)
    monkeypatch.setattr(module, "_pairwise_on_cpu", None)
    torch.testing.assert_close(rotated_iou(first, second), matrix, atol=1e-7, rtol=0)
    torch.testing.assert_close(rotated_iou_aligned(first, second), diagonal, atol=1e-7, rtol=0)


def test_boxes_that_differ_in_length_by_a_hair():
    # shapely 2.2 finds no overlap at all for these; the IoU is the ratio of the lengths
    boxes = torch.tensor(
        [
            [3707.536376953125, 3706.6318359375, 1858.2901611328125, 204.998291015625, -1.7512507438659668],
            [5238.19677734375, 5239.25537109375, 40.74793243408203, 0.8831751942634583, 2.9304680824279785],
            [5200.9287109375, 5218.42578125, 3.25494384765625, 0.4858701527118683, -3.3252768516540527],
        ]
    )
    longer = boxes.double()
    longer[:, 2] += torch.tensor([0.0892333984375, 0.0005035400390625, 3.814697265625e-06])
    expected = (boxes[:, 2].double() / longer[:, 2]).float()
    torch.testing.assert_close(rotated_iou_aligned(boxes, longer), expected, atol=1e-7, rtol=0)
    torch.testing.assert_close(rotated_iou(longer, boxes).diagonal(), expected, atol=1e-7, rtol=0)
