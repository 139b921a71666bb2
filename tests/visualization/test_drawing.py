import math

import cv2
import numpy as np
import pytest
import torch

from retable.visualization.drawing import (
    DIFFICULT,
    FALSE_ALARM,
    HIT,
    MISS,
    TRUTH,
    classify_detections,
    contact_sheet,
    draw_boxes,
    draw_detections,
    legend_strip,
    upscale,
)


def sea(height: int = 200, width: int = 240) -> np.ndarray:
    return np.full((height, width, 3), (40, 60, 90), dtype=np.uint8)


def has(image: np.ndarray, colour: tuple[int, int, int], x: float, y: float, radius: int = 1) -> bool:
    """Whether a pixel near (x, y), in coordinates with pixel centres at +0.5, has about the colour."""
    row, column = math.floor(y), math.floor(x)
    patch = image[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1]
    return bool((np.abs(patch.astype(int) - colour).max(axis=2) < 90).any())


def test_box_outline_lies_on_its_sides():
    image = sea()
    angle = math.radians(30)
    box = [120.0, 100.0, 80.0, 30.0, angle]
    drawn = draw_boxes(image, torch.tensor([box]), HIT, halo=False)
    along, across = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    for u, v in [(1, 0), (-1, 0), (0, 1), (0, -1), (0.9, 1), (-1, 0.8)]:
        x, y = np.array([120.0, 100.0]) + u * 40 * along + v * 15 * across
        assert has(drawn, HIT, x, y), (u, v)
    assert not has(drawn, HIT, 120, 100, radius=8)  # nothing inside
    changed = np.argwhere((drawn != image).any(axis=2))
    # All that changed is within a pixel and a half of the outline: in the box's frame, on its border.
    local = changed[:, ::-1] + 0.5 - [120, 100]
    to_sides = np.stack([np.abs(local @ along) - 40, np.abs(local @ across) - 15])
    assert (np.abs(to_sides.max(axis=0)) < 1.6).all()
    assert (image == (40, 60, 90)).all()  # the input is left as it was


def test_box_of_whole_pixels_has_its_border_there():
    # Its left side at x = 10 runs between the pixels 9 and 10, so both get half of it.
    drawn = draw_boxes(sea(40, 60), [[30.0, 20.0, 40.0, 20.0, 0.0]], (255, 255, 255), thickness=1, halo=False)
    columns = (drawn[20, :, 0].astype(int) - 40) / (255 - 40)
    expected = np.zeros(60)
    expected[[9, 10, 49, 50]] = 0.7  # anti-aliased lines are a little wider than asked for
    np.testing.assert_allclose(columns, expected, atol=0.06)


def test_boxes_beyond_the_image_and_no_boxes():
    image = sea(50, 50)
    drawn = draw_boxes(image, [[0.0, 0.0, 60.0, 30.0, 0.4], [500.0, 500.0, 20.0, 10.0, 0.0]], HIT)
    assert (drawn != image).any()
    np.testing.assert_array_equal(draw_boxes(image, torch.zeros(0, 5), HIT), image)
    with pytest.raises(ValueError, match="uint8"):
        draw_boxes(image.astype(np.float32), torch.zeros(0, 5), HIT)


TARGET = {
    "boxes": torch.tensor([[50.0, 40, 60, 20, 0], [150, 40, 60, 20, 0], [150, 120, 60, 20, 0], [60, 120, 60, 20, 0]]),
    "labels": torch.zeros(4, dtype=torch.int64),
    "difficult": torch.tensor([False, False, True, False]),
}
PREDICTION = {
    "boxes": torch.tensor([[56.0, 44, 60, 20, 0], [60, 175, 60, 20, 0], [150, 121, 60, 20, 0], [60, 121, 58, 20, 0]]),
    "scores": torch.tensor([0.9, 0.8, 0.7, 0.1]),
    "labels": torch.zeros(4, dtype=torch.int64),
}


def test_detections_are_classified_as_the_metric_does():
    hit, ignored, missed = classify_detections(PREDICTION, TARGET)
    np.testing.assert_array_equal(hit, [True, False, False, True])
    np.testing.assert_array_equal(ignored, [False, False, True, False])
    np.testing.assert_array_equal(missed, [False, True, False, False])
    other = PREDICTION | {"labels": torch.ones(4, dtype=torch.int64)}
    hit, ignored, missed = classify_detections(other, TARGET)
    assert not hit.any()
    assert not ignored.any()
    np.testing.assert_array_equal(missed, [True, True, False, True])


def test_each_verdict_has_its_colour():
    drawn = draw_detections(sea(), PREDICTION, TARGET, score_threshold=0.5, show_scores=False)
    assert has(drawn, HIT, 56, 34)
    assert has(drawn, TRUTH, 40, 30)
    assert has(drawn, FALSE_ALARM, 60, 165)
    assert has(drawn, DIFFICULT, 150, 111)
    assert has(drawn, MISS, 150, 30)
    assert has(drawn, MISS, 60, 110)  # its detection is below the threshold
    assert not has(drawn, HIT, 60, 111)


def test_without_truth_all_detections_are_drawn_alike():
    drawn = draw_detections(sea(), PREDICTION, show_scores=False)
    for x, y in [(56, 34), (60, 165), (150, 111), (60, 111)]:
        assert has(drawn, HIT, x, y)


def test_scores_are_written_outside_the_box_and_apart():
    plain = draw_detections(sea(), PREDICTION, TARGET, show_scores=False)
    scored = draw_detections(sea(), PREDICTION, TARGET)
    rows, columns = np.nonzero((plain != scored).any(axis=2))
    assert len(rows) > 100
    inside = (abs(columns + 0.5 - 56) < 27) & (abs(rows + 0.5 - 44) < 7)
    assert not inside.any()
    crowd = {
        "boxes": torch.tensor([[100.0, 60 + 10 * i, 90, 9, 0] for i in range(4)]),
        "scores": torch.tensor([0.9, 0.8, 0.7, 0.6]),
        "labels": torch.zeros(4, dtype=torch.int64),
    }
    assert draw_detections(sea(), crowd).shape == (200, 240, 3)


def test_small_images_are_enlarged_with_their_boxes():
    small = sea(100, 120)
    prediction = {"boxes": torch.tensor([[60.0, 50, 40, 10, 0]]), "scores": torch.ones(1), "labels": torch.zeros(1)}
    drawn = draw_detections(small, prediction, minimum_size=256, show_scores=False)
    assert drawn.shape == (300, 360, 3)
    assert has(drawn, HIT, 180, 135)
    assert has(drawn, HIT, 240, 150)
    assert upscale(drawn, 256)[1] == 1


def test_empty_predictions_and_targets():
    empty = {"boxes": torch.zeros(0, 5), "scores": torch.zeros(0), "labels": torch.zeros(0, dtype=torch.int64)}
    nothing = {key: TARGET[key][:0] for key in TARGET}
    np.testing.assert_array_equal(draw_detections(sea(), empty, nothing), sea())
    assert has(draw_detections(sea(), empty, TARGET), MISS, 50, 30)
    assert has(draw_detections(sea(), PREDICTION, nothing, show_scores=False), FALSE_ALARM, 56, 34)


def upright(boxes):
    return torch.cat([boxes[:, :2] - boxes[:, 2:4] / 2, boxes[:, :2] + boxes[:, 2:4] / 2], dim=1)


def test_axis_aligned_boxes_are_drawn_as_rotated_ones_that_are_not_turned():
    rotated, other = (draw_boxes(sea(), boxes, HIT) for boxes in (TARGET["boxes"], upright(TARGET["boxes"])))
    np.testing.assert_array_equal(rotated, other)
    alike = [{**sample, "boxes": upright(sample["boxes"])} for sample in (PREDICTION, TARGET)]
    for one, two in zip(classify_detections(PREDICTION, TARGET), classify_detections(*alike), strict=True):
        np.testing.assert_array_equal(one, two)
    drawn = [draw_detections(sea(), *samples, minimum_size=300) for samples in ((PREDICTION, TARGET), alike)]
    np.testing.assert_array_equal(*drawn)


def test_contact_sheet_places_images_row_by_row():
    images = [np.full((30, 40, 3), value, dtype=np.uint8) for value in (50, 100, 150)] + [
        np.full((20, 20, 3), 200, dtype=np.uint8)
    ]
    sheet = contact_sheet(images, columns=2, gap=6)
    assert sheet.shape == (2 * 36 + 6, 2 * 46 + 6, 3)
    assert (sheet[6:36, 6:46] == 50).all()
    assert (sheet[6:36, 52:92] == 100).all()
    assert (sheet[42:72, 6:46] == 150).all()
    assert (sheet[47:67, 62:82] == 200).all()  # the small one is centred
    captioned = contact_sheet(images, 2, captions=["a long name of an image.png"] * 4, legend=True)
    assert captioned.shape[0] > sheet.shape[0] + 40
    with pytest.raises(ValueError, match="needs images"):
        contact_sheet([], 2)
    with pytest.raises(ValueError, match="1 captions for 4 images"):
        contact_sheet(images, 2, captions=["one"])


def test_legend_wraps_in_a_narrow_place():
    wide, narrow = legend_strip(800), legend_strip(120)
    assert wide.shape[1] == 800
    assert narrow.shape[1] == 120
    assert narrow.shape[0] > 2 * wide.shape[0]
    for colour in (HIT, MISS, FALSE_ALARM):
        assert (np.abs(wide.astype(int) - colour).max(axis=2) < 40).any()


def test_small_objects_on_large_images_stay_visible():
    large = sea(2400, 3000)
    boxes = torch.tensor([[300.0, 300, 14, 5, 0.3], [900, 300, 40, 12, 0.2], [2000, 1200, 800, 400, 0.1]])
    prediction = {"boxes": boxes[:2], "scores": torch.tensor([0.4, 0.055]), "labels": torch.zeros(2)}
    drawn = draw_boxes(large, boxes, HIT)
    for x, y, sight in ((300, 300, 1), (900, 300, 2), (2000, 1200, 150)):
        part = slice(y - sight, y + sight), slice(x - sight, x + sight)
        np.testing.assert_array_equal(drawn[part], large[part])  # the object itself is not covered
    rows, columns = np.nonzero((draw_detections(large, prediction) != draw_boxes(large, boxes[:2], HIT)).any(axis=2))
    assert len(rows) > 50
    assert np.hypot(rows - 300, np.minimum(abs(columns - 300), abs(columns - 900))).max() < 50  # the scores are small


def test_scores_are_written_as_they_are_asked_for(monkeypatch):
    written = []
    put = cv2.putText
    monkeypatch.setattr(cv2, "putText", lambda image, text, *rest: (written.append(text), put(image, text, *rest))[1])
    draw_detections(sea(), PREDICTION)
    assert written == ["0.90", "0.80", "0.70", "0.10"]


@pytest.mark.parametrize(("size", "factor"), [((20, 6000), 1), ((20, 1000), 4), ((6000, 20), 1), ((20, 30), 13)])
def test_long_images_are_enlarged_as_far_as_they_stay_handy(size, factor):
    assert upscale(sea(*size), 256)[1] == factor
