import math

import pytest
import torch

from retable.boxes import box_to_corners
from retable.papers.larsd.lasa import aligned_scores, sampling_points

DISTRIBUTIONS = {"rectangle-9": 9, "diamond-5": 5, "diamond-9": 9, "diamond-13": 13}


def bilinear(score: torch.Tensor, x: float, y: float, stride: int) -> float:
    """Slow and literal: the score at an image point, repeated beyond the outermost cell centres."""
    column, row = x / stride - 0.5, y / stride - 0.5
    column, row = min(max(column, 0.0), score.shape[1] - 1.0), min(max(row, 0.0), score.shape[0] - 1.0)
    value = 0.0
    for i in range(score.shape[0]):
        for j in range(score.shape[1]):
            value += max(0.0, 1 - abs(row - i)) * max(0.0, 1 - abs(column - j)) * float(score[i, j])
    return value


@pytest.mark.parametrize(("name", "count"), DISTRIBUTIONS.items())
def test_points_are_centred_symmetric_and_within_the_extent(name: str, count: int) -> None:
    points = sampling_points(name, 0.6)
    assert points.shape == (count, 2)
    assert len({tuple(point) for point in points.tolist()}) == count
    assert [0.0, 0.0] in points.tolist()
    assert points.abs().max().item() == pytest.approx(0.6)
    for mirror in ([-1, 1], [1, -1]):
        mirrored = (points * torch.tensor(mirror) + 0.0).tolist()  # + 0.0 turns -0.0 into 0.0
        assert sorted(mirrored) == sorted(points.tolist())


def test_diamonds_stay_inside_the_diamond_and_contain_each_other() -> None:
    sets = {}
    for name in ("diamond-5", "diamond-9", "diamond-13"):
        points = sampling_points(name, 1.0)
        assert points.abs().sum(dim=1).max() <= 1.0
        sets[name] = {tuple(point) for point in points.tolist()}
    assert sets["diamond-5"] < sets["diamond-9"] < sets["diamond-13"]
    tips = {(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)}
    middles = {(0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)}
    assert sets["diamond-9"] == {(0.0, 0.0)} | tips | middles


def test_rectangle_reaches_the_corners() -> None:
    points = sampling_points("rectangle-9", 1.0)
    assert {(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)} < {tuple(point) for point in points.tolist()}


def test_unknown_distribution_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sampling distribution 'circle'"):
        sampling_points("circle", 0.5)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_scores_equal_a_literal_computation(name: str) -> None:
    generator = torch.Generator().manual_seed(2)
    scores = torch.rand(3, 6, 8, generator=generator)
    # the last two lie partly or wholly outside the map of 32 x 24 pixels
    boxes = torch.tensor(
        [
            [15.0, 11.0, 14.0, 5.0, 0.3],
            [9.3, 14.2, 10.0, 9.0, -1.2],
            [1.0, 23.0, 20.0, 6.0, 0.8],
            [60.0, -9.0, 20.0, 6.0, 0.0],
        ]
    )
    channel = torch.tensor([0, 2, 1, 1])
    points = sampling_points(name, 0.7)
    found = aligned_scores(scores, channel, boxes, 4, points)
    for index, box in enumerate(boxes):
        corners = box_to_corners(box)
        centre, along, across = corners.mean(0), (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
        values = []
        for i, j in points.tolist():
            x, y = (centre + i * along + j * across).tolist()
            values.append(bilinear(scores[channel[index]], x, y, 4))
        assert found[index].item() == pytest.approx(sum(values) / len(values), abs=1e-5)


def test_box_on_a_uniform_map_keeps_its_score() -> None:
    found = aligned_scores(
        torch.full((1, 4, 4), 0.7), torch.tensor([0]), torch.tensor([[8.0, 8.0, 90.0, 3.0, math.pi / 5]]), 4,
        sampling_points("diamond-13", 1.0),
    )  # fmt: skip
    assert found.item() == pytest.approx(0.7)


def test_misplaced_box_loses_to_one_that_covers_the_ship() -> None:
    scores = torch.zeros(1, 16, 16)
    scores[0, 7:9, 2:14] = 0.9
    boxes = torch.tensor([[32.0, 32.0, 48.0, 8.0, 0.0], [32.0, 32.0, 48.0, 8.0, math.pi / 2]])
    points = sampling_points("diamond-9", 0.5)
    aligned, crossed = aligned_scores(scores, torch.tensor([0, 0]), boxes, 4, points).tolist()
    assert aligned > 0.85
    assert crossed < 0.7
