"""Folders of pictures: order, modes, sizes, faults."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from retable.errors import DataError
from retable.papers.cars.datasets.folder import list_pictures, natural_key, read_folder, read_picture
from retable.papers.cars.schema import Background, Fit

GREEN = (51, 255, 51)


def write(path: Path, image: NDArray[Any]) -> Path:
    """Write RGB, RGBA or grey pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if image.ndim == 3:
        image = image[..., [2, 1, 0, 3][: image.shape[2]]]
    assert cv2.imwrite(str(path), image)
    return path


def plain(colour: tuple[int, int, int], height: int = 16, width: int = 16) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["10.png", "2.png", "b/1.png", "a/12.png", "a/3.png", "a/03.png", "1.png"]
    assert sorted(names, key=natural_key) == ["1.png", "2.png", "10.png", "a/03.png", "a/3.png", "a/12.png", "b/1.png"]


def test_images_of_subfolders_are_found_and_other_files_are_told(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "a.JPG", ".hidden.png", ".trash/1.png"):
        write(tmp_path / name, plain((200, 0, 0)))
    (tmp_path / "notes.txt").write_text("x")
    files, notes = list_pictures(tmp_path)
    assert list(files) == ["a.JPG", "b/2.png", "b/10.png"]
    assert notes == [
        "2 files are hidden or a system's own and were left out, first .hidden.png",
        "1 files are no images by their ending and were left out, first notes.txt",
    ]
    folder = read_folder(tmp_path, 16, Fit.pad, Background.green)
    assert folder.names == ("a.JPG", "b/2.png", "b/10.png")
    assert folder.images.shape == (3, 16, 16, 3)
    assert folder.notes == tuple(notes)


def test_oblong_images_are_kept_whole(tmp_path: Path) -> None:
    stripes = np.concatenate([plain((200, 0, 0), 20, 20), plain((0, 0, 200), 20, 20)], axis=1)
    path = write(tmp_path / "wide.png", stripes)
    padded = read_picture(path, 16, Fit.pad, Background.green)
    assert padded.resized
    assert (padded.image[:4] == GREEN).all()
    assert (padded.image[12:] == GREEN).all()
    assert (padded.image[4:12, :7] == (200, 0, 0)).all()
    assert (padded.image[4:12, 9:] == (0, 0, 200)).all()
    assert (read_picture(path, 16, Fit.pad, Background.white).image[0] == 255).all()
    stretched = read_picture(path, 16, Fit.stretch, Background.green).image
    assert (stretched[:, :7] == (200, 0, 0)).all()
    assert (stretched[:, 9:] == (0, 0, 200)).all()


@pytest.mark.parametrize("fit", list(Fit))
def test_shrinking_is_antialiased(tmp_path: Path, fit: Fit) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, ::2] = 255  # finer than the result can show
    image = read_picture(write(tmp_path / "fine.png", pixels), 16, fit, Background.green).image
    assert (abs(image.astype(int) - 127) <= 2).all()


def test_one_side_may_shrink_while_the_other_grows(tmp_path: Path) -> None:
    pixels = np.zeros((4, 64, 3), np.uint8)
    pixels[:, ::2] = 255
    image = read_picture(write(tmp_path / "flat.png", pixels), 16, Fit.stretch, Background.green).image
    assert (abs(image.astype(int) - 127) <= 2).all()


def test_modes_become_rgb(tmp_path: Path) -> None:
    grey = read_picture(write(tmp_path / "grey.png", np.full((8, 8), 90, np.uint8)), 8, Fit.pad, Background.green)
    assert (grey.image == 90).all()
    deep = np.full((8, 8, 3), (255 * 256, 0, 100 * 256), np.uint16)
    image = read_picture(write(tmp_path / "deep.png", deep), 8, Fit.pad, Background.green).image
    assert (image == (255, 0, 100)).all()
    assert not grey.resized
    assert not grey.transparent


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_transparent_pixels_show_the_background(tmp_path: Path, depth: Any) -> None:
    full = np.iinfo(depth).max
    pixels = np.zeros((8, 8, 4), depth)
    pixels[..., 0] = full
    pixels[:4, :, 3] = full
    pixels[4, :, 3] = full // 2 + 1
    path = write(tmp_path / "cut.png", pixels)
    picture = read_picture(path, 8, Fit.pad, Background.green)
    assert picture.transparent
    assert (picture.image[:4] == (255, 0, 0)).all()
    assert (picture.image[5:] == GREEN).all()
    assert abs(picture.image[4, 0].astype(int) - (153, 127, 25)).max() <= 2
    assert (read_picture(path, 8, Fit.pad, Background.white).image[5:] == 255).all()


def test_notes_tell_what_was_changed(tmp_path: Path) -> None:
    write(tmp_path / "1.png", plain((9, 9, 9)))
    write(tmp_path / "2.png", plain((9, 9, 9), 20, 30))
    write(tmp_path / "3.png", np.zeros((16, 16, 4), np.uint8))
    notes = read_folder(tmp_path, 16, Fit.pad, Background.white).notes
    assert len(notes) == 2
    assert notes[0].startswith("1 of 3 images are not 16 x 16")
    assert "padded with white" in notes[0]
    assert "stretched" in read_folder(tmp_path, 16, Fit.stretch, Background.white).notes[0]
    assert notes[1] == "1 of 3 images are partly transparent and were put on white"


def test_the_fingerprint_is_of_contents_and_settings(tmp_path: Path) -> None:
    write(tmp_path / "1.png", plain((9, 9, 9)))

    def fingerprint(size: int = 16, fit: Fit = Fit.pad, background: Background = Background.green) -> str:
        return read_folder(tmp_path, size, fit, background).fingerprint

    first = fingerprint()
    assert fingerprint() == first
    assert len({first, fingerprint(8), fingerprint(fit=Fit.stretch), fingerprint(background=Background.white)}) == 4
    write(tmp_path / "1.png", plain((9, 9, 8)))
    assert fingerprint() != first


def test_faults_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images; put files with the ending"):
        read_folder(tmp_path, 16, Fit.pad, Background.green)
    write(tmp_path / "1.png", plain((9, 9, 9)))
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "2.png").write_bytes(whole[:-20])
    with pytest.raises(DataError, match=r"2\.png: .*truncated or damaged"):
        read_folder(tmp_path, 16, Fit.pad, Background.green)
    (tmp_path / "2.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"2\.png: .*empty"):
        read_folder(tmp_path, 16, Fit.pad, Background.green)
    (tmp_path / "2.png").write_text("no image at all")
    with pytest.raises(DataError, match=r"2\.png: not an image"):
        read_folder(tmp_path, 16, Fit.pad, Background.green)
