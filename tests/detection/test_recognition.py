"""A detector and a classifier of another run, on images and videos: both do what the test says."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule
from tests.data.test_videos import cut_off, write_video
from torch import Tensor, nn

from retable.classification.network_classifier import NetworkClassifier
from retable.classification.schema import NetworkConfig
from retable.classification.subject import ClassList, Image
from retable.detection import recognition
from retable.detection.prediction import predict_files
from retable.detection.recognition import Recogniser, load_classifier
from retable.detection.schema import Scaling
from retable.errors import ConfigError, DataError

NAMES = ("dark_calm", "dark_wild", "light_calm", "light_wild")
PARTS = {"tone": ["dark", "dark", "light", "light"], "mood": ["calm", "wild", "calm", "wild"]}
BOXES = torch.tensor([[10.0, 10.0, 30.0, 20.0], [40.0, 10.0, 60.0, 20.0], [70.0, 30.0, 72.0, 31.0]])
ABOUT = {"run": "c", "checkpoint": "best.ckpt"}


class Tones:
    """Crops become 8 x 8 pixels; smaller ones are refused."""

    classes = ClassList(NAMES, parts=PARTS)
    margin = 0.0

    def prepare(self, image: Image) -> Image:
        if min(image.shape[:2]) < 8:
            raise DataError("too small")
        return np.asarray(cv2.resize(image, (8, 8)), np.uint8)


class ToneNetwork(nn.Module):
    """Dark is calm with 0.5, wild with 0.3; light is calm with 0.6, wild with 0.2."""

    def forward(self, images: Tensor) -> Tensor:
        dark, light = torch.tensor([[0.5, 0.3, 0.1, 0.1], [0.1, 0.1, 0.6, 0.2]]).log()
        return torch.where(images.mean(dim=(1, 2, 3))[:, None] < 0.5, dark, light)


def make(unknown_below: float | None = None) -> Recogniser:
    keys: dict[str, Any] = {"subject": Tones(), "optimizer": torch.optim.Adam, "lr": 0.1, "input_size": 8}
    network = lambda input_size, classes: ToneNetwork()  # noqa: E731
    return Recogniser(NetworkClassifier(NetworkConfig(network=network, **keys)).eval(), ABOUT, unknown_below)


@pytest.fixture
def recogniser() -> Recogniser:
    return make()


def picture() -> Image:
    """A dark and a light object on grey, and one of two pixels."""
    image = np.full((50, 80, 3), 128, np.uint8)
    image[10:20, 10:30], image[10:20, 40:60] = 20, 230
    return image


def detect(image: Tensor) -> dict[str, Tensor]:
    """Finds the three objects, in an even image none."""
    found = BOXES if float(image.float().std()) > 10 else BOXES[:0]
    scores = torch.tensor([0.9, 0.8, 0.7])[: len(found)]
    return {"boxes": found, "scores": scores, "labels": torch.zeros(len(found), dtype=torch.int64)}


def predict(source: Path, output: Path, recogniser: Recogniser | None, **changes: Any) -> Any:
    try:
        predict_files(detect, str(source), output, ["object"], 0.5, Scaling(), {}, recognise=recogniser, **changes)
    finally:
        result = json.loads((output / "detections.json").read_text())
    return result


def rows(output: Path) -> list[dict[str, str]]:
    with (output / "detections.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_detection_has_a_class_and_its_parts(tmp_path: Path, recogniser: Recogniser) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture())
    (entry,) = predict(tmp_path / "a.png", tmp_path / "out", recogniser)["images"]
    dark, light, tiny = (found["recognised"] for found in entry["detections"])
    assert (dark["class"], dark["tone"], dark["mood"]) == ("dark_calm", "dark", "calm")
    told = [dark[key] for key in ("probability", "tone_probability", "mood_probability")]
    assert told == pytest.approx([0.5, 0.8, 0.6])
    assert light["class"] == "light_calm"
    assert light["probabilities"] == pytest.approx(dict(zip(NAMES, (0.1, 0.1, 0.6, 0.2), strict=True)))
    assert tiny is None  # too small to tell
    first, _, last = rows(tmp_path / "out")
    assert (first["file"], first["frame"], first["class"], first["x2"]) == ("a.png", "", "object", "30.0")
    assert (first["recognised"], first["tone"], first["mood_probability"]) == ("dark_calm", "dark", "0.6")
    assert (last["score"], last["recognised"]) == ("0.7", "")


def test_what_is_of_no_class_is_unknown(tmp_path: Path) -> None:
    recogniser = make(unknown_below=0.55)
    assert recogniser.about["unknown_below"] == 0.55
    cv2.imwrite(str(tmp_path / "a.png"), picture())
    (entry,) = predict(tmp_path / "a.png", tmp_path / "out", recogniser)["images"]
    dark, light, _ = (found["recognised"] for found in entry["detections"])
    assert [dark[key] for key in ("class", "tone", "mood")] == ["unknown"] * 3
    assert light["class"] == "light_calm"
    assert recogniser.text(dark) == "unknown 0.50"
    assert rows(tmp_path / "out")[0]["tone"] == "unknown"


def test_the_time_of_each_stage_is_told(
    tmp_path: Path, recogniser: Recogniser, caplog: pytest.LogCaptureFixture
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture())
    with caplog.at_level("INFO"):
        result = predict(tmp_path / "a.png", tmp_path / "out", recogniser, published_time="the paper: 90 ms")
    stages = ["reading", "detection", "cutting out", "classification", "drawing"]
    assert list(result["images"][0]["milliseconds"]) == stages
    assert list(result["median_milliseconds"]) == [*stages, "all"]
    assert "(the paper: 90 ms)" in caplog.text


def test_nothing_found_is_an_empty_result(tmp_path: Path, recogniser: Recogniser) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((50, 80), 90, np.uint8))  # grey
    (entry,) = predict(tmp_path / "a.png", tmp_path / "out", recogniser)["images"]
    assert entry["detections"] == rows(tmp_path / "out") == []
    assert (tmp_path / "out" / "drawn" / "a.png.jpg").is_file()


def test_without_a_classifier_none_is_told(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture())
    (entry,) = predict(tmp_path / "a.png", tmp_path / "out", None)["images"]
    assert "recognised" not in entry["detections"][0]
    assert list(rows(tmp_path / "out")[0]) == ["file", "frame", "seconds", "class", "score", "x1", "y1", "x2", "y2"]


def test_turned_objects_and_those_of_known_corners_are_cut_out_upright(recogniser: Recogniser) -> None:
    image = np.zeros((60, 60, 3), np.uint8)
    turned = torch.tensor([[30.0, 30.0, 40.0, 10.0, 0.5]])
    corners = torch.tensor([[[20.0, 10.0], [50.0, 20.0], [50.0, 32.0], [20.0, 22.0]]])
    (crop,) = recogniser.cut(image, {"boxes": turned})
    assert crop.shape == (10, 40, 3)
    (crop,) = recogniser.cut(image, {"boxes": BOXES[:1], "corners": corners})
    assert crop.shape == (12, round(float(np.hypot(30, 10))), 3)


def test_videos_are_told_by_frame_and_drawn_as_videos(tmp_path: Path, recogniser: Recogniser) -> None:
    (tmp_path / "in").mkdir()
    write_video(tmp_path / "in" / "b.mp4")
    cv2.imwrite(str(tmp_path / "in" / "a.png"), picture())
    result = predict(tmp_path / "in", tmp_path / "out", recogniser, every=4)
    assert [(entry["file"], entry.get("frame"), entry.get("seconds")) for entry in result["images"]] == [
        ("a.png", None, None), ("b.mp4", 0, 0.0), ("b.mp4", 4, 0.8), ("b.mp4", 8, 1.6),
    ]  # fmt: skip
    drawn = cv2.VideoCapture(str(tmp_path / "out" / "drawn" / "b.mp4.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert drawn.get(cv2.CAP_PROP_FPS) == pytest.approx(5 / 4)
    assert (tmp_path / "out" / "Task1_object.txt").read_text().count("\n") == 3  # of the image


def test_a_broken_video_does_not_stop_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(b"no video")
    cut_off(write_video(tmp_path / "whole.avi", 40), tmp_path / "in" / "b.avi")
    cv2.imwrite(str(tmp_path / "in" / "c.png"), picture())
    with pytest.raises(DataError, match=r"2 of 3 files could not be read whole: a\.mp4, b\.avi"):
        predict(tmp_path / "in", tmp_path / "out", None)
    result = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert {entry["file"] for entry in result["images"]} == {"b.avi", "c.png"}
    assert sorted(path.name for path in (tmp_path / "out" / "drawn").iterdir()) == ["b.avi.mp4", "c.png.jpg"]
    assert "a.mp4: cannot be opened as a video" in caplog.text
    assert "b.avi: the video ends early" in caplog.text


def test_a_run_of_another_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"classifier: .* is not the folder of a run"):
        load_classifier(str(tmp_path), torch.device("cpu"))
    monkeypatch.setattr(recognition, "load_run", lambda folder, key: (LightningModule(), Path("best.ckpt")))
    with pytest.raises(
        ConfigError, match=r"classifier: .* is a LightningModule, no classifier; give the run of a model"
    ):
        load_classifier("there", torch.device("cpu"))
