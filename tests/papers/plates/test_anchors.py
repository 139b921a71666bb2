from pathlib import Path

import cv2
import pytest
import torch

from retable.errors import ConfigError
from retable.papers.plates.anchors import (
    BoxSizes,
    ClusteredAnchors,
    PyramidAnchors,
    anchor_fit,
    draw_sizes,
)
from retable.papers.plates.detector.schema import ClusteredAnchorsConfig, PyramidAnchorsConfig

SIZES = torch.tensor([[10.0, 10.0], [20.0, 10.0], [45.0, 10.0]])


def test_the_paper_s_pyramid_is_ninety_anchors_of_six_shapes() -> None:
    pyramid = PyramidAnchors(PyramidAnchorsConfig())
    anchors = pyramid.fit(torch.ones(1, 2))
    assert len(pyramid) == len(anchors) == 90
    # the paper prints height x width; 30 x 14 is the one that is higher than wide
    smallest = torch.tensor([[10, 10], [20, 10], [30, 10], [40, 10], [50, 10], [14, 30]], dtype=torch.float32)
    torch.testing.assert_close(anchors[:6], smallest)
    torch.testing.assert_close(anchors[-6:], smallest * 1.3**14)
    torch.testing.assert_close(anchors[6:12] / anchors[:6], torch.full((6, 2), 1.3))


def test_within_the_pyramid_no_size_of_its_shapes_is_far_from_an_anchor() -> None:
    # halfway between two levels in both sides: 1 / 1.3
    anchors = PyramidAnchors(PyramidAnchorsConfig()).fit(torch.ones(1, 2))
    between = anchors[:84] * 1.3**0.5
    assert anchor_fit(between, anchors)["anchor_iou_min"] >= 1 / 1.3 - 1e-6


def test_clusters_are_the_sizes_themselves_where_there_are_few() -> None:
    clustered = ClusteredAnchors(ClusteredAnchorsConfig(count=3))
    assert len(clustered) == 3
    torch.testing.assert_close(clustered.fit(SIZES.repeat(4, 1)), SIZES)


def test_fit_is_least_and_mean_iou_with_the_best_anchor() -> None:
    found = anchor_fit(SIZES, torch.tensor([[10.0, 10.0], [30.0, 10.0]]))
    assert found["anchor_iou_min"] == pytest.approx(2 / 3)
    assert found["anchor_iou_mean"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    assert all(value.isnan() for value in anchor_fit(SIZES[:0], SIZES).values())


def test_sizes_of_difficult_boxes_do_not_count() -> None:
    metric = BoxSizes()
    metric.reset()
    assert metric.compute().shape == (0, 2)
    boxes = torch.tensor([[0.0, 0, 10, 5], [5, 5, 6, 7]])
    metric.reset()
    metric.update({"boxes": boxes, "difficult": torch.tensor([False, True])})
    assert metric.compute().tolist() == [[10, 5]]


def test_the_figure_shows_plates_and_anchors(tmp_path: Path) -> None:
    draw_sizes(SIZES, PyramidAnchors(PyramidAnchorsConfig()).fit(SIZES), tmp_path / "sizes.png")
    assert cv2.imread(str(tmp_path / "sizes.png")).std() > 5


@pytest.mark.parametrize("minimum", [[], [[10]], [[10, 0]]])
def test_senseless_sizes_are_told(minimum: list[list[float]]) -> None:
    with pytest.raises(ConfigError, match=r"model\.anchors\.minimum"):
        PyramidAnchorsConfig(minimum=minimum)
