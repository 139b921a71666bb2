"""Detections on a user's own images, with a detector that finds what the test put there."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.faulty import damaged_jpeg
from torch import Tensor

from retable.boxes import rotated_iou
from retable.detection.prediction import predict_files
from retable.detection.schema import PredictionOptions, Scaling
from retable.errors import ConfigError, DataError, StorageError
from retable.papers.larsd.datasets import DotaText
from retable.papers.larsd.schema import DotaTextConfig

BOX = torch.tensor([[30.0, 20.0, 24.0, 8.0, 0.5]])
ABOUT = {"run": "r", "checkpoint": "best.ckpt"}


def _image(path: Path, size: tuple[int, int] = (40, 60)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), 90, np.uint8))


def _saved(path: Path, size: tuple[int, int] = (40, 60)) -> Path:
    _image(path, size)
    return path


def _predict(source: Path, output: Path) -> None:
    predict_files(_detect, str(source), output, ["ship"], 0.5, Scaling(), ABOUT)


def _detect(image: Tensor) -> dict[str, Tensor]:
    """Two detections that follow the size of the image as ships in it would."""
    scale = image.shape[2] / 60
    boxes = torch.cat([BOX, BOX]) * torch.tensor([scale, scale, scale, scale, 1.0])
    return {"boxes": boxes, "scores": torch.tensor([0.9, 0.2]), "labels": torch.zeros(2, dtype=torch.int64)}


def test_writes_annotations_results_json_and_pictures(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg"):
        _image(tmp_path / "in" / name)
    _predict(tmp_path / "in", tmp_path / "out")
    result = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert [entry["file"] for entry in result["images"]] == ["a.jpg", "b.png"]
    assert (result["images"][0]["height"], result["images"][0]["width"]) == (40, 60)
    (found,) = result["images"][0]["detections"]
    assert (found["class"], found["score"]) == ("ship", 0.9)
    assert found["box"] == {"cx": 30.0, "cy": 20.0, "w": 24.0, "h": 8.0, "theta": 0.5}
    lines = (tmp_path / "out" / "Task1_ship.txt").read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [["a.jpg", "0.90000"], ["b.png", "0.90000"]]
    drawn = cv2.imread(str(tmp_path / "out" / "drawn" / "a.jpg.jpg"))
    assert drawn.shape[0] >= 256
    assert drawn.std() > 3  # something is drawn on the grey


def test_photos_are_looked_at_as_the_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (60, 40), (90, 90, 90)).save(tmp_path / "a.jpg", exif=exif)
    seen = []
    predict_files(
        lambda image: seen.append(tuple(image.shape)) or _detect(image), str(tmp_path / "a.jpg"), tmp_path / "out",
        ["ship"], 0.5, Scaling(), ABOUT,
    )  # fmt: skip
    assert seen == [(3, 60, 40)]
    (entry,) = json.loads((tmp_path / "out" / "detections.json").read_text())["images"]
    assert (entry["height"], entry["width"]) == (60, 40)


def test_annotations_are_read_back_as_a_dataset(tmp_path: Path) -> None:
    _image(tmp_path / "train" / "images" / "a.png")
    _predict(tmp_path / "train" / "images", tmp_path / "train")
    _, target = DotaText(DotaTextConfig(), tmp_path, "train").load(0)
    assert rotated_iou(torch.from_numpy(target["boxes"]), BOX).item() > 0.99


@pytest.mark.parametrize("scaling", [Scaling(resize=0.5), Scaling(max_side=30), Scaling(resize=2.0)])
def test_boxes_come_back_in_the_pixels_of_the_file(tmp_path: Path, scaling: Scaling) -> None:
    _image(tmp_path / "a.png")
    seen = []

    def detect(image: Tensor) -> dict[str, Tensor]:
        seen.append(tuple(image.shape))
        return _detect(image)

    predict_files(detect, str(tmp_path / "a.png"), tmp_path / "out", ["ship"], 0.5, scaling, ABOUT)
    assert seen == [(3, *scaling.size(40, 60))]
    box = json.loads((tmp_path / "out" / "detections.json").read_text())["images"][0]["detections"][0]["box"]
    assert list(box.values()) == pytest.approx(BOX[0].tolist(), abs=1e-3)


def test_an_unreadable_image_does_not_stop_the_others(tmp_path: Path) -> None:
    _image(tmp_path / "in" / "good.png")
    (tmp_path / "in" / "bad.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 of 2 files could not be read whole: bad\.png"):
        _predict(tmp_path / "in", tmp_path / "out")
    result = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert result["unreadable"] == ["bad.png"]
    assert [entry["file"] for entry in result["images"]] == ["good.png"]


def test_no_result_takes_the_place_of_another_s(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.png", "a.jpg", "b/a.png"):
        _image(tmp_path / "in" / name)
    _predict(tmp_path / "in", tmp_path / "out")
    _predict(_saved(tmp_path / "a.tif"), tmp_path / "out")
    names = ("a.jpg", "a.png", "a.tif", "b/a.png")
    for folder, ending in (("labelTxt", ".txt"), ("drawn", ".jpg")):
        found = (tmp_path / "out" / folder).rglob("*.*")
        assert sorted(path.relative_to(tmp_path / "out" / folder).as_posix() for path in found) == [
            f"{name}{ending}" for name in names
        ]
    result = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert [entry["file"] for entry in result["images"]] == ["a.tif"]
    assert result["input"] == str(tmp_path / "a.tif")
    assert "has results of an earlier call" in caplog.text


@pytest.mark.parametrize(("size", "ending"), [((20, 6000), "jpg"), ((6000, 20), "jpg"), ((2, 65_501), "png")])
def test_long_thin_images_are_drawn(tmp_path: Path, size: tuple[int, int], ending: str) -> None:
    path = _saved(tmp_path / "a.png", size)
    _predict(path, tmp_path / "out")
    assert cv2.imread(str(tmp_path / "out" / "drawn" / f"a.png.{ending}")).shape == (*size, 3)


def test_a_damaged_jpeg_is_refused_by_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(damaged_jpeg())
    with pytest.raises(DataError, match=r"1 of 1 files could not be read whole: a\.jpg"):
        _predict(tmp_path / "in", tmp_path / "out")
    assert "Corrupt" not in capfd.readouterr().err


def test_images_that_come_out_near_black_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((8, 8), 4000, np.uint16))
    _predict(tmp_path / "a.png", tmp_path / "out")
    assert "a.png: 16 bits a channel" in caplog.text


@pytest.mark.parametrize("threshold", [40, -0.1, math.nan])
def test_thresholds_are_shares(threshold: float) -> None:
    with pytest.raises(ConfigError, match=r"score_threshold=\S+: must be from 0 to 1"):
        PredictionOptions(input="a.png", score_threshold=threshold)


def test_unwritable_output_is_a_storage_error(tmp_path: Path) -> None:
    _image(tmp_path / "a.png")
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot write"):
        _predict(tmp_path / "a.png", tmp_path / "out")


def test_scaling() -> None:
    assert Scaling().size(100, 200) == (100, 200)
    assert Scaling(0.5).size(100, 200) == (50, 100)
    assert Scaling(2.0, 100).size(100, 200) == (50, 100)
    assert Scaling(1.0, 400).size(100, 200) == (100, 200)


def test_axis_aligned_boxes_are_told_by_their_own_numbers_and_by_corners(tmp_path: Path) -> None:
    def detect(image: Tensor) -> dict[str, Tensor]:
        boxes = torch.tensor([[10.0, 12.0, 30.0, 20.0]]) * image.shape[2] / 60
        return {"boxes": boxes, "scores": torch.tensor([0.9]), "labels": torch.tensor([1])}

    _image(tmp_path / "a.png")
    predict_files(detect, str(tmp_path / "a.png"), tmp_path / "out", ["car", "plate"], 0.5, Scaling(0.5), ABOUT)
    (found,) = json.loads((tmp_path / "out" / "detections.json").read_text())["images"][0]["detections"]
    assert found["class"] == "plate"
    assert found["box"] == {"x1": 10.0, "y1": 12.0, "x2": 30.0, "y2": 20.0}
    line = "10.00 12.00 30.00 12.00 30.00 20.00 10.00 20.00"
    assert (tmp_path / "out" / "labelTxt" / "a.png.txt").read_text() == f"{line} plate 0\n"
    assert (tmp_path / "out" / "Task1_plate.txt").read_text() == f"a.png 0.90000 {line}\n"
    assert (tmp_path / "out" / "Task1_car.txt").read_text() == ""
    assert cv2.imread(str(tmp_path / "out" / "drawn" / "a.png.jpg")).std() > 3
