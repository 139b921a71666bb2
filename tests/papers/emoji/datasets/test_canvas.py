import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from retable.errors import DataError
from retable.papers.emoji.datasets.canvas import ink_box, read_canvas, to_canvas


def circle(height: int, width: int, centre: tuple[int, int], radius: int, thickness: int = 3) -> np.ndarray:
    image = np.full((height, width, 3), 255, np.uint8)
    return np.asarray(cv2.circle(image, centre, radius, (40, 40, 40), thickness))


def test_the_drawing_fills_the_canvas_wherever_it_was() -> None:
    for centre, radius in (((60, 50), 20), ((150, 120), 45), ((100, 100), 90)):
        canvas = to_canvas(circle(200, 240, centre, radius), 64, crop_to_ink=True)
        assert canvas.shape == (64, 64, 3)
        rows, columns = np.nonzero(canvas[..., 0] < 160)
        for dark in (rows, columns):
            assert dark.min() in range(2, 7)
            assert dark.max() in range(57, 62)


def test_without_the_crop_proportions_and_place_stay() -> None:
    canvas = to_canvas(circle(100, 200, (50, 50), 40), 50, crop_to_ink=False)
    rows, columns = np.nonzero(canvas[..., 0] < 160)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(24.5, abs=1)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(12, abs=1)
    assert rows.max() - rows.min() == pytest.approx(columns.max() - columns.min(), abs=1)
    assert (canvas[:10] == 255).all()  # padded with the paper's colour


def test_small_images_are_enlarged() -> None:
    assert to_canvas(circle(12, 12, (6, 6), 4, 1), 64, crop_to_ink=True).shape == (64, 64, 3)


def test_ink_box_overlooks_shadow_ruling_and_dust() -> None:
    image = circle(300, 300, (180, 160), 60).astype(np.float32)
    image[::20] -= 25  # ruled paper
    image *= np.linspace(0.6, 1, 300)[:, None]  # shadow
    image[20, 30] = 0  # dust
    left, top, right, bottom = ink_box(image.clip(0, 255).astype(np.uint8))
    assert (left, top, right, bottom) == pytest.approx((118, 98, 243, 223), abs=3)


def test_ink_box_sees_chalk_on_a_blackboard() -> None:
    box = ink_box(255 - circle(200, 200, (80, 90), 40))
    assert box == pytest.approx((38, 48, 123, 133), abs=3)


def test_a_drawing_in_a_large_photograph_is_found() -> None:
    canvas = to_canvas(circle(3000, 4000, (2500, 1500), 300, 20), 64, crop_to_ink=True)
    assert (canvas[..., 0] < 160).mean() > 0.05


def test_nothing_to_see_is_the_whole_image() -> None:
    assert ink_box(np.full((40, 60, 3), 255, np.uint8)) == (0, 0, 60, 40)


def png(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def test_transparency_shows_white(tmp_path: Path) -> None:
    image = np.zeros((32, 32, 4), np.uint8)
    image[10:20, 10:12] = (30, 30, 30, 255)
    canvas = read_canvas(png(tmp_path / "a.png", image), 32, crop_to_ink=False)
    assert tuple(canvas[0, 0]) == (255, 255, 255)
    assert tuple(canvas[15, 10]) == (30, 30, 30)


def test_sixteen_bits_grey_and_palette_are_what_they_show(tmp_path: Path) -> None:
    grey = np.full((16, 16), 255, np.uint8)
    grey[4:8] = 100
    deep = grey.astype(np.uint16) * 257
    expected = read_canvas(png(tmp_path / "grey.png", grey), 16, crop_to_ink=False)
    assert (expected[5] == 100).all()
    assert (read_canvas(png(tmp_path / "deep.png", deep), 16, crop_to_ink=False) == expected).all()
    two = png(tmp_path / "two.png", np.where(grey > 200, 255, 0).astype(np.uint8))
    assert (read_canvas(two, 16, crop_to_ink=False)[5] == 0).all()
    alpha = np.dstack([deep, deep, deep, np.where(grey > 200, 0, 65535).astype(np.uint16)])
    assert (read_canvas(png(tmp_path / "alpha.png", alpha), 16, crop_to_ink=False) == expected).all()


def test_a_huge_image_is_shrunk(tmp_path: Path) -> None:
    path = png(tmp_path / "huge.png", circle(4000, 6000, (3000, 2000), 1500, 60))
    canvas = read_canvas(path, 32, crop_to_ink=True)
    assert canvas.shape == (32, 32, 3)
    assert canvas.min() < 160


@pytest.mark.parametrize("crop_to_ink", [False, True])
@pytest.mark.parametrize("upright", [False, True])
def test_a_long_strip_needs_no_square_of_its_length(tmp_path: Path, upright: bool, crop_to_ink: bool) -> None:
    image = np.full((10, 40_000), 240, np.uint8)
    image[:, 20_000:] = 0
    path = png(tmp_path / "strip.png", image.T if upright else image)
    tracemalloc.start()
    canvas = read_canvas(path, 64, crop_to_ink)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # as a square 4.8 GB
    assert canvas.shape == (64, 64, 3)
    assert (canvas[0] == canvas[0, 0]).all() or (canvas[:, 0] == canvas[0, 0]).all()  # padded


def test_shrinking_before_padding_keeps_place_and_shape() -> None:
    image = np.full((700, 1000, 3), 250, np.uint8)
    cv2.circle(image, (300, 200), 150, (30, 30, 30), 20)
    expected = np.full((1000, 1000, 3), 250, np.uint8)
    expected[150:850] = image
    expected = cv2.resize(expected, (64, 64), interpolation=cv2.INTER_AREA)
    canvas = to_canvas(image, 64, crop_to_ink=False)
    assert np.abs(canvas.astype(int) - expected).max() < 35  # an eighth of a pixel on an edge of 220 grey levels


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.png", b"", "empty"),
        ("text.png", b"no image at all", "not an image"),
        ("missing.png", None, "no such image file"),
        ("cut.png", "cut", "truncated"),
        ("pixel.png", np.zeros((1, 1, 3), np.uint8), "1 x 1 pixels are too few"),
        ("thin.png", np.zeros((5, 400, 3), np.uint8), "400 x 5 pixels are too few"),
        ("blank.png", np.full((20, 20, 3), 255, np.uint8), "shows nothing"),
        ("clear.png", np.full((20, 20, 4), (255, 255, 255, 0), np.uint8), "shows nothing"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_file(tmp_path: Path, name: str, content: object, message: str) -> None:
    path = tmp_path / name
    if isinstance(content, np.ndarray):
        png(path, content)
    elif content == "cut":
        whole = png(tmp_path / "whole.png", circle(50, 50, (25, 25), 20)).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_canvas(path, 32, crop_to_ink=True)
    assert name in str(caught.value)
