"""Proposals by image processing: what is found, in which order, and what is learnt from."""

import cv2
import numpy as np
import pytest
import torch

from retable.boxes import AXIS_ALIGNED
from retable.errors import ConfigError
from retable.papers.plates.rivals.patches import cut, draw_examples
from retable.papers.plates.rivals.proposals import Proposals, propose
from retable.papers.plates.rivals.schema import ProposalsConfig
from retable.papers.plates.scenes import PlateScenes

PLATE = (120, 90, 200, 114)


def photo() -> np.ndarray:
    """A white plate with letters on a dark car, and an even window that is none."""
    image = np.full((200, 320, 3), 60, np.uint8)
    x1, y1, x2, y2 = PLATE
    cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), (235, 235, 235), -1)
    cv2.putText(image, "AB 1234", (x1 + 5, y2 - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (20, 20, 20), 2)
    cv2.rectangle(image, (20, 20), (110, 60), (120, 120, 120), -1)
    return image


def overlaps(found: Proposals, boxes: list[tuple[int, ...]]) -> torch.Tensor:
    return AXIS_ALIGNED.iou(torch.from_numpy(found.boxes), torch.tensor(boxes).float())


def test_a_plate_looks_most_like_a_plate() -> None:
    found = propose(photo(), ProposalsConfig())
    iou = overlaps(found, [PLATE])[:, 0]
    assert iou[0] > 0.7
    assert found.scores[0] > 0.5 > 3 * found.scores[iou.numpy() < 0.1].max()
    assert (np.diff(found.scores) <= 0).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [320, 200, 320, 200]).all()


def test_few_are_the_best_of_many() -> None:
    many, few = propose(photo(), ProposalsConfig()), propose(photo(), ProposalsConfig(count=2))
    assert len(few.boxes) == 2
    np.testing.assert_array_equal(few.boxes, many.boxes[:2])


def test_in_an_even_image_and_in_a_few_pixels_there_are_none() -> None:
    for shape in ((60, 90, 3), (1, 1, 3), (2, 300, 3)):
        found = propose(np.full(shape, 128, np.uint8), ProposalsConfig())
        assert found.boxes.shape == (0, 4)
        assert found.scores.shape == (0,)


def test_most_plates_of_generated_scenes_are_among_them() -> None:
    scenes = PlateScenes("val", 6, 336, 3)
    hits = []
    for index in range(6):
        image, target = scenes.load(index)
        plates = target["boxes"][~target["difficult"]]
        if len(plates):
            hits += (overlaps(propose(image, ProposalsConfig()), plates.tolist()).amax(dim=0) >= 0.5).tolist()
    assert np.mean(hits) > 0.8  # 0.93 of many more


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"proposals\.aspects"):
        ProposalsConfig(aspects=(3, 2))
    with pytest.raises(ConfigError, match=r"proposals\.sides"):
        ProposalsConfig(sides=[])


def test_a_cut_out_box_is_stretched_and_has_its_margin() -> None:
    image = torch.zeros(3, 40, 60)
    image[:, 10:20, 20:40] = 1
    boxes = torch.tensor([[20.0, 10, 40, 20], [0, 0, 10, 10]])
    exact = cut(image, boxes, (8, 12), 0.0)
    assert exact.shape == (2, 3, 8, 12)
    torch.testing.assert_close(exact[0, :, 1:-1, 1:-1], torch.ones(3, 6, 10))
    assert exact[1].abs().max() == 0
    wide = cut(image, boxes, (8, 12), 0.5)[0, 0]
    assert wide[2:6, 3:9].mean() > 0.95
    assert wide[0].max() == wide[:, 0].max() == 0


def test_what_is_learnt_from() -> None:
    found = torch.tensor([[11.0, 10, 31, 20], [10, 10, 30, 19], [18, 10, 38, 20], [60, 60, 80, 70], [90, 90, 99, 95]])
    target = {
        "boxes": torch.tensor([[10.0, 10, 30, 20], [60, 60, 80, 70]]),
        "labels": torch.zeros(2, dtype=torch.int64),
        "difficult": torch.tensor([False, True]),
    }
    boxes, labels = draw_examples(found, target, 9, 9)
    # the plate and two that are nearly it; one is in between, one is of a difficult plate, and one is elsewhere
    assert labels.tolist() == [1, 1, 1, 0]
    assert {tuple(box) for box in boxes[:3].tolist()} == {(10, 10, 30, 20), (11, 10, 31, 20), (10, 10, 30, 19)}
    assert boxes[3].tolist() == [90, 90, 99, 95]
    assert draw_examples(found, target, 1, 9)[1].tolist() == [1, 0]
    nothing = {name: value[:0] for name, value in target.items()}
    assert draw_examples(found[:0], nothing, 4, 4)[0].shape == (0, 4)
    assert draw_examples(found, nothing, 4, 4)[1].tolist() == [0, 0, 0, 0]
