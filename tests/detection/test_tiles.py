import numpy as np
import pytest
import torch

from retable.detection.schema import DetectorConfig
from retable.detection.tiles import detect_in_tiles, merge_tiles, tile_windows
from retable.errors import ConfigError


def prediction(boxes, scores=None, labels=None, columns=5):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, columns)
    return {
        "boxes": boxes,
        "scores": torch.full((len(boxes),), 0.9) if scores is None else torch.tensor(scores),
        "labels": torch.zeros(len(boxes), dtype=torch.int64) if labels is None else torch.tensor(labels),
    }


def test_windows_cover_and_overlap_without_narrow_rests():
    generator = np.random.default_rng(0)
    for _ in range(300):
        height, width = generator.integers(1, 400, 2)
        size = int(generator.integers(2, 128))
        overlap = int(generator.integers(0, size))
        windows = tile_windows(int(height), int(width), size, overlap)
        if len(windows) > 4000:
            continue
        covered = np.zeros((height, width), np.bool_)
        for x, y, w, h in windows:
            assert (w, h) == (min(size, width), min(size, height))
            assert 0 <= x <= width - w
            assert 0 <= y <= height - h
            covered[y : y + h, x : x + w] = True
        assert covered.all()
        assert len(set(windows)) == len(windows)
        starts = sorted({window.x for window in windows})
        steps = np.diff(starts)
        assert (steps <= size - overlap).all()
        if len(steps):
            assert steps.max() - steps.min() <= 1
            assert (width - overlap) > (len(starts) - 1) * (size - overlap)  # one window less would not do


def test_known_cuts():
    assert tile_windows(300, 200, 512, 128) == [(0, 0, 200, 300)]
    assert [window.x for window in tile_windows(10, 1024, 512, 0)] == [0, 512]
    assert [window.x for window in tile_windows(10, 1025, 512, 0)] == [0, 256, 513]
    assert len(tile_windows(3500, 7000, 512, 128)) == 18 * 9
    with pytest.raises(ConfigError, match="overlap"):
        tile_windows(10, 10, 64, 64)
    with pytest.raises(ValueError, match="cannot be cut"):
        tile_windows(0, 10, 64, 8)


def test_iteration_is_bounded_and_scales():
    image = torch.randint(0, 256, (3, 70, 90), dtype=torch.uint8)
    windows = tile_windows(70, 90, 32, 8)
    seen = []

    def detect(tiles):
        assert tiles.shape[0] <= 4
        assert tiles.dtype == torch.float32
        seen.extend(tiles)
        return [prediction([], [])] * len(tiles)

    detect_in_tiles(image, detect, DetectorConfig(tile_size=32, tile_overlap=8, tile_batch=4), multiple=1)
    for window, tile in zip(windows, seen, strict=True):
        part = image[:, window.y : window.y + 32, window.x : window.x + 32]
        torch.testing.assert_close(tile, part / 255)


def test_duplicates_in_the_overlap_are_merged_and_both_sides_kept():
    windows = tile_windows(100, 160, 100, 40)
    assert [window.x for window in windows] == [0, 60]
    left = prediction([[20, 50, 20, 6, 0.2], [80, 50, 20, 6, 0]], [0.7, 0.8])
    right = prediction([[20.5, 50, 20, 6, 0], [70, 50, 20, 6, 0.1]], [0.9, 0.6])
    merged = merge_tiles([left, right], windows, 100, 160, 0.3)
    torch.testing.assert_close(merged["scores"], torch.tensor([0.9, 0.7, 0.6]))
    torch.testing.assert_close(merged["boxes"][:, 0], torch.tensor([80.5, 20.0, 130.0]))


def test_whole_ship_wins_over_the_cut_one_of_higher_score():
    windows = tile_windows(100, 160, 100, 40)
    # a ship from x = 70 to 130: whole in the right tile, cut at x = 100 in the left one
    cut = prediction([[85, 50, 29, 8, 0]], [0.99])
    whole = prediction([[40, 50, 60, 8, 0]], [0.5])
    merged = merge_tiles([cut, whole], windows, 100, 160, 0.3)
    assert merged["boxes"].tolist() == [[100, 50, 60, 8, 0]]  # although the IoU of the two is only about a half
    # another class, or a neighbour that does not lie in it, stays
    other = merge_tiles([prediction([[85, 50, 29, 8, 0]], [0.99], [1]), whole], windows, 100, 160, 0.3)
    assert sorted(other["labels"].tolist()) == [0, 1]
    beside = merge_tiles([prediction([[85, 60, 29, 8, 0]], [0.99]), whole], windows, 100, 160, 0.3)
    assert len(beside["boxes"]) == 2


def test_ship_at_the_image_border_is_not_taken_for_cut():
    windows = tile_windows(100, 160, 100, 40)
    border = prediction([[5, 50, 30, 8, 0]], [0.9])  # overhangs the image itself
    merged = merge_tiles([border, prediction([])], windows, 100, 160, 0.3)
    assert len(merged["boxes"]) == 1


def test_ship_longer_than_a_tile_keeps_its_parts():
    windows = tile_windows(100, 160, 100, 40)
    merged = merge_tiles(
        [prediction([[51, 50, 98, 8, 0]], [0.9]), prediction([[50, 50, 99, 8, 0]], [0.8])], windows, 100, 160, 0.3
    )
    assert len(merged["boxes"]) >= 1


def test_detections_in_the_padding_go_and_one_tile_is_untouched():
    windows = tile_windows(100, 160, 100, 40)
    padded = merge_tiles([prediction([[120, 50, 10, 5, 0]]), prediction([])], windows, 100, 160, 0.3)
    assert len(padded["boxes"]) == 0
    single = prediction([[20, 20, 10, 5, 0.1]])
    assert merge_tiles([single], tile_windows(50, 50, 64, 8), 50, 50, 0.3) is single
    with pytest.raises(ValueError, match="0 predictions for 2 tiles"):
        merge_tiles([], windows, 100, 160, 0.3)


def test_axis_aligned_boxes_are_merged_alike():
    windows = tile_windows(100, 160, 100, 40)
    # one in the overlap, seen by both; one whole in the right tile and cut in the left; one beyond the image's border
    left = prediction([[75, 20, 95, 30], [70, 46, 99, 54], [-3, 70, 12, 80]], [0.8, 0.99, 0.7], columns=4)
    right = prediction([[15.5, 20, 35, 30], [10, 46, 70, 54], [105, 5, 120, 10]], [0.9, 0.5, 0.6], columns=4)
    merged = merge_tiles([left, right], windows, 100, 160, 0.3)
    expected = torch.tensor([[75.5, 20, 95, 30], [-3, 70, 12, 80], [70, 46, 130, 54]])  # the one in the padding is gone
    torch.testing.assert_close(merged["boxes"], expected)
    assert merged["scores"].tolist() == pytest.approx([0.9, 0.7, 0.5])
    empty = merge_tiles([prediction([], columns=4)] * 2, windows, 100, 160, 0.3)
    assert empty["boxes"].shape == (0, 4)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_detecting_in_a_large_image_finds_each_ship_once(dtype):
    ships = [(30, 40), (100, 52), (130, 100), (70, 148), (181, 170)]
    image = torch.zeros(3, 190, 210)
    for x, y in ships:
        image[:, y - 3 : y + 3, x - 8 : x + 8] = 1
    image = (image * 255).to(torch.uint8) if dtype == torch.uint8 else image
    sizes = set()

    def detector(batch):
        sizes.add(tuple(batch.shape[1:]))
        assert batch.shape[0] <= 3
        found = []
        for tile in batch:
            boxes = []
            bright = (tile[0] > 0.9).nonzero().float()
            while len(bright):  # all pixels near the first one are one ship
                near = (bright - bright[0]).abs().amax(dim=1) < 20
                low, high = bright[near].amin(dim=0), bright[near].amax(dim=0) + 1
                (cy, cx), (h, w) = ((low + high) / 2).tolist(), (high - low).tolist()
                boxes.append([cx, cy, w, h, 0.0] if w >= h else [cx, cy, h, w, -np.pi / 2])
                bright = bright[~near]
            found.append(prediction(boxes))
        return found

    config = DetectorConfig(tile_size=80, tile_overlap=24, tile_batch=3, nms_threshold=0.3)
    merged = detect_in_tiles(image, detector, config, multiple=32)
    assert sizes == {(3, 96, 96)}  # padded to a multiple of 32
    assert sorted(map(tuple, merged["boxes"][:, :2].round().int().tolist())) == sorted(ships)
    torch.testing.assert_close(merged["boxes"][:, 2:4], torch.tensor([[16.0, 6.0]]).expand(5, 2))


def test_corners_are_merged_with_their_boxes():
    windows = tile_windows(40, 60, 40, 20)
    assert [window.x for window in windows] == [0, 20]
    first = {**prediction([[2, 2, 12, 8]], columns=4), "corners": torch.tensor([[[2.0, 2], [12, 3], [12, 8], [2, 7]]])}
    second = {**prediction([[22, 2, 32, 8]], [0.5], columns=4), "corners": first["corners"] + torch.tensor([20.0, 0])}
    merged = merge_tiles([first, second], windows, 40, 60, 0.3)
    assert merged["boxes"].tolist() == [[2, 2, 12, 8], [42, 2, 52, 8]]
    assert merged["corners"][:, 0].tolist() == [[2, 2], [42, 2]]
