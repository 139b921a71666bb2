"""Classes of a user's own drawings, with a classifier that the test made up."""

import csv
import json
from pathlib import Path

import pytest
import torch
from tests.papers.emoji.stand_in import write_image
from torch import Tensor

from retable.classification.prediction import classify_files, images_below
from retable.data.inputs import image_files
from retable.errors import DataError, StorageError
from retable.papers.emoji.classes import CLASSES

ABOUT = {"run": "r", "checkpoint": "best.ckpt"}


def winking(images: Tensor) -> Tensor:
    """Whatever it is, it winks."""
    assert images.shape[1:] == (3, 16, 16)
    assert images.dtype == torch.float32
    assert float(images.max()) <= 1
    found = torch.full((len(images), 8), 0.02)
    found[:, CLASSES.index("winking_face")] = 0.86
    return found


def test_an_image_is_printed_with_all_probabilities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_image(tmp_path / "drawing.png")
    classify_files(winking, path, tmp_path / "out", 16, True, ABOUT)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "drawing.png: winking_face 0.860"
    assert lines[1].split() == ["0.860", "winking_face"]
    assert len(lines) == 9
    result = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert (result["run"], result["checkpoint"], result["unreadable"]) == ("r", "best.ckpt", [])
    (entry,) = result["images"]
    assert (entry["file"], entry["class"], entry["probability"]) == ("drawing.png", "winking_face", 0.86)
    assert list(entry["probabilities"]) == list(CLASSES)


def test_a_folder_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b.png", "a.png", "a.jpg", "deeper/c.PNG"):
        write_image(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("x")
    classify_files(winking, tmp_path / "in", tmp_path / "out", 16, True, ABOUT)
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["a.jpg", "a.png", "b.png", "deeper/c.PNG"]
    assert {row["class"] for row in rows} == {"winking_face"}
    assert [float(rows[0][name]) for name in CLASSES] == pytest.approx([0.02] * 5 + [0.86, 0.02, 0.02])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_an_unreadable_image_does_not_stop_the_others(tmp_path: Path) -> None:
    write_image(tmp_path / "in" / "good.png")
    (tmp_path / "in" / "bad.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 of 2 images could not be read: bad\.png"):
        classify_files(winking, tmp_path / "in", tmp_path / "out", 16, True, ABOUT)
    result = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert [entry["file"] for entry in result["images"]] == ["good.png"]
    assert result["unreadable"] == ["bad.png"]


def test_more_images_than_a_batch(tmp_path: Path) -> None:
    for index in range(70):
        write_image(tmp_path / "in" / f"{index:02}.png", index)
    classify_files(winking, tmp_path / "in", tmp_path / "out", 16, False, ABOUT)
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 71


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file or folder"):
        image_files(tmp_path / "absent", images_below)
    with pytest.raises(DataError, match="there is no image in"):
        image_files(tmp_path, images_below)


def test_unwritable_output_is_a_storage_error(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png")
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot write into"):
        classify_files(winking, path, tmp_path / "out", 16, True, ABOUT)
