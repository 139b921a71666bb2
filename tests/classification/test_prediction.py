"""Classes of a user's own images, with a classifier that the test made up."""

import csv
import json
from pathlib import Path

import cv2
import pytest
import torch
from tests.classification import tiny
from tests.data.faulty import damaged_jpeg
from torch import Tensor

from retable.classification.prediction import answer_keys, answers, classify_files
from retable.classification.subject import ClassList
from retable.errors import DataError, StorageError

NAMES = tiny.CLASSES.names
ABOUT = {"run": "r", "checkpoint": "best.ckpt"}


def wide_upright(images: Tensor) -> Tensor:
    """Whatever it is, it is wide and upright."""
    assert images.shape[1:] == (3, 16, 16)
    assert images.dtype == torch.float32
    assert float(images.max()) <= 1
    return torch.tensor([0.02, 0.02, 0.1, 0.86]).repeat(len(images), 1)


def write_image(path: Path, index: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), tiny.image(index))
    return path


def classify(source: Path, output: Path) -> None:
    classify_files(wide_upright, tiny.StripesSubject(), str(source), output, ABOUT)


def test_an_image_is_printed_with_all_probabilities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_image(tmp_path / "image.png")
    classify(path, tmp_path / "out")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "image.png: wide_upright 0.860"
    assert lines[1].split() == ["0.860", "wide_upright"]
    assert len(lines) == 5
    result = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert (result["run"], result["checkpoint"], result["unreadable"]) == ("r", "best.ckpt", [])
    (entry,) = result["images"]
    assert (entry["file"], entry["class"], entry["probability"]) == ("image.png", "wide_upright", 0.86)
    assert list(entry["probabilities"]) == list(NAMES)


def test_a_folder_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b.png", "a.png", "a.jpg", "deeper/c.PNG"):
        write_image(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("x")
    classify(tmp_path / "in", tmp_path / "out")
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["a.jpg", "a.png", "b.png", "deeper/c.PNG"]
    assert {row["class"] for row in rows} == {"wide_upright"}
    assert [float(rows[0][name]) for name in NAMES] == pytest.approx([0.02, 0.02, 0.1, 0.86])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_an_unreadable_image_does_not_stop_the_others(tmp_path: Path) -> None:
    write_image(tmp_path / "in" / "good.png")
    (tmp_path / "in" / "bad.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 of 2 images could not be read: bad\.png"):
        classify(tmp_path / "in", tmp_path / "out")
    result = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert [entry["file"] for entry in result["images"]] == ["good.png"]
    assert result["unreadable"] == ["bad.png"]


def test_a_damaged_jpeg_is_refused_and_an_earlier_call_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    classify(write_image(tmp_path / "good.png"), tmp_path / "out")
    (tmp_path / "bad.jpg").write_bytes(damaged_jpeg())
    with pytest.raises(DataError, match=r"1 of 1 images could not be read: bad\.jpg"):
        classify(tmp_path / "bad.jpg", tmp_path / "out")
    assert "has predictions of an earlier call" in caplog.text


def test_more_images_than_a_batch(tmp_path: Path) -> None:
    for index in range(70):
        write_image(tmp_path / "in" / f"{index:02}.png", index)
    classify(tmp_path / "in", tmp_path / "out")
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 71


def test_an_answer_below_the_threshold_is_unknown(tmp_path: Path) -> None:
    classes = ClassList(NAMES, parts={"width": ("thin", "wide", "thin", "wide")})
    image = tiny.image(0)
    (known,), (unknown,) = (answers(wide_upright, classes, [image], threshold) for threshold in (0.86, 0.87))
    assert (known["class"], known["probability"], known["width"]) == ("wide_upright", 0.86, "wide")
    assert {key: unknown[key] for key in answer_keys(classes)} == pytest.approx(
        {"class": "unknown", "probability": 0.14, "width": "unknown", "width_probability": 0.12}
    )
    assert unknown["probabilities"] == known["probabilities"]


def test_unwritable_output_is_a_storage_error(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png")
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot write into"):
        classify(path, tmp_path / "out")
